"""An ASGI send that pays for its time limit only when it has to wait.

The server suspends a send only while the socket's buffer is full. A cancel scope around every chunk of
every stream took a seventh of the API's CPU (docs/decisions/0006).
"""

import types
from collections.abc import Coroutine, Generator
from typing import Any

import anyio
from starlette.types import Message, Send


async def send_within(send: Send, message: Message, timeout_s: float | None) -> bool:
    """Sends a message; False when the peer took too long to take it."""
    sending: Any = send(message)
    try:
        waiting_for = sending.send(None)
    except StopIteration:
        return True
    with anyio.move_on_after(timeout_s) as limit:
        await _go_on(sending, waiting_for)
    return not limit.cancel_called


@types.coroutine
def _go_on(begun: Coroutine[Any, Any, Any], waiting_for: Any) -> Generator[Any, Any, None]:
    """Awaits a coroutine that has already run up to its first suspension."""
    try:
        while True:
            try:
                value = yield waiting_for
            except BaseException as error:
                waiting_for = begun.throw(error)
            else:
                waiting_for = begun.send(value)
    except StopIteration:
        return
