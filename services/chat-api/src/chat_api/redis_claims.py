"""Claims in Redis, shared by all replicas."""

import json
from typing import Any

import redis.asyncio as redis
from eco2_bus.log import LogUnavailable
from redis.exceptions import RedisError

from chat_api.claims import PENDING_S, SESSION_HOLD_S, Claimed

_TAKE_SESSION = """
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[2] and holder ~= ARGV[1] then return holder end
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[3])
return false
"""
_FREE_SESSION = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"


class RedisClaims:
    """Claims in Redis, over a small fixed pool of connections."""

    def __init__(self, url: str, *, connections: int = 4) -> None:
        # redis-py leaves the options of from_url untyped.
        make_pool: Any = redis.BlockingConnectionPool
        pool = make_pool.from_url(
            url, max_connections=connections, timeout=2, socket_timeout=2, socket_connect_timeout=1
        )
        self._redis = redis.Redis.from_pool(pool)
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

    async def take_session(self, session_id: str, job_id: str, instead_of: str | None) -> str | None:
        arguments = [job_id, instead_of or "", SESSION_HOLD_S]
        holder: bytes | None = await _reach(self._take(keys=[f"chat:session:{session_id}"], args=arguments))
        return holder.decode() if holder else None

    async def free_session(self, session_id: str, job_id: str) -> None:
        await _reach(self._free(keys=[f"chat:session:{session_id}"], args=[job_id]))

    async def close(self) -> None:
        await self._redis.aclose()


async def _reach(call: Any) -> Any:
    try:
        return await call
    except (RedisError, OSError, TimeoutError) as error:
        raise LogUnavailable(type(error).__name__) from None
