"""Connections and transactions; the only place that knows SQLAlchemy's engine and its errors."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import ExceptionContext, event
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as NoConnectionFree
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from eco2_history.address import Address, Kind
from eco2_history.errors import HistoryUnavailable, SchemaOutOfDate, TurnRefused
from eco2_history.schema import metadata
from eco2_history.version import is_current

CONNECTIONS = 4
CONNECT_WAIT_S = 5
TRANSACTION_S = 15.0
"""Longer than SQLite waits for another writer."""
BUSY_WAIT_S = 10

_READ_ONLY = "25006"
"""PostgreSQL's SQLSTATE of a write to a server that takes none, such as one that a failover has demoted."""
_TAKES_WRITES = "SELECT FROM turns WHERE false FOR UPDATE"
"""Refused by a server that only reads, and to a role that may not write; waits for no writer."""


class Database:
    """One database of turns, whatever keeps it."""

    def __init__(self, address: Address) -> None:
        self.kind = address.kind
        self._address = address
        address.make_folder()
        self._engine = _engine(address)

    async def prepare(self, *, upgrades: bool) -> None:
        """Sees to the schema; raises SchemaOutOfDate where nobody allowed to change it."""
        async with self.begin() as connection:
            if self.kind is Kind.MEMORY:
                await connection.run_sync(metadata.create_all)
                return
            if await connection.run_sync(is_current):
                return
        if self.kind is Kind.POSTGRESQL and not upgrades:
            raise SchemaOutOfDate("the database needs `python -m eco2_history upgrade`")
        await asyncio.to_thread(_upgrade, self._address)

    @asynccontextmanager
    async def begin(self) -> AsyncGenerator[AsyncConnection]:
        """A transaction; raises HistoryUnavailable, or TurnRefused for what the database does not take."""
        try:
            async with asyncio.timeout(TRANSACTION_S), self._engine.begin() as connection:
                yield connection
        except (DataError, IntegrityError) as error:
            # Their texts hold statements, and may hold addresses.
            raise TurnRefused(_name(error)) from None
        except (DBAPIError, NoConnectionFree, OSError) as error:
            # The database's fault, and not the turn's: its rights and its role can change, too.
            raise HistoryUnavailable(_name(error)) from None

    async def check(self) -> None:
        """Returns when the database answers and, a PostgreSQL, takes writes."""
        async with self.begin() as connection:
            await connection.exec_driver_sql(_TAKES_WRITES if self.kind is Kind.POSTGRESQL else "SELECT 1")

    async def shrink(self) -> None:
        """Takes what was deleted out of SQLite's write-ahead log too, unless somebody still reads it."""
        if self.kind is Kind.SQLITE:
            async with self.begin() as connection:
                await connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")

    async def close(self) -> None:
        """Closes every connection."""
        await self._engine.dispose()


def _engine(address: Address) -> AsyncEngine:
    options: dict[str, Any] = {"hide_parameters": True, "poolclass": AsyncAdaptedQueuePool}
    options |= {"pool_size": CONNECTIONS, "max_overflow": 0, "pool_timeout": CONNECT_WAIT_S}
    if address.kind is Kind.POSTGRESQL:
        options |= {"pool_pre_ping": True, "connect_args": {"connect_timeout": CONNECT_WAIT_S}}
        engine = create_async_engine(address.async_url, **options)
        event.listen(engine.sync_engine, "handle_error", _leave_if_read_only)
        return engine
    if address.kind is Kind.MEMORY:
        # The database is the connection.
        options["pool_size"] = 1
    engine = create_async_engine(address.async_url, connect_args={"timeout": BUSY_WAIT_S}, **options)
    event.listen(engine.sync_engine, "connect", _set_up_sqlite)
    return engine


def _leave_if_read_only(context: ExceptionContext) -> None:
    # No connection of the pool is of use any more: the address leads to another server by now, or soon.
    if getattr(context.original_exception, "sqlstate", None) == _READ_ONLY:
        context.is_disconnect = True


def _set_up_sqlite(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    # What is deleted is overwritten; readers and the writer do not wait for each other.
    for pragma in ("secure_delete = ON", "journal_mode = WAL", "synchronous = NORMAL"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _upgrade(address: Address) -> None:
    # Imported here: alembic takes longer than to open a database that has the newest schema.
    from eco2_history.migrate import upgrade

    try:
        upgrade(address)
    except DBAPIError as error:
        raise HistoryUnavailable(_name(error)) from None


def _name(error: BaseException) -> str:
    return type(getattr(error, "orig", None) or error).__name__
