"""The turns of all sessions, opened at the first call and written together."""

import asyncio
from collections.abc import Collection
from typing import TYPE_CHECKING, NamedTuple

from eco2_history.address import Address
from eco2_history.errors import HistoryUnavailable, TurnRefused
from eco2_history.rows import Row, to_row
from eco2_history.turn import Page, Turn

if TYPE_CHECKING:
    from eco2_history.sql_turns import SqlTurns

BATCH_MAX = 200
GATHER_S = 0.03
PAGE_MAX = 200


class _Saving(NamedTuple):
    row: Row
    saved: "asyncio.Future[None]"


class TurnStore:
    """Turns in SQLite or PostgreSQL; every method may raise HistoryUnavailable.

    Raises ValueError for a URL of another kind. `upgrades` allows it to change the schema of a PostgreSQL
    that is out of date; of its own file it always may.
    """

    def __init__(self, url: str, *, upgrades: bool = False) -> None:
        self._address = Address.parse(url)
        self._upgrades = upgrades
        self._sql: SqlTurns | None = None
        self._opening = asyncio.Lock()
        self._waiting: list[_Saving] = []
        self._saver: asyncio.Task[None] | None = None
        self._is_closed = False

    async def save(self, turn: Turn) -> None:
        """Returns once the turn is committed; the same job again replaces it unless by an earlier attempt.

        Raises TurnRefused. A turn of a job that was erased is dropped.
        """
        saving = _Saving(to_row(turn), asyncio.get_running_loop().create_future())
        self._waiting.append(saving)
        if self._saver is None or self._saver.done():
            self._saver = asyncio.create_task(self._save_waiting(), name="eco2_history:save")
        await saving.saved

    async def page(self, session_id: str, owner: str, *, before: str | None = None, limit: int = 20) -> Page:
        """The newest turns of a session, or those before a cursor; raises UnknownCursor."""
        return await (await self._open()).page(session_id, owner, before, max(1, min(limit, PAGE_MAX)))

    async def answer_of(self, job_id: str) -> Turn | None:
        """The turn of a job, or None when there is none."""
        return await (await self._open()).find(job_id)

    async def owner_of(self, session_id: str) -> str | None:
        """Whose a session is, or None when it has no turn."""
        return await (await self._open()).owner_of(session_id)

    async def jobs_of(self, session_id: str, owner: str) -> list[str]:
        """The jobs of all turns of a session."""
        return await (await self._open()).jobs_of(session_id, owner)

    async def erase(self, session_id: str, owner: str, *, jobs: Collection[str] = ()) -> None:
        """Removes turns and checkpoints of a session; raises UnknownSession for another's.

        A turn of its jobs, or of the others that are named, is dropped should it be saved later.
        """
        await (await self._open()).erase(session_id, owner, jobs)

    async def check(self) -> None:
        """Returns when the database answers and has the schema that this version needs."""
        await (await self._open()).database.check()

    async def close(self) -> None:
        """Ends what is being saved, and closes every connection."""
        self._is_closed = True
        if self._saver is not None:
            await asyncio.wait({self._saver})
        async with self._opening:
            sql, self._sql = self._sql, None
            if sql is not None:
                await sql.database.close()

    async def _open(self) -> "SqlTurns":
        if self._sql is None:
            async with self._opening:
                if self._is_closed:
                    raise HistoryUnavailable("closed")
                self._sql = self._sql or await self._opened()
        return self._sql

    async def _opened(self) -> "SqlTurns":
        # In a thread: the import of SQLAlchemy takes 0.3 s.
        sql = await asyncio.to_thread(_load, self._address)
        try:
            await sql.database.prepare(upgrades=self._upgrades)
        except BaseException:
            await sql.database.close()
            raise
        return sql

    async def _save_waiting(self) -> None:
        """One transaction at a time; what comes meanwhile rides in the next."""
        # Nobody waits for a turn to be listed, and a transaction costs as much for three as for one.
        await asyncio.sleep(GATHER_S)
        while self._waiting:
            batch, self._waiting = self._waiting[:BATCH_MAX], self._waiting[BATCH_MAX:]
            try:
                await self._save_together(batch)
            except Exception as error:
                _fail(batch, error)
            except BaseException:
                _fail([*batch, *self._waiting], HistoryUnavailable("the process is leaving"))
                raise

    async def _save_together(self, batch: list[_Saving]) -> None:
        sql = await self._open()
        try:
            await sql.save([saving.row for saving in batch])
        except TurnRefused:
            if len(batch) == 1:
                raise
            # One turn that is refused must not cost the others.
            for saving in batch:
                await self._save_alone(saving, sql)
        for saving in batch:
            if not saving.saved.done():
                saving.saved.set_result(None)

    async def _save_alone(self, saving: _Saving, sql: "SqlTurns") -> None:
        try:
            await sql.save([saving.row])
        except TurnRefused as error:
            _fail([saving], error)


def _fail(batch: list[_Saving], error: Exception) -> None:
    for saving in batch:
        if not saving.saved.done():
            saving.saved.set_exception(error)


def _load(address: Address) -> "SqlTurns":
    from eco2_history.sql_turns import SqlTurns

    return SqlTurns(address)
