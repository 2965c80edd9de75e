"""Trying until the log's store, or the broker, is there again: a delivery stays ours meanwhile."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Iterator
from typing import TypeVar

from eco2_bus.log import LogUnavailable

_log = logging.getLogger(__name__)

T = TypeVar("T")

RETRY_MAX_S = 2.0


async def patiently(call: Callable[[], Awaitable[T]]) -> T:
    """The result of a call that is made until the log's store can be reached."""
    pauses_s = growing_pauses_s()
    while True:
        try:
            return await call()
        except LogUnavailable as error:
            _log.warning("the log cannot be reached: %s", error)
        await asyncio.sleep(next(pauses_s))


def growing_pauses_s() -> Iterator[float]:
    """Seconds to wait after the first failure, the second, and so on."""
    pause_s = 0.1
    while True:
        yield pause_s * random.uniform(0.5, 1.5)
        pause_s = min(pause_s * 2, RETRY_MAX_S)
