"""What the graph remembers of a session, where it lies in the same database."""

from sqlalchemy import Connection, inspect, text
from sqlalchemy.ext.asyncio import AsyncConnection

_TABLES = ("checkpoints", "writes", "checkpoint_writes", "checkpoint_blobs")
"""As LangGraph's savers name them, for SQLite and for PostgreSQL; each has a `thread_id`."""


async def erase_checkpoints(connection: AsyncConnection, session_id: str) -> None:
    """Removes the checkpoints of a session, whose id is the thread's."""
    for table in await connection.run_sync(_there):
        await connection.execute(
            text(f"DELETE FROM {table} WHERE thread_id = :session_id"), {"session_id": session_id}
        )


def _there(connection: Connection) -> list[str]:
    seen = inspect(connection)
    return [
        table
        for table in _TABLES
        if seen.has_table(table) and any(column["name"] == "thread_id" for column in seen.get_columns(table))
    ]
