"""What was asked of a vendor lately."""

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


class Recent(Generic[K, T]):
    """The last `size` answers, each for at most `keep_s`."""

    def __init__(
        self, size: int, keep_s: float = math.inf, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._size = size
        self._keep_s = keep_s
        self._clock = clock
        self._kept: OrderedDict[K, tuple[float, T]] = OrderedDict()

    def get(self, key: K) -> T | None:
        """The answer, while it is kept."""
        kept = self._kept.get(key)
        if kept is None or self._clock() - kept[0] > self._keep_s:
            return None
        self._kept.move_to_end(key)
        return kept[1]

    def put(self, key: K, answer: T) -> T:
        """Keeps an answer, at the price of the one that was asked for longest ago, and returns it."""
        self._kept[key] = self._clock(), answer
        self._kept.move_to_end(key)
        while len(self._kept) > self._size:
            self._kept.popitem(last=False)
        return answer
