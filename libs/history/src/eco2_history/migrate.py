"""Brings a database to the newest schema, once however many processes ask for it."""

from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, create_engine
from sqlalchemy.pool import NullPool

from eco2_history.address import Address, Kind
from eco2_history.version import is_current

LOCK_WAIT_S = 30
_LOCK = 0x65636F32
"""Any number; all processes of this product must use the same."""


def upgrade(address: Address) -> None:
    """Runs the migrations that are missing, all or none."""
    address.make_folder()
    # Without the driver's own transactions SQLite lets the lock come before the first look.
    options: dict[str, Any] = {"timeout": LOCK_WAIT_S, "isolation_level": None}
    if address.kind is Kind.POSTGRESQL:
        options = {"connect_timeout": LOCK_WAIT_S}
    engine = create_engine(address.url, poolclass=NullPool, hide_parameters=True, connect_args=options)
    try:
        with engine.connect() as connection:
            _lock(connection, address.kind)
            if not is_current(connection):
                command.upgrade(_config(connection), "head")
            connection.commit()
    finally:
        engine.dispose()


def _lock(connection: Connection, kind: Kind) -> None:
    if kind is Kind.POSTGRESQL:
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{LOCK_WAIT_S}s'")
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
    else:
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    return config
