"""Waiting for something to come true."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable

_LOOK_EVERY_S = 0.1


class StageFailed(Exception):
    """Something on the stage did not come up; the message ends with what it said."""


async def came_true(holds: Callable[[], bool | Awaitable[bool]], within_s: float) -> bool:
    """Wait for a condition; False when it did not come true in time."""
    deadline = time.monotonic() + within_s
    while True:
        held = holds()
        if await held if inspect.isawaitable(held) else held:
            return True
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(_LOOK_EVERY_S)
