"""The schema comes with the package, is made once, and costs nothing when it is there."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from eco2_history import HistoryUnavailable, SchemaOutOfDate, TurnStore, migrate
from eco2_history.address import Address
from eco2_history.schema import HEAD, VERSION_TABLE, metadata
from sqlalchemy import create_engine

from tests.history.databases import PostgresDatabase, SqliteDatabase, turn

OPEN = """
import asyncio, sys
from eco2_history import TurnStore
early = [name for name in ("sqlalchemy", "alembic") if name in sys.modules]
async def main():
    store = TurnStore(sys.argv[1], upgrades=True)
    await store.check()
    await store.close()
asyncio.run(main())
print(early, [name for name in ("sqlalchemy", "alembic") if name in sys.modules])
"""


def run(*arguments: str, url: str = "") -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "DATABASE_URL": url}
    command = [sys.executable, *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)


async def open_at_once(url: str, processes: int) -> list[str]:
    """The standard errors of processes that start together."""
    started = [
        await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", OPEN, url), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        for _ in range(processes)
    ]
    return [(await process.communicate())[1].decode() for process in started]


def differences(url: str) -> list[object]:
    """What the tables lack compared with the code."""
    engine = create_engine(url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
        found = compare_metadata(context, metadata)
    engine.dispose()
    return found


def test_the_code_names_the_newest_migration() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrate.__file__).parent / "migrations"))
    assert ScriptDirectory.from_config(config).get_current_head() == HEAD


def test_the_migrations_lead_to_the_schema_of_the_code(
    sqlite_database: SqliteDatabase, postgres_database: PostgresDatabase
) -> None:
    for database in (sqlite_database, postgres_database):
        address = Address.parse(database.url)
        migrate.upgrade(address)
        assert differences(address.url) == []


def test_nothing_heavy_is_imported_before_it_is_needed(sqlite_database: SqliteDatabase) -> None:
    first = run("-c", OPEN, sqlite_database.url)
    second = run("-c", OPEN, sqlite_database.url)

    assert (first.stdout.strip(), first.stderr) == ("[] ['sqlalchemy', 'alembic']", "")
    assert (second.stdout.strip(), second.stderr) == ("[] ['sqlalchemy']", "")


async def test_processes_that_start_together_make_one_sqlite_file(sqlite_database: SqliteDatabase) -> None:
    assert await open_at_once(sqlite_database.url, 4) == [""] * 4
    assert differences(f"sqlite:///{sqlite_database.path}") == []


async def test_processes_that_start_together_upgrade_one_postgresql(
    postgres_database: PostgresDatabase,
) -> None:
    assert await open_at_once(postgres_database.url, 4) == [""] * 4
    assert differences(Address.parse(postgres_database.url).url) == []


async def test_postgresql_is_changed_only_by_those_who_may(postgres_database: PostgresDatabase) -> None:
    store = TurnStore(postgres_database.url)
    with pytest.raises(SchemaOutOfDate):
        await store.save(turn())
    assert postgres_database.everything() == "[]"

    upgraded = run("-m", "eco2_history", "upgrade", url=postgres_database.url)
    assert (upgraded.returncode, upgraded.stderr) == (0, "")
    assert HEAD in upgraded.stdout
    again = run("-m", "eco2_history", "upgrade", url=postgres_database.url)
    assert again.returncode == 0

    one = turn()
    await store.save(one)
    assert await store.answer_of(one.job_id) == one
    await store.close()


async def test_a_database_of_a_newer_version_is_used_as_it_is(postgres_database: PostgresDatabase) -> None:
    migrate.upgrade(Address.parse(postgres_database.url))
    with postgres_database.connect() as connection:
        connection.execute(f"UPDATE {VERSION_TABLE} SET version_num = '9999'")
    store = TurnStore(postgres_database.url, upgrades=True)
    one = turn()
    await store.save(one)

    assert await store.answer_of(one.job_id) == one
    await store.close()


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("mysql://user:Secret7f3a@127.0.0.1/db", 2),
        ("postgresql://user:Secret7f3a@127.0.0.1:1/db", 1),
        ("", 2),
    ],
)
def test_an_upgrade_that_cannot_be_made_says_so_without_the_password(url: str, code: int) -> None:
    failed = run("-m", "eco2_history", "upgrade", url=url)

    assert failed.returncode == code
    assert failed.stderr.count("\n") == 1
    assert "Secret7f3a" not in failed.stderr


async def test_turns_last_longer_than_the_process_that_saved_them(sqlite_database: SqliteDatabase) -> None:
    one = turn()
    for store in (TurnStore(sqlite_database.url), TurnStore(sqlite_database.url)):
        await store.save(one)
        await store.close()

    reader = TurnStore(sqlite_database.url)
    assert await reader.answer_of(one.job_id) == one
    await reader.close()


async def test_where_no_file_can_be_made_the_turns_are_unavailable(tmp_path: Path) -> None:
    store = TurnStore(nowhere(tmp_path))
    with pytest.raises(HistoryUnavailable):
        await store.check()
    await store.close()


def test_an_upgrade_where_no_file_can_be_made_says_so(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "eco2_history", "upgrade"]
    env = {**os.environ, "DATABASE_URL": nowhere(tmp_path)}
    told = subprocess.run(command, env=env, capture_output=True, check=False)
    assert (told.returncode, b"Traceback" in told.stderr) == (1, False)


def nowhere(folder: Path) -> str:
    """A database below what is no folder."""
    (folder / "taken").write_text("no folder")
    return f"sqlite:///{folder}/taken/eco2.sqlite"
