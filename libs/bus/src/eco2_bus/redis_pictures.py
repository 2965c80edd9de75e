"""Pictures in Redis, over one connection."""

import asyncio
import time

from eco2_bus.pictures import KEPT_S, Picture, PictureGone, new_picture_id
from eco2_bus.resp import Argument, RedisLink, Reply


class RedisPictures:
    """The Pictures port: each picture a hash, and the ids of a session's pictures by their time of expiry."""

    def __init__(self, url: str, *, kept_s: int = KEPT_S, reply_timeout_s: float = 5.0) -> None:
        self._kept_s = kept_s
        # A connection of its own: megabytes would hold up whatever shares it.
        self._link = RedisLink(url, name="pictures", reply_timeout_s=reply_timeout_s)

    async def put(self, picture: Picture) -> str:
        picture_id = new_picture_id()
        picture_key, session_key = _picture_key(picture_id), _session_key(picture.session_id)
        now = int(time.time())
        await self._together(
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
        key = _picture_key(picture_id)
        session_id: bytes | None = await self._link.execute("HGET", key, "session_id")
        if session_id is not None:
            await self._together(("DEL", key), ("ZREM", _session_key(session_id.decode()), picture_id))

    async def erase(self, session_id: str) -> None:
        key = _session_key(session_id)
        ids: list[bytes] = await self._link.execute("ZRANGE", key, 0, -1)
        await self._link.execute("DEL", key, *(_picture_key(picture_id.decode()) for picture_id in ids))

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
