"""How often something may be done, counted by the sliding windows of the `limits` library."""

import asyncio
import math
import time
from dataclasses import dataclass
from typing import Protocol

from limits import RateLimitItem
from limits.aio.storage import MemoryStorage

NAMESPACE = "submits"


class Windows(Protocol):
    """Counters of sliding windows, as the library's storages have most of them. May raise LogUnavailable."""

    async def acquire_sliding_window_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Counts one more, unless there have been `limit` within the last `expiry` seconds."""
        ...

    async def get_sliding_window(self, key: str, expiry: int) -> tuple[int, float, int, float]:
        """Count and seconds left of the window before, then of this one, whose seconds include the next."""
        ...

    async def give_back(self, key: str, expiry: int) -> None:
        """Counts one less in this window."""
        ...


class MemoryWindows:
    """The windows of one process."""

    def __init__(self) -> None:
        self._storage = MemoryStorage()
        self.acquire_sliding_window_entry = self._storage.acquire_sliding_window_entry
        self.get_sliding_window = self._storage.get_sliding_window

    async def give_back(self, key: str, expiry: int) -> None:
        _, now = self._storage.sliding_window_keys(key, expiry, time.time())
        if await self._storage.get(now):
            await self._storage.decr(now)


@dataclass(frozen=True, slots=True)
class Rate:
    """A limit and whom it is counted for; `who` is kept as a hash by its caller."""

    name: str
    item: RateLimitItem
    who: str

    @property
    def key(self) -> str:
        """The counter's name."""
        return self.item.key_for(self.name, self.who)


@dataclass(frozen=True, slots=True)
class Standing:
    """How a rate stands after it was asked for one more."""

    name: str
    quota: int
    window_s: int
    is_let_in: bool
    remaining: int
    next_in_s: int
    """When one more than now will be let in, rounded up."""


async def ask(windows: Windows, rate: Rate) -> Standing:
    """Counts one more, unless it is one too many, and says how the rate stands then."""
    quota, window_s = rate.item.amount, rate.item.get_expiry()
    is_let_in, window = await asyncio.gather(
        windows.acquire_sliding_window_entry(rate.key, quota, window_s),
        windows.get_sliding_window(rate.key, window_s),
    )
    before, before_left_s, now, now_left_s = window
    # Of the window before, the share counts that still lies within the last `window_s`.
    fading = before * before_left_s / window_s
    remaining = max(0, quota - math.floor(fading) - now)
    if fading >= 1:
        wait_s = (fading - math.floor(fading)) * window_s / before
    else:
        # Nothing fades before this window has become the one before.
        wait_s = max(0.0, now_left_s - window_s) if now else 0.0
    return Standing(rate.name, quota, window_s, is_let_in, remaining, math.floor(wait_s) + 1)
