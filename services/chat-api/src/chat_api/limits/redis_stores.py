"""The counters of limits in Redis, shared by all replicas.

The arithmetic of the windows is the `limits` library's: its scripts, run over a connection of ours. Its own
storage waits for every command by itself; here all that one request asks leaves in one write, and comes
back in one round trip (docs/decisions/0011).
"""

from eco2_bus.resp import RedisLink
from limits.aio.storage.redis.bridge import RedisBridge

from chat_api.redis_calls import ask, run

# One sorted set for each user: job ids, each with the Unix second when it came.
# KEYS: places  ARGV: job, at most, kept_s
_ENTER = """
local now = tonumber(redis.call('TIME')[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', '(' .. (now - ARGV[3]))
if redis.call('ZSCORE', KEYS[1], ARGV[1]) then return {} end
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[2]) then
  local places = redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES')
  table.insert(places, 1, now)
  return places
end
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[3])
return {}
"""
# KEYS: window before, window
_GIVE_BACK = """
if tonumber(redis.call('GET', KEYS[2]) or 0) > 0 then redis.call('DECR', KEYS[2]) end
"""
_COUNT = RedisBridge.SCRIPT_ACQUIRE_SLIDING_WINDOW.decode()
_LOOK = RedisBridge.SCRIPT_SLIDING_WINDOW.decode()


class RedisWindows:
    """Sliding windows; every method may raise LogUnavailable."""

    def __init__(self, link: RedisLink) -> None:
        self._link = link

    async def acquire_sliding_window_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        return bool(await run(self._link, _COUNT, _windows(key), limit, expiry, amount))

    async def get_sliding_window(self, key: str, expiry: int) -> tuple[int, float, int, float]:
        before, before_left_ms, now, now_left_ms = await run(self._link, _LOOK, _windows(key), expiry)
        return int(before or 0), max(0, before_left_ms) / 1000, int(now or 0), max(0, now_left_ms) / 1000

    async def give_back(self, key: str, expiry: int) -> None:
        await run(self._link, _GIVE_BACK, _windows(key))


class RedisLiveJobs:
    """Places of live jobs; both methods may raise LogUnavailable."""

    def __init__(self, link: RedisLink) -> None:
        self._link = link

    async def enter(self, user: str, job_id: str, at_most: int, kept_s: int) -> dict[str, float] | None:
        reply = await run(self._link, _ENTER, (_places(user),), job_id, at_most, kept_s)
        if not reply:
            return None
        now, *places = reply
        return {
            name.decode(): max(0.0, now - float(came))
            for name, came in zip(places[::2], places[1::2], strict=True)
        }

    async def leave(self, user: str, *job_ids: str) -> None:
        await ask(self._link, "ZREM", _places(user), *job_ids)


def _windows(key: str) -> tuple[str, str]:
    # The braces keep windows apart from places, whatever a key says.
    now = f"chat:limit:{{{key}}}"
    return f"{now}/before", now


def _places(user: str) -> str:
    return f"chat:limit:live:{user}"
