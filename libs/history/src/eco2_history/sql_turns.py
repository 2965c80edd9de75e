"""Turns in SQL tables."""

import time
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import BigInteger, String, bindparam, delete, exists, select, text, tuple_
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from eco2_history.address import Address, Kind
from eco2_history.checkpoints import erase_checkpoints
from eco2_history.database import Database
from eco2_history.errors import UnknownCursor, UnknownSession
from eco2_history.rows import Row, from_row, job_hash
from eco2_history.schema import erased_jobs, turns
from eco2_history.turn import Page, Turn

REMEMBER_ERASED_MS = 48 * 3600 * 1000
"""Longer than a job can live: waiting and running together end within the expiry of its log."""

_INSERTS = {Kind.POSTGRESQL: postgresql.insert, Kind.SQLITE: sqlite.insert, Kind.MEMORY: sqlite.insert}


class SqlTurns:
    """The statements behind TurnStore; each method is one transaction."""

    def __init__(self, address: Address) -> None:
        self.database = Database(address)
        self._insert: Any = _INSERTS[address.kind]
        self._save = self._save_statement()

    async def save(self, rows: Sequence[Row]) -> None:
        """Writes turns; of two attempts at one job the later one stays."""
        async with self.database.begin() as connection:
            await connection.execute(self._save, rows)

    async def page(self, session_id: str, owner: str, before: str | None, limit: int) -> Page:
        """The newest turns, or the newest of those before the turn `before`."""
        mine = (turns.c.session_id == session_id) & (turns.c.owner == owner)
        place = tuple_(turns.c.created_at_ms, turns.c.job_id)
        wanted = select(turns).where(mine)
        async with self.database.begin() as connection:
            if before is not None:
                cursor = select(turns.c.created_at_ms).where(mine, turns.c.job_id == before)
                at_ms = await connection.scalar(cursor)
                if at_ms is None:
                    raise UnknownCursor
                wanted = wanted.where(place < tuple_(at_ms, before))
            newest = wanted.order_by(turns.c.created_at_ms.desc(), turns.c.job_id.desc()).limit(limit + 1)
            found = [from_row(row) for row in (await connection.execute(newest)).mappings()]
        shown = tuple(reversed(found[:limit]))
        return Page(shown, shown[0].job_id if len(found) > limit else None)

    async def find(self, job_id: str) -> Turn | None:
        """The turn of a job."""
        async with self.database.begin() as connection:
            found = await connection.execute(select(turns).where(turns.c.job_id == job_id))
            row = found.mappings().one_or_none()
        return None if row is None else from_row(row)

    async def owner_of(self, session_id: str) -> str | None:
        """Whose a session is."""
        async with self.database.begin() as connection:
            return await connection.scalar(
                select(turns.c.owner).where(turns.c.session_id == session_id).limit(1)
            )

    async def jobs_of(self, session_id: str, owner: str) -> list[str]:
        """The jobs of a session."""
        wanted = select(turns.c.job_id).where(turns.c.session_id == session_id, turns.c.owner == owner)
        async with self.database.begin() as connection:
            return list(await connection.scalars(wanted))

    async def erase(self, session_id: str, owner: str, jobs: Collection[str]) -> None:
        """Removes a session, and has no turn of it come back; raises UnknownSession for another's."""
        async with self.database.begin() as connection:
            if self.database.kind is Kind.POSTGRESQL:
                # Saves under way end first, and later ones see which jobs are erased.
                await connection.execute(text("LOCK TABLE turns IN SHARE ROW EXCLUSIVE MODE"))
            gone = await connection.execute(
                delete(turns).where(turns.c.session_id == session_id).returning(turns.c.job_id, turns.c.owner)
            )
            removed = gone.all()
            if any(row.owner != owner for row in removed):
                raise UnknownSession
            await self._remember_erased(connection, {*jobs, *(row.job_id for row in removed)})
            await erase_checkpoints(connection, session_id)
        await self.database.shrink()

    async def _remember_erased(self, connection: AsyncConnection, jobs: Collection[str]) -> None:
        now = _now_ms()
        await connection.execute(
            delete(erased_jobs).where(erased_jobs.c.erased_at_ms < now - REMEMBER_ERASED_MS)
        )
        if jobs:
            insert = self._insert(erased_jobs)
            marked = insert.on_conflict_do_update(
                index_elements=["job_hash"], set_={"erased_at_ms": insert.excluded.erased_at_ms}
            )
            marks = [{"job_hash": job_hash(job), "erased_at_ms": now} for job in jobs]
            await connection.execute(marked, marks)

    def _save_statement(self) -> Any:
        """Insert, or update if this attempt is not an earlier one, unless the job was erased."""
        is_erased = exists().where(
            erased_jobs.c.job_hash == bindparam("job_hash", type_=String),
            erased_jobs.c.erased_at_ms >= bindparam("created_at_ms", type_=BigInteger),
        )
        given = select(*(bindparam(column.name, type_=column.type) for column in turns.c)).where(~is_erased)
        insert = self._insert(turns).from_select(list(turns.c), given)
        changed = {column.name: insert.excluded[column.name] for column in turns.c if not column.primary_key}
        return insert.on_conflict_do_update(
            index_elements=["job_id"],
            set_=changed,
            where=insert.excluded.attempts >= turns.c.attempts,
        )


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
