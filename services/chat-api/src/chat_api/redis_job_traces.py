"""What Redis keeps of a job, removed."""

from collections.abc import Collection

from eco2_bus.redis_streams import log_key
from eco2_bus.resp import RedisLink

BATCH = 200


class RedisJobTraces:
    """The traces under the key names of RedisEventLog; connects at the first call."""

    def __init__(self, url: str) -> None:
        self._link = RedisLink(url, name="traces")

    async def erase(self, job_ids: Collection[str]) -> None:
        keys = [key for job_id in job_ids for key in _keys(job_id)]
        for first in range(0, len(keys), BATCH):
            await self._link.execute("DEL", *keys[first : first + BATCH])

    async def close(self) -> None:
        await self._link.close()


def _keys(job_id: str) -> tuple[str, ...]:
    return log_key(job_id), f"chat:{job_id}:answer", f"chat:{job_id}:cancel"
