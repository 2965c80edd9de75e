from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psycopg
import pytest
from eco2_devservers import PostgresServer
from eco2_history import TurnStore

from tests.history.databases import Database, MemoryDatabase, PostgresDatabase, SqliteDatabase


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    with PostgresServer() as server:
        yield server


@pytest.fixture
def postgres_database(postgres: PostgresServer) -> PostgresDatabase:
    """An empty PostgreSQL."""
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    return PostgresDatabase(postgres.url)


@pytest.fixture
def sqlite_database(tmp_path: Path) -> SqliteDatabase:
    return SqliteDatabase(tmp_path / "new" / "eco2.sqlite")


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Database:
    """Each of the three in turn, empty: all keep the same contract."""
    if request.param == "memory":
        return MemoryDatabase()
    return request.getfixturevalue("sqlite_database" if request.param == "sqlite" else "postgres_database")


@pytest.fixture
async def store(database: Database) -> AsyncIterator[TurnStore]:
    made = TurnStore(database.url, upgrades=True)
    yield made
    await made.close()
