"""Counts failures until patience runs out."""

import time
from collections.abc import Callable

from eco2_chat.errors import ConnectionLost
from eco2_chat.patience import Patience


class Attempts:
    """Of one call, or of one stream that is resumed."""

    def __init__(self, patience: Patience, now: Callable[[], float] = time.monotonic) -> None:
        self._patience = patience
        self._now = now
        self._failures = 0
        self._deadline = now() + patience.total_s

    def progressed(self) -> None:
        """Something came through: all patience is back."""
        self._failures = 0
        self._deadline = self._now() + self._patience.total_s

    def failed(self, at_least_s: float = 0.0, *, job_id: str | None = None, last: str | None = None) -> float:
        """How long to wait before the next; raises ConnectionLost."""
        delay_s = self._patience.delay_s(self._failures, at_least_s)
        self._failures += 1
        if self._now() + delay_s > self._deadline:
            raise ConnectionLost(job_id, last)
        return delay_s
