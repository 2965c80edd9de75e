"""Waiting for something to come true."""

import asyncio
import time
from collections.abc import Awaitable, Callable

_LOOK_EVERY_S = 0.1


class StageFailed(Exception):
    """Something on the stage did not come up; the message ends with what it said."""


async def came_true(holds: Callable[[], bool], within_s: float) -> bool:
    """Wait for a condition; False when it did not come true in time."""
    deadline = time.monotonic() + within_s
    while not holds():
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(_LOOK_EVERY_S)
    return True


async def until(holds: Callable[[], Awaitable[bool]], within_s: float, what: str) -> None:
    """Wait for a condition that takes asking; raises StageFailed with `what` when it does not come true."""
    deadline = time.monotonic() + within_s
    while not await holds():
        if time.monotonic() > deadline:
            raise StageFailed(f"waited {within_s:.0f} s in vain for {what}")
        await asyncio.sleep(_LOOK_EVERY_S)
