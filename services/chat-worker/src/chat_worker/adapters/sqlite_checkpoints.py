"""What sessions remember, in an SQLite file: all running jobs share one thread and its commits."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import ChannelVersions, Checkpoint, CheckpointMetadata, CheckpointTuple
from langgraph.checkpoint.sqlite import SqliteSaver

BUSY_TIMEOUT_S = 5.0
_Call = tuple[Callable[[], Any], "asyncio.Future[Any]"]

_PRUNE_CHECKPOINTS = "DELETE FROM checkpoints WHERE thread_id = ? AND checkpoint_ns = ? AND checkpoint_id < ?"
_PRUNE_WRITES = "DELETE FROM writes WHERE thread_id = ? AND checkpoint_ns = ? AND checkpoint_id < ?"


class SqliteCheckpoints(SqliteSaver):
    """A checkpointer that keeps the newest checkpoint of every thread.

    AsyncSqliteSaver wakes its thread twelve times a job, which cost the worker 2 ms of CPU; here everything
    that is wanted while the thread is busy waits for its next turn and one commit (docs/decisions/0008).
    A confirmed save survives the death of the process; that of the machine may take the last moments along.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(path, check_same_thread=False, timeout=BUSY_TIMEOUT_S)
        super().__init__(connection)
        self.setup()
        connection.execute("PRAGMA synchronous = NORMAL")
        self._waiting: list[_Call] = []
        self._is_working = False
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="checkpoints")

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        return await self._do(partial(self.get_tuple, config))

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        return await self._do(partial(self._put_newest, config, checkpoint, metadata, new_versions))

    async def aput_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = ""
    ) -> None:
        await self._do(partial(self.put_writes, config, writes, task_id, task_path))

    async def adelete_thread(self, thread_id: str) -> None:
        await self._do(partial(self.delete_thread, thread_id))

    async def alist(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[CheckpointTuple]:
        found = partial(self.list, config, filter=filter, before=before, limit=limit)
        for item in await self._do(lambda: [*found()]):
            yield item

    async def close(self) -> None:
        """Does what is still waiting, and closes the file."""
        await self._do(lambda: None)
        self._thread.shutdown()
        self.conn.close()

    @contextmanager
    def cursor(self, transaction: bool = True) -> Generator[sqlite3.Cursor]:
        """One thread uses the connection, and `_work` commits."""
        cursor = self.conn.cursor()
        try:
            yield cursor
        finally:
            cursor.close()

    def _put_newest(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        saved = self.put(config, checkpoint, metadata, new_versions)
        place: dict[str, Any] = config.get("configurable", {})
        key = (str(place["thread_id"]), place["checkpoint_ns"], checkpoint["id"])
        with self.cursor() as cursor:
            cursor.execute(_PRUNE_CHECKPOINTS, key)
            cursor.execute(_PRUNE_WRITES, key)
        return saved

    def _do(self, call: Callable[[], Any]) -> "asyncio.Future[Any]":
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Any] = loop.create_future()
        self._waiting.append((call, done))
        if not self._is_working:
            self._is_working = True
            # Not before the loop's other callbacks of this turn have added what they want.
            loop.call_soon(self._hand_over, loop)
        return done

    def _hand_over(self, loop: asyncio.AbstractEventLoop) -> None:
        calls, self._waiting = self._waiting, []
        if not calls:
            self._is_working = False
            return
        work = self._thread.submit(self._work, [call for call, _ in calls])
        work.add_done_callback(
            lambda done: loop.call_soon_threadsafe(self._taken_back, loop, calls, done.result())
        )

    def _work(self, calls: list[Callable[[], Any]]) -> list[Any]:
        """Results or exceptions, in order; the exception of the commit is that of all."""
        results: list[Any] = []
        for call in calls:
            try:
                results.append(call())
            except Exception as error:
                results.append(error)
        try:
            self.conn.commit()
        except sqlite3.Error as error:
            self.conn.rollback()
            return [error] * len(calls)
        return results

    def _taken_back(self, loop: asyncio.AbstractEventLoop, calls: list[_Call], results: list[Any]) -> None:
        for (_, done), result in zip(calls, results, strict=True):
            if done.done():
                continue
            if isinstance(result, Exception):
                done.set_exception(result)
            else:
                done.set_result(result)
        self._hand_over(loop)
