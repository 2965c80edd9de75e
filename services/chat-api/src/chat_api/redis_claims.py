"""Claims in Redis, shared by all replicas."""

import hashlib

import orjson
from eco2_bus.log import LogUnavailable
from eco2_bus.resp import Argument, RedisLink, RedisRefused, Reply

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


_SHA = {script: hashlib.sha1(script.encode()).hexdigest() for script in (_TAKE_SESSION, _FREE_SESSION)}

REPLY_TIMEOUT_S = 5.0


class RedisClaims:
    """Claims in Redis, over one connection; every call may raise LogUnavailable."""

    def __init__(self, url: str) -> None:
        self._link = RedisLink(url, name="claims", reply_timeout_s=REPLY_TIMEOUT_S)

    async def claim_key(self, key: str, fingerprint: str) -> Claimed | None:
        value = orjson.dumps({"fingerprint": fingerprint, "answer": None})
        taken = await self._ask("SET", f"chat:idem:{key}", value, "NX", "GET", "EX", PENDING_S)
        return Claimed(**orjson.loads(taken)) if taken else None

    async def answer_key(self, key: str, fingerprint: str, answer: str, ttl_s: int) -> None:
        value = orjson.dumps({"fingerprint": fingerprint, "answer": answer})
        await self._ask("SET", f"chat:idem:{key}", value, "EX", ttl_s)

    async def free_key(self, key: str) -> None:
        await self._ask("DEL", f"chat:idem:{key}")

    async def take_session(self, bid: Bid, instead_of: str | None) -> str | None:
        arguments = (bid.owner, bid.job_id, instead_of or "", bid.key, bid.hold_s, SESSION_KEPT_S)
        reply = await self._run(_TAKE_SESSION, _session(bid.session_id), *arguments)
        if reply[0] == b"another":
            raise SessionOfAnother
        return reply[1].decode() if reply[0] == b"held" else None

    async def free_session(self, session_id: str, job_id: str) -> None:
        await self._run(_FREE_SESSION, _session(session_id), job_id)

    async def session_owner(self, session_id: str) -> str | None:
        owner = await self._ask("HGET", _session(session_id), "owner")
        return None if owner is None else owner.decode()

    async def session_jobs(self, session_id: str) -> dict[str, str]:
        flat: list[bytes] = await self._ask("HGETALL", _session(session_id))
        return {
            name.decode().removeprefix("job:"): value.decode().partition(":")[2]
            for name, value in zip(flat[::2], flat[1::2], strict=True)
            if name.startswith(b"job:")
        }

    async def forget_session(self, session_id: str, owner: str) -> None:
        await self._ask("SET", _erased(session_id, owner), 1, "EX", ERASED_KEPT_S)
        await self._ask("DEL", _session(session_id))

    async def was_erased(self, session_id: str, owner: str) -> bool:
        return bool(await self._ask("EXISTS", _erased(session_id, owner)))

    async def close(self) -> None:
        await self._link.close()

    async def _run(self, script: str, key: str, *arguments: Argument) -> Reply:
        try:
            return await self._link.execute("EVALSHA", _SHA[script], 1, key, *arguments)
        except RedisRefused as error:
            if not str(error).startswith("NOSCRIPT"):
                raise LogUnavailable("Redis refused") from None
        # The first call to this server, or after its scripts were flushed; EVAL keeps the script.
        return await self._ask("EVAL", script, 1, key, *arguments)

    async def _ask(self, *command: Argument) -> Reply:
        try:
            return await self._link.execute(*command)
        except RedisRefused:
            raise LogUnavailable("Redis refused") from None


def _session(session_id: str) -> str:
    return f"chat:session:{session_id}:claim"


def _erased(session_id: str, owner: str) -> str:
    return f"chat:erased:{erased_name(session_id, owner)}"
