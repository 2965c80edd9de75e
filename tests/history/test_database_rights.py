"""A PostgreSQL that takes no writes is unavailable: what it refuses then is no turn's fault."""

import asyncio
import contextlib
from collections.abc import Iterator

import pytest
from eco2_history import HistoryUnavailable, TurnStore

from tests.history.databases import PostgresDatabase, turn

ROLE = "turns_keeper"


@contextlib.contextmanager
def new_sessions_read_only(database: PostgresDatabase) -> Iterator[None]:
    """As on a server that a failover has demoted: what connects now can only read, whatever comes later."""
    with database.connect() as admin:
        admin.execute("ALTER DATABASE postgres SET default_transaction_read_only = on")
        try:
            yield
        finally:
            admin.execute("SET default_transaction_read_only = off")
            admin.execute("ALTER DATABASE postgres RESET default_transaction_read_only")


@pytest.fixture
def role_url(postgres_database: PostgresDatabase) -> Iterator[str]:
    """The database's URL for a role that owns nothing."""
    with postgres_database.connect() as admin:
        admin.execute(f"CREATE ROLE {ROLE} LOGIN")
        yield postgres_database.url.replace("postgres@", f"{ROLE}@")
        admin.execute(f"DROP OWNED BY {ROLE}")
        admin.execute(f"DROP ROLE {ROLE}")


async def prepared(database: PostgresDatabase) -> None:
    store = TurnStore(database.url, upgrades=True)
    await store.check()
    await store.close()


async def test_a_turn_is_saved_once_the_database_takes_writes_again(
    postgres_database: PostgresDatabase,
) -> None:
    await prepared(postgres_database)
    store, one = TurnStore(postgres_database.url), turn()
    with new_sessions_read_only(postgres_database):
        assert await store.answer_of(one.job_id) is None
        for call in (store.save(one), store.erase("s-1", "user-1"), store.check()):
            with pytest.raises(HistoryUnavailable) as told:
                await call
            assert told.value.__cause__ is None

    await store.save(one)
    assert await store.answer_of(one.job_id) == one
    await store.erase("s-1", "user-1")
    await store.check()
    await store.close()


@pytest.mark.parametrize("first", ["save", "erase", "check"])
async def test_connections_to_a_server_that_only_reads_are_left_at_once(
    postgres_database: PostgresDatabase, first: str
) -> None:
    await prepared(postgres_database)
    store = TurnStore(postgres_database.url)
    with new_sessions_read_only(postgres_database):
        # Several, as they all lead there.
        await asyncio.gather(*(store.answer_of(str(number)) for number in range(4)))
    calls = {"save": store.save(turn()), "erase": store.erase("s-1", "user-1"), "check": store.check()}
    with pytest.raises(HistoryUnavailable):
        await calls.pop(first)

    await asyncio.gather(*calls.values(), *(store.save(turn()) for _ in range(4)), store.check())
    await store.close()


async def test_an_upgrade_of_a_database_that_takes_no_writes_is_told(
    postgres_database: PostgresDatabase,
) -> None:
    store = TurnStore(postgres_database.url, upgrades=True)
    with new_sessions_read_only(postgres_database), pytest.raises(HistoryUnavailable):
        await store.check()
    await store.check()
    await store.close()


async def test_a_role_without_rights_loses_no_turn(
    postgres_database: PostgresDatabase, role_url: str
) -> None:
    await prepared(postgres_database)
    store, one = TurnStore(role_url), turn()
    with postgres_database.connect() as admin:
        for rights in (f"REVOKE ALL ON SCHEMA public FROM {ROLE}", f"GRANT USAGE ON SCHEMA public TO {ROLE}"):
            admin.execute(rights)
            for call in (store.check(), store.save(one)):
                with pytest.raises(HistoryUnavailable):
                    await call
        admin.execute(f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {ROLE}")
        await store.check()
        await store.save(one)

        admin.execute(f"REVOKE INSERT, UPDATE, DELETE ON turns FROM {ROLE}")
        for call in (store.check(), store.save(turn())):
            with pytest.raises(HistoryUnavailable):
                await call
        assert await store.answer_of(one.job_id) == one
    await store.close()
