"""Claims in Redis, shared by all replicas."""

import json
from typing import Any

import redis.asyncio as redis
from eco2_bus.log import LogUnavailable
from redis.exceptions import RedisError

from chat_api.claims import PENDING_S, Claimed
from chat_api.session_claims import ERASED_KEPT_S, SESSION_KEPT_S, Bid, SessionOfAnother, erased_name

# A session is one hash: `owner`, `holder`, `until` (Unix s), and for each job `job:{id}` = `{Unix s}:{key}`.
# KEYS: session  ARGV: owner, job, instead of, key, hold_s, kept_s
_TAKE_SESSION = """
local owner = redis.call('HGET', KEYS[1], 'owner')
if owner and owner ~= ARGV[1] then return {'another'} end
local now = tonumber(redis.call('TIME')[1])
local held = redis.call('HMGET', KEYS[1], 'holder', 'until')
if held[1] and tonumber(held[2]) > now and held[1] ~= ARGV[2] and held[1] ~= ARGV[3] then
  return {'held', held[1]}
end
redis.call('HSET', KEYS[1], 'owner', ARGV[1], 'holder', ARGV[2], 'until', now + ARGV[5],
  'job:' .. ARGV[2], now .. ':' .. ARGV[4])
redis.call('EXPIRE', KEYS[1], ARGV[6])
local fields = redis.call('HLEN', KEYS[1])
if fields > 300 and fields % 50 == 0 then
  local all = redis.call('HGETALL', KEYS[1])
  for i = 1, #all, 2 do
    local came = tonumber(string.match(all[i + 1], '^(%d+):'))
    if string.sub(all[i], 1, 4) == 'job:' and came < now - ARGV[6] then
      redis.call('HDEL', KEYS[1], all[i])
    end
  end
end
return {'taken'}
"""
# KEYS: session  ARGV: job
_FREE_SESSION = """
if redis.call('HGET', KEYS[1], 'holder') == ARGV[1] then redis.call('HDEL', KEYS[1], 'holder', 'until') end
redis.call('HDEL', KEYS[1], 'job:' .. ARGV[1])
local left = redis.call('HKEYS', KEYS[1])
if #left == 1 and left[1] == 'owner' then redis.call('DEL', KEYS[1]) end
"""


class RedisClaims:
    """Claims in Redis, over a small fixed pool of connections."""

    def __init__(self, url: str, *, connections: int = 4) -> None:
        # redis-py leaves the options of from_url untyped.
        make_pool: Any = redis.BlockingConnectionPool
        pool = make_pool.from_url(
            url, max_connections=connections, timeout=2, socket_timeout=2, socket_connect_timeout=1
        )
        self._redis: Any = redis.Redis.from_pool(pool)
        self._take: Any = self._redis.register_script(_TAKE_SESSION)
        self._free: Any = self._redis.register_script(_FREE_SESSION)

    async def claim_key(self, key: str, fingerprint: str) -> Claimed | None:
        value = json.dumps({"fingerprint": fingerprint, "answer": None})
        taken: Any = await _reach(self._redis.set(f"chat:idem:{key}", value, nx=True, ex=PENDING_S, get=True))
        return Claimed(**json.loads(taken)) if taken else None

    async def answer_key(self, key: str, fingerprint: str, answer: str, ttl_s: int) -> None:
        value = json.dumps({"fingerprint": fingerprint, "answer": answer})
        await _reach(self._redis.set(f"chat:idem:{key}", value, ex=ttl_s))

    async def free_key(self, key: str) -> None:
        await _reach(self._redis.delete(f"chat:idem:{key}"))

    async def take_session(self, bid: Bid, instead_of: str | None) -> str | None:
        arguments = [bid.owner, bid.job_id, instead_of or "", bid.key, bid.hold_s, SESSION_KEPT_S]
        reply: list[bytes] = await _reach(self._take(keys=[_session(bid.session_id)], args=arguments))
        if reply[0] == b"another":
            raise SessionOfAnother
        return reply[1].decode() if reply[0] == b"held" else None

    async def free_session(self, session_id: str, job_id: str) -> None:
        await _reach(self._free(keys=[_session(session_id)], args=[job_id]))

    async def session_owner(self, session_id: str) -> str | None:
        owner: bytes | None = await _reach(self._redis.hget(_session(session_id), "owner"))
        return None if owner is None else owner.decode()

    async def session_jobs(self, session_id: str) -> dict[str, str]:
        fields: dict[bytes, bytes] = await _reach(self._redis.hgetall(_session(session_id)))
        return {
            name.decode().removeprefix("job:"): value.decode().partition(":")[2]
            for name, value in fields.items()
            if name.startswith(b"job:")
        }

    async def forget_session(self, session_id: str, owner: str) -> None:
        await _reach(self._redis.set(_erased(session_id, owner), 1, ex=ERASED_KEPT_S))
        await _reach(self._redis.delete(_session(session_id)))

    async def was_erased(self, session_id: str, owner: str) -> bool:
        return bool(await _reach(self._redis.exists(_erased(session_id, owner))))

    async def close(self) -> None:
        await self._redis.aclose()


def _session(session_id: str) -> str:
    return f"chat:session:{session_id}:claim"


def _erased(session_id: str, owner: str) -> str:
    return f"chat:erased:{erased_name(session_id, owner)}"


async def _reach(call: Any) -> Any:
    try:
        return await call
    except (RedisError, OSError, TimeoutError) as error:
        raise LogUnavailable(type(error).__name__) from None
