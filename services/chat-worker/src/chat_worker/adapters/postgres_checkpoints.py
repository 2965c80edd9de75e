"""What sessions remember, in PostgreSQL: the newest checkpoint of every thread."""

import asyncio
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import ChannelVersions, Checkpoint, CheckpointMetadata
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from psycopg import AsyncConnection

SETUP_WITHIN_S = 60.0
_LOCK = 0x65636F33
"""Any number that nothing else of this product uses."""

_PRUNE_OLDER = (
    "DELETE FROM checkpoints WHERE thread_id = %s AND checkpoint_ns = %s AND checkpoint_id < %s",
    "DELETE FROM checkpoint_writes WHERE thread_id = %s AND checkpoint_ns = %s AND checkpoint_id < %s",
)
_PRUNE_BLOBS = (
    "DELETE FROM checkpoint_blobs b WHERE thread_id = %s AND checkpoint_ns = %s AND NOT EXISTS "
    "(SELECT 1 FROM unnest(%s::text[], %s::text[]) AS kept (channel, version) "
    "WHERE kept.channel = b.channel AND kept.version = b.version) AND NOT EXISTS "
    # One that comes late, from a worker that stood still, must not take away what a newer one is made of.
    "(SELECT 1 FROM checkpoints newer WHERE newer.thread_id = b.thread_id "
    "AND newer.checkpoint_ns = b.checkpoint_ns AND newer.checkpoint_id > %s)"
)


class PostgresCheckpoints(AsyncPostgresSaver):
    """A checkpointer that drops what a newer checkpoint has replaced: no session grows by its turns."""

    async def setup_once(self, connection: AsyncConnection[Any]) -> None:
        """Makes the tables, one process after the other: at once, all but the first would fail.

        The lock is held by `connection`. Raises TimeoutError.
        """
        async with asyncio.timeout(SETUP_WITHIN_S):
            await _take_lock(connection)
            try:
                await self.setup()
            finally:
                await connection.execute("SELECT pg_advisory_unlock(%s)", (_LOCK,))

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        saved = await super().aput(config, checkpoint, metadata, new_versions)
        place: dict[str, Any] = config.get("configurable", {})
        key = (str(place["thread_id"]), str(place.get("checkpoint_ns", "")))
        versions = checkpoint["channel_versions"]
        async with self._cursor(pipeline=True) as cursor:
            for statement in _PRUNE_OLDER:
                await cursor.execute(statement, (*key, checkpoint["id"]))
            kept = ([*versions], [str(version) for version in versions.values()])
            await cursor.execute(_PRUNE_BLOBS, (*key, *kept, checkpoint["id"]))
        return saved


async def _take_lock(connection: AsyncConnection[Any]) -> None:
    # Asked for again and again: a statement that waits would hold up CREATE INDEX CONCURRENTLY.
    while True:
        asked = await connection.execute("SELECT pg_try_advisory_lock(%s) AS is_ours", (_LOCK,))
        row = await asked.fetchone()
        if row is not None and row["is_ours"]:
            return
        await asyncio.sleep(0.1)
