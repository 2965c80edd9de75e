"""Pictures in Redis, over one connection."""

import asyncio
import time

from eco2_bus.pictures import KEPT_S, MAX_BYTES, Picture, PictureGone, new_picture_id
from eco2_bus.resp import Argument, RedisLink, Reply

# A picture is a hash. Of all together, a sorted set has `{id}:{bytes}` by the microsecond of expiry, and a
# counter the sum of those bytes; of a session, a sorted set has the ids by the second of expiry.
_ALL = "chat:pictures"
_SUM = "chat:pictures:bytes"

_DROP = f"""
local function drop(id, size)
  local key = 'chat:picture:' .. id
  local session = redis.call('HGET', key, 'session_id')
  if session then redis.call('ZREM', 'chat:session:' .. session .. ':pictures', id) end
  redis.call('DEL', key)
  if redis.call('ZREM', '{_ALL}', id .. ':' .. size) == 1 then redis.call('DECRBY', '{_SUM}', size) end
  if redis.call('EXISTS', '{_ALL}') == 0 then redis.call('DEL', '{_SUM}') end
end
local function remove(id)
  drop(id, redis.call('HSTRLEN', 'chat:picture:' .. id, 'data'))
end
"""
# ARGV: id, size, at most, kept_s. The picture itself stays out of the script, which would copy it.
_MAKE_ROOM = (
    _DROP
    + f"""
local clock = redis.call('TIME')
local now, at_most = clock[1] * 1000000 + clock[2], ARGV[3] - ARGV[2]
while true do
  local first = redis.call('ZRANGE', '{_ALL}', 0, 0, 'WITHSCORES')
  if not first[1] then break end
  if tonumber(first[2]) > now and tonumber(redis.call('GET', '{_SUM}') or 0) <= at_most then break end
  drop(string.match(first[1], '^(%x+):(%d+)$'))
end
redis.call('ZADD', '{_ALL}', string.format('%.0f', now + ARGV[4] * 1000000), ARGV[1] .. ':' .. ARGV[2])
redis.call('INCRBY', '{_SUM}', ARGV[2])
redis.call('EXPIRE', '{_ALL}', ARGV[4])
redis.call('EXPIRE', '{_SUM}', ARGV[4])
"""
)
# ARGV: id
_REMOVE = _DROP + "remove(ARGV[1])"
# KEYS: pictures of a session
_ERASE = (
    _DROP
    + """
for _, id in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do remove(id) end
redis.call('DEL', KEYS[1])
"""
)


class RedisPictures:
    """The Pictures port; what makes room for a picture, and the picture, are one step."""

    def __init__(
        self, url: str, *, kept_s: int = KEPT_S, max_bytes: int = MAX_BYTES, reply_timeout_s: float = 5.0
    ) -> None:
        self._kept_s = kept_s
        self._max_bytes = max_bytes
        # A connection of its own: megabytes would hold up whatever shares it.
        self._link = RedisLink(url, name="pictures", reply_timeout_s=reply_timeout_s)

    async def put(self, picture: Picture) -> str:
        picture_id, size = new_picture_id(), len(picture.data)
        picture_key, session_key = _picture_key(picture_id), _session_key(picture.session_id)
        now = int(time.time())
        await self._together(
            ("EVAL", _MAKE_ROOM, 0, picture_id, size, self._max_bytes, self._kept_s),
            (
                "HSET",
                picture_key,
                "owner",
                picture.owner,
                "session_id",
                picture.session_id,
                "data",
                picture.data,
            ),
            ("EXPIRE", picture_key, self._kept_s),
            ("ZREMRANGEBYSCORE", session_key, "-inf", now),
            ("ZADD", session_key, now + self._kept_s, picture_id),
            ("EXPIRE", session_key, self._kept_s),
        )
        return picture_id

    async def get(self, picture_id: str) -> Picture:
        key = _picture_key(picture_id)
        owner, session_id, data = await self._link.execute("HMGET", key, "owner", "session_id", "data")
        if data is None:
            raise PictureGone(picture_id)
        return Picture(owner.decode(), session_id.decode(), data)

    async def remove(self, picture_id: str) -> None:
        await self._link.execute("EVAL", _REMOVE, 0, picture_id)

    async def erase(self, session_id: str) -> None:
        await self._link.execute("EVAL", _ERASE, 1, _session_key(session_id))

    async def close(self) -> None:
        await self._link.close()

    async def _together(self, *commands: tuple[Argument, ...]) -> Reply:
        """All or none; what is sent in one turn of the loop, nothing else comes between."""
        await self._link.execute("PING")
        replies = [self._link.send(*command) for command in (("MULTI",), *commands, ("EXEC",))]
        return (await asyncio.gather(*replies))[-1]


def _picture_key(picture_id: str) -> str:
    return f"chat:picture:{picture_id}"


def _session_key(session_id: str) -> str:
    return f"chat:session:{session_id}:pictures"
