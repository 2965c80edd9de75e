"""Which schema a database has; needs no alembic."""

from sqlalchemy import Connection, inspect, text

from eco2_history.schema import HEAD, VERSION_TABLE


def is_current(connection: Connection) -> bool:
    """True when the database has what this version needs; a newer one has."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return False
    found = connection.scalar(text(f"SELECT max(version_num) FROM {VERSION_TABLE}"))
    return found is not None and found >= HEAD
