"""A limit on request bodies whose error is a problem document; FastAPI's own answers in plain text."""

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chat_api import errors


class BodyLimit:
    """ASGI middleware that refuses a body by its declared length, or stops reading it at the limit."""

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self._app = app
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # No GET of ours reads a body.
        if scope["type"] != "http" or scope["method"] == "GET":
            await self._app(scope, receive, send)
        elif self._is_declared_larger(scope):
            await errors.body_too_large(Request(scope))(scope, receive, send)
        else:
            await self._app(scope, self._limited(receive), send)

    def _is_declared_larger(self, scope: Scope) -> bool:
        declared = Headers(scope=scope).get("content-length", "")
        return declared.isdecimal() and int(declared) > self._max_bytes

    def _limited(self, receive: Receive) -> Receive:
        left = self._max_bytes

        async def limited() -> Message:
            nonlocal left
            message = await receive()
            left -= len(message.get("body", b""))
            if left < 0:
                raise HTTPException(413)
            return message

        return limited
