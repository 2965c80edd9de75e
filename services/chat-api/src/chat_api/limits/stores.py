"""Where limits are counted."""

from dataclasses import dataclass

from eco2_bus.resp import RedisLink

from chat_api.limits.live_jobs import LiveJobs, MemoryLiveJobs
from chat_api.limits.rates import MemoryWindows, Windows
from chat_api.limits.redis_stores import RedisLiveJobs, RedisWindows


@dataclass(frozen=True)
class LimitStores:
    """The counters of rates, and the places of live jobs."""

    windows: Windows
    live_jobs: LiveJobs


def in_memory() -> LimitStores:
    """For the one process of the embedded default."""
    return LimitStores(MemoryWindows(), MemoryLiveJobs())


def in_redis(link: RedisLink) -> LimitStores:
    """Shared by all replicas; the connection stays its owner's to close."""
    return LimitStores(RedisWindows(link), RedisLiveJobs(link))
