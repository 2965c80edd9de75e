"""Claims in Redis, shared by all replicas."""

import orjson
from eco2_bus.resp import RedisLink

from chat_api.claims import PENDING_S, Claimed
from chat_api.redis_calls import ask, run
from chat_api.session_claims import (
    ERASED_KEPT_S,
    SESSION_KEPT_S,
    Bid,
    SessionOfAnother,
    erased_name,
    is_eraser,
)

# A session is one hash: `owner`, `holder`, `until` (Unix s), for each job `job:{id}` = `{Unix s}:{key}`,
# and for each one that was rated `rated:{id}`.
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
-- A question may add one field or two.
if fields > 300 and fields % 50 < 2 then
  local all = redis.call('HGETALL', KEYS[1])
  for i = 1, #all, 2 do
    local came = tonumber(string.match(all[i + 1], '^(%d+):'))
    if string.sub(all[i], 1, 4) == 'job:' and came < now - ARGV[6] then
      redis.call('HDEL', KEYS[1], all[i], 'rated:' .. string.sub(all[i], 5))
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
# KEYS: session  ARGV: job
_CLAIM_RATING = """
if redis.call('HEXISTS', KEYS[1], 'job:' .. ARGV[1]) == 0 then return 1 end
return redis.call('HSETNX', KEYS[1], 'rated:' .. ARGV[1], '')
"""

REPLY_TIMEOUT_S = 5.0


class RedisClaims:
    """Claims in Redis, over one connection; every call may raise LogUnavailable."""

    def __init__(self, url: str) -> None:
        self.link = RedisLink(url, name="claims", reply_timeout_s=REPLY_TIMEOUT_S)
        """For whatever else a request needs of Redis, so that it leaves in the same writes."""

    async def claim_key(self, key: str, fingerprint: str) -> Claimed | None:
        value = orjson.dumps({"fingerprint": fingerprint, "answer": None})
        taken = await ask(self.link, "SET", f"chat:idem:{key}", value, "NX", "GET", "EX", PENDING_S)
        return Claimed(**orjson.loads(taken)) if taken else None

    async def answer_key(self, key: str, fingerprint: str, answer: str, ttl_s: int) -> None:
        value = orjson.dumps({"fingerprint": fingerprint, "answer": answer})
        await ask(self.link, "SET", f"chat:idem:{key}", value, "EX", ttl_s)

    async def free_key(self, key: str) -> None:
        await ask(self.link, "DEL", f"chat:idem:{key}")

    async def take_session(self, bid: Bid, instead_of: str | None) -> str | None:
        arguments = (bid.owner, bid.job_id, instead_of or "", bid.key, bid.hold_s, SESSION_KEPT_S)
        reply = await run(self.link, _TAKE_SESSION, (_session(bid.session_id),), *arguments)
        if reply[0] == b"another":
            raise SessionOfAnother
        return reply[1].decode() if reply[0] == b"held" else None

    async def free_session(self, session_id: str, job_id: str) -> None:
        await run(self.link, _FREE_SESSION, (_session(session_id),), job_id)

    async def session_owner(self, session_id: str) -> str | None:
        owner = await ask(self.link, "HGET", _session(session_id), "owner")
        return None if owner is None else owner.decode()

    async def session_holder(self, session_id: str) -> str | None:
        holder = await ask(self.link, "HGET", _session(session_id), "holder")
        return None if holder is None else holder.decode()

    async def session_jobs(self, session_id: str) -> dict[str, str]:
        flat: list[bytes] = await ask(self.link, "HGETALL", _session(session_id))
        jobs = {
            name.decode().removeprefix("job:"): value.decode().partition(":")[2]
            for name, value in zip(flat[::2], flat[1::2], strict=True)
            if name.startswith(b"job:")
        }
        return {name: key for name, key in jobs.items() if not is_eraser(name)}

    async def claim_rating(self, session_id: str, job_id: str) -> bool:
        return bool(await run(self.link, _CLAIM_RATING, (_session(session_id),), job_id))

    async def forget_session(self, session_id: str, owner: str) -> None:
        await ask(self.link, "SET", _erased(session_id, owner), 1, "EX", ERASED_KEPT_S)
        await ask(self.link, "DEL", _session(session_id))

    async def was_erased(self, session_id: str, owner: str) -> bool:
        return bool(await ask(self.link, "EXISTS", _erased(session_id, owner)))

    async def close(self) -> None:
        await self.link.close()


def _session(session_id: str) -> str:
    return f"chat:session:{session_id}:claim"


def _erased(session_id: str, owner: str) -> str:
    return f"chat:erased:{erased_name(session_id, owner)}"
