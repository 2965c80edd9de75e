"""What sessions remember, in PostgreSQL: the newest checkpoint of every thread."""

from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import ChannelVersions, Checkpoint, CheckpointMetadata
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver

_PRUNE_OLDER = (
    "DELETE FROM checkpoints WHERE thread_id = %s AND checkpoint_ns = %s AND checkpoint_id < %s",
    "DELETE FROM checkpoint_writes WHERE thread_id = %s AND checkpoint_ns = %s AND checkpoint_id < %s",
)
_PRUNE_BLOBS = (
    "DELETE FROM checkpoint_blobs b WHERE thread_id = %s AND checkpoint_ns = %s AND NOT EXISTS "
    "(SELECT 1 FROM unnest(%s::text[], %s::text[]) AS kept (channel, version) "
    "WHERE kept.channel = b.channel AND kept.version = b.version)"
)


class PostgresCheckpoints(AsyncPostgresSaver):
    """A checkpointer that drops what a newer checkpoint has replaced: no session grows by its turns."""

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
            await cursor.execute(_PRUNE_BLOBS, (*key, *kept))
        return saved
