"""How long events take from the log to the socket: a histogram that costs a fraction of a microsecond.

The library's own takes a lock for each of two or three values, which every chunk of every stream would pay.
One event loop writes this one, so plain numbers do.
"""

from bisect import bisect_left
from collections.abc import Iterable
from itertools import accumulate
from time import time

from prometheus_client.core import HistogramMetricFamily
from prometheus_client.registry import Collector

BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class RelayLag(Collector):
    """Seconds from the write of an event to the socket taking it, of events written while it was watched."""

    def __init__(self) -> None:
        self._counts = [0] * (len(BUCKETS_S) + 1)
        self._sum_s = 0.0

    def relayed(self, written_at_ms: int) -> None:
        """What was written at that time, by the writer's clock, has been sent."""
        lag_s = time() - written_at_ms / 1000
        self._counts[bisect_left(BUCKETS_S, lag_s)] += 1
        # Clocks of two machines may differ by more than the lag.
        self._sum_s += lag_s if lag_s > 0 else 0.0

    def collect(self) -> Iterable[HistogramMetricFamily]:
        """The metric as it stands."""
        bounds = [*map(str, BUCKETS_S), "+Inf"]
        buckets = list(zip(bounds, map(float, accumulate(self._counts)), strict=True))
        yield HistogramMetricFamily(
            "chat_api_relay_lag_seconds",
            "From an event's write to its socket write.",
            buckets=buckets,
            sum_value=self._sum_s,
        )
