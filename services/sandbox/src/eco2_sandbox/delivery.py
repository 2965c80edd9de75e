"""A response that stops being made the moment its client leaves."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from eco2_sandbox.traffic import Ending, Tally

Work = Callable[[Send], Coroutine[Any, Any, Ending]]


class Delivery(Response):
    """Runs `work` against the connection, cancels it when the client leaves, and tallies the ending."""

    def __init__(self, work: Work, tally: Tally) -> None:
        super().__init__()
        self._work = work
        self._tally = tally

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the request as an ASGI application."""
        self._tally.begin()
        ending: Ending = "closed_early"
        try:
            ending = await self._until_left(receive, send)
        finally:
            self._tally.end(ending)

    async def _until_left(self, receive: Receive, send: Send) -> Ending:
        async with asyncio.TaskGroup() as tasks:
            working = tasks.create_task(self._work(send))
            leaving = tasks.create_task(_client_left(receive))
            await asyncio.wait((working, leaving), return_when=asyncio.FIRST_COMPLETED)
            worked = working.done()
            working.cancel()
            leaving.cancel()
        return working.result() if worked else "closed_early"


async def _client_left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def hold() -> Work:
    """Return work that reads the request and never answers it."""

    async def wait_for_ever(send: Send) -> Ending:
        # Unbounded on purpose: the client's own time-out, or its leaving, is what is being tried.
        await asyncio.Event().wait()
        return "completed"

    return wait_for_ever


async def send_head(send: Send, headers: list[tuple[bytes, bytes]], status: int = 200) -> None:
    """Send the status and these headers."""
    await send({"type": "http.response.start", "status": status, "headers": headers})


async def send_body(send: Send, body: bytes, *, is_last: bool) -> None:
    """Send one part of the body as it stands."""
    await send({"type": "http.response.body", "body": body, "more_body": not is_last})
