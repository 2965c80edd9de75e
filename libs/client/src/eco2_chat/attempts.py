"""Counts failures until patience runs out."""

import time
from collections.abc import Callable

from eco2_chat.patience import Patience


class Attempts:
    """Of one call, or of one stream that is resumed; `limit_s` is how long nothing may succeed."""

    def __init__(self, patience: Patience, limit_s: float, now: Callable[[], float] = time.monotonic) -> None:
        self._patience = patience
        self._limit_s = limit_s
        self._now = now
        self._failures = 0
        self._deadline = now() + limit_s

    def progressed(self) -> None:
        """Something came through: all patience is back."""
        self._failures = 0
        self._deadline = self._now() + self._limit_s

    def failed(self, at_least_s: float, otherwise: Exception) -> float:
        """How long to wait before the next; raises `otherwise` when there is no time for one."""
        delay_s = self._patience.delay_s(self._failures, at_least_s)
        self._failures += 1
        if self._now() + delay_s > self._deadline:
            raise otherwise
        return delay_s
