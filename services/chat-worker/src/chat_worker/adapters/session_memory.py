"""When a turn's checkpoints are written: after a moment, at a wait, and at the end; never once overtaken.

LangGraph saves at every step. Most turns are over in less time than a save is worth, so the newest checkpoint
of a turn waits here. A turn that takes longer, because its agents call slow or paid services, has its
findings saved as they come, and a crash does not ask for them again.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    BaseCheckpointSaver,
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
)

_log = logging.getLogger(__name__)

DELAY_S = 0.4

Fence = Callable[[], Awaitable[None]]
"""Returns once the run is known to own its job; raises when it does not."""

_Newest = tuple[RunnableConfig, Checkpoint, CheckpointMetadata]
_Write = tuple[RunnableConfig, Sequence[tuple[str, Any]], str, str]


@dataclass
class _Unsaved:
    """The newest checkpoint of a turn and what its tasks have brought since; nothing when all is saved."""

    fence: Fence
    checkpoint: _Newest | None = None
    versions: ChannelVersions = field(default_factory=dict[str, str | int | float])
    writes: list[_Write] = field(default_factory=list[_Write])
    timer: asyncio.TimerHandle | None = None
    saving: asyncio.Task[None] | None = None
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class SessionMemory(BaseCheckpointSaver[Any]):
    """A checkpointer over another one, which writes less often."""

    def __init__(self, store: BaseCheckpointSaver[Any], *, delay_s: float = DELAY_S) -> None:
        super().__init__(serde=store.serde)
        self._store = store
        self._delay_s = delay_s
        self._turns: dict[str, _Unsaved] = {}
        # One of the busiest calls of the graph, which is the store's own matter.
        self.get_next_version = store.get_next_version

    def begin(self, session_id: str, fence: Fence) -> None:
        """A turn of the session begins; its writes wait from now on."""
        self._turns[session_id] = _Unsaved(fence)

    async def end(self, session_id: str) -> None:
        """Writes what is left of the turn; raises what the fence raises, and then nothing is written."""
        turn = self._turns.pop(session_id, None)
        if turn is not None:
            _stop_saving(turn)
            await self._save(turn)

    def forget(self, session_id: str) -> None:
        """The turn ends unsaved: its job is somebody else's."""
        turn = self._turns.pop(session_id, None)
        if turn is not None:
            _stop_saving(turn)

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        turn = self._turns.get(str(_place(config)["thread_id"]))
        if turn is not None and turn.checkpoint is not None:
            # Whoever reads in mid-turn reads what was written.
            await self._save(turn)
        return await self._store.aget_tuple(config)

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        place = _place(config)
        turn = self._turns.get(str(place["thread_id"]))
        if turn is None:
            return await self._store.aput(config, checkpoint, metadata, new_versions)
        turn.checkpoint = (config, checkpoint, metadata)
        # A store may keep channels apart from checkpoints: those of a checkpoint that is skipped still count.
        turn.versions = {**turn.versions, **new_versions}
        turn.writes.clear()
        self._save_later(turn)
        return {
            "configurable": {
                "thread_id": place["thread_id"],
                "checkpoint_ns": place.get("checkpoint_ns", ""),
                "checkpoint_id": checkpoint["id"],
            }
        }

    async def aput_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = ""
    ) -> None:
        turn = self._turns.get(str(_place(config)["thread_id"]))
        if turn is None:
            await self._store.aput_writes(config, writes, task_id, task_path)
            return
        turn.writes.append((config, writes, task_id, task_path))
        self._save_later(turn)

    async def adelete_thread(self, thread_id: str) -> None:
        await self._store.adelete_thread(thread_id)

    async def alist(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[CheckpointTuple]:
        async for found in self._store.alist(config, filter=filter, before=before, limit=limit):
            yield found

    def _save_later(self, turn: _Unsaved) -> None:
        # A timer, not a task: most turns are over before it rings.
        if turn.timer is None:
            turn.timer = asyncio.get_running_loop().call_later(self._delay_s, self._begin_to_save, turn)

    def _begin_to_save(self, turn: _Unsaved) -> None:
        turn.timer = None
        if turn.saving is None or turn.saving.done():
            turn.saving = asyncio.create_task(self._save_quietly(turn))

    async def _save_quietly(self, turn: _Unsaved) -> None:
        # A turn that is no longer ours ends by the fence that tells it; a store that is away is tried again
        # with the next step, and at the end, where it counts.
        try:
            await self._save(turn)
        except Exception as error:
            _log.warning("a session is not saved yet: %s", type(error).__name__)

    async def _save(self, turn: _Unsaved) -> None:
        async with turn.lock:
            await turn.fence()
            is_a_later_one = False
            # The graph goes on meanwhile: what it brings while this waits for the store is saved as well.
            while turn.checkpoint is not None or turn.writes:
                if turn.checkpoint is None:
                    await self._save_write(turn, turn.writes[0])
                    continue
                if is_a_later_one:
                    # The process may have stood still in the save before: this one is newer than anybody's.
                    await turn.fence()
                is_a_later_one = True
                await self._save_checkpoint(turn, turn.checkpoint)

    async def _save_checkpoint(self, turn: _Unsaved, newest: _Newest) -> None:
        versions, turn.versions = turn.versions, {}
        try:
            await self._store.aput(*newest, versions)
        except BaseException:
            turn.versions = {**versions, **turn.versions}
            raise
        if turn.checkpoint is newest:
            turn.checkpoint = None

    async def _save_write(self, turn: _Unsaved, write: _Write) -> None:
        await self._store.aput_writes(*write)
        # A newer checkpoint has done away with it otherwise.
        if turn.writes and turn.writes[0] is write:
            del turn.writes[0]


def _stop_saving(turn: _Unsaved) -> None:
    if turn.timer is not None:
        turn.timer.cancel()
    if turn.saving is not None:
        turn.saving.cancel()


def _place(config: RunnableConfig) -> dict[str, Any]:
    return config.get("configurable", {})
