"""Headers that keep an answer from being more to a browser than it is meant to be."""

from collections.abc import Awaitable
from typing import cast

from starlette.types import ASGIApp, Message, Receive, Scope, Send

ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
}
UNLESS_SET = {
    # Answers are somebody's own; what may be kept says so itself.
    "Cache-Control": "no-store",
    # Nothing but the page is there to be shown.
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}

_ALWAYS = [(name.lower().encode(), value.encode()) for name, value in ALWAYS.items()]
_UNLESS_SET = [(name.lower().encode(), value.encode()) for name, value in UNLESS_SET.items()]


class SafeHeaders:
    """ASGI middleware that touches only the head of an answer: what streams passes as it is."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        # No coroutine of its own: on the way of a token it costs a comparison.
        def safely(message: Message) -> Awaitable[None]:
            if message["type"] == "http.response.start":
                message["headers"] = _safe(cast(list[tuple[bytes, bytes]], message["headers"]))
            return send(message)

        await self._app(scope, receive, safely)


def _safe(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    ours = {name for name, _ in _ALWAYS}
    kept = [pair for pair in headers if pair[0].lower() not in ours]
    there = {name.lower() for name, _ in kept}
    return [*kept, *_ALWAYS, *(pair for pair in _UNLESS_SET if pair[0] not in there)]
