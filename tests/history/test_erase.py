"""Nothing of an erased session is left in any table, nor comes back."""

import asyncio
import sqlite3

import pytest
from eco2_history import TurnStore, UnknownSession
from langgraph.checkpoint.base import BaseCheckpointSaver, empty_checkpoint
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

from tests.history.databases import CANARY, PostgresDatabase, SqliteDatabase, new_id, turn


async def remember(saver: BaseCheckpointSaver[int], session_id: str, text: str) -> None:
    """A checkpoint with everything that a graph leaves."""
    config = {"configurable": {"thread_id": session_id, "checkpoint_ns": ""}}
    checkpoint = {
        **empty_checkpoint(),
        "channel_values": {"history": [text]},
        "channel_versions": {"history": 1},
    }
    config = await saver.aput(config, checkpoint, {"source": "loop", "step": 1}, {"history": 1})  # type: ignore[arg-type]
    await saver.aput_writes(config, [("findings", {"text": text})], "task-1")


async def fill(store: TurnStore, saver: BaseCheckpointSaver[int]) -> None:
    for number in range(3):
        await store.save(turn(session_id="s-gone", answer=CANARY, sources=({"title": CANARY},)))
        await store.save(turn(session_id="s-stays", question="남는 질문", answer=f"남는 답 {number}"))
    await remember(saver, "s-gone", CANARY)
    await remember(saver, "s-stays", "남는 기억")


async def test_turns_and_checkpoints_of_a_session_go_together_in_sqlite(
    sqlite_database: SqliteDatabase,
) -> None:
    store = TurnStore(sqlite_database.url)
    await store.check()
    async with AsyncSqliteSaver.from_conn_string(str(sqlite_database.path)) as saver:
        await fill(store, saver)
        jobs = await store.jobs_of("s-gone", "user-1")
        before = sqlite_database.everything()
        assert all(trace in before for trace in (CANARY, "s-gone", *jobs))

        await store.erase("s-gone", "user-1")

        after = sqlite_database.everything()
        assert not any(trace in after for trace in (CANARY, "s-gone", *jobs))
        assert len((await store.page("s-stays", "user-1")).turns) == 3
        assert await saver.aget_tuple({"configurable": {"thread_id": "s-stays"}}) is not None
    await store.close()


async def test_the_files_of_sqlite_do_not_keep_what_was_erased(sqlite_database: SqliteDatabase) -> None:
    store = TurnStore(sqlite_database.url)
    await asyncio.gather(*(store.save(turn(session_id="s-gone")) for _ in range(50)))
    await store.erase("s-gone", "user-1")

    for file in sqlite_database.path.parent.iterdir():
        assert CANARY.encode() not in file.read_bytes()
    await store.close()


async def test_turns_and_checkpoints_of_a_session_go_together_in_postgresql(
    postgres_database: PostgresDatabase,
) -> None:
    store = TurnStore(postgres_database.url, upgrades=True)
    await store.check()
    async with AsyncPostgresSaver.from_conn_string(postgres_database.url) as saver:
        await saver.setup()
        await fill(store, saver)
        jobs = await store.jobs_of("s-gone", "user-1")
        before = postgres_database.everything()
        assert all(trace in before for trace in ("s-gone", *jobs))

        await store.erase("s-gone", "user-1")

        after = postgres_database.everything()
        assert not any(trace in after for trace in (CANARY, "s-gone", *jobs))
        assert len((await store.page("s-stays", "user-1")).turns) == 3
        assert await saver.aget_tuple({"configurable": {"thread_id": "s-stays"}}) is not None
    await store.close()


async def test_a_session_without_checkpoints_is_erased_as_well(store: TurnStore) -> None:
    one = turn()
    await store.save(one)
    await store.erase("s-1", "user-1")
    await store.erase("s-1", "user-1")

    assert await store.answer_of(one.job_id) is None
    assert await store.owner_of("s-1") is None


async def test_a_session_of_somebody_else_is_not_erased(store: TurnStore) -> None:
    one = turn()
    await store.save(one)
    with pytest.raises(UnknownSession):
        await store.erase("s-1", "user-2")

    assert await store.answer_of(one.job_id) == one
    await store.save(one)
    assert await store.answer_of(one.job_id) == one


async def test_a_turn_that_a_late_worker_saves_does_not_come_back(store: TurnStore) -> None:
    saved, running = turn(), turn()
    await store.save(saved)
    await store.erase("s-1", "user-1", jobs=[running.job_id])

    await asyncio.gather(store.save(saved), store.save(running))
    assert (await store.page("s-1", "user-1")).turns == ()


async def test_a_session_can_begin_anew_after_it_was_erased(store: TurnStore) -> None:
    await store.save(turn())
    await store.erase("s-1", "user-1")
    new = turn(owner="user-2")
    await store.save(new)

    assert await store.owner_of("s-1") == "user-2"
    # Even under the id of an erased job, which a repeated Idempotency-Key brings.
    again = turn(created_at_ms=4_000_000_000_000)
    await store.erase("s-1", "user-2", jobs=[again.job_id])
    await store.save(again)
    assert await store.answer_of(again.job_id) == again


async def test_no_turn_survives_an_erase_that_comes_in_the_middle_of_saves(store: TurnStore) -> None:
    for _ in range(10):
        session_id = new_id()
        turns = [turn(session_id=session_id) for _ in range(20)]
        jobs = [one.job_id for one in turns]
        saves = asyncio.gather(*map(store.save, turns))
        await asyncio.gather(saves, store.erase(session_id, "user-1", jobs=jobs))
        assert (await store.page(session_id, "user-1")).turns == ()


async def test_another_table_of_the_same_name_is_left_alone(sqlite_database: SqliteDatabase) -> None:
    with sqlite_database.connect() as connection:
        connection.execute("CREATE TABLE writes (book TEXT)")
        connection.execute("INSERT INTO writes VALUES ('a')")
    store = TurnStore(sqlite_database.url)
    await store.erase("s-1", "user-1")

    with sqlite_database.connect() as connection:
        assert connection.execute("SELECT book FROM writes").fetchall() == [("a",)]
    await store.close()


async def test_a_writer_that_holds_sqlite_is_waited_for(sqlite_database: SqliteDatabase) -> None:
    store = TurnStore(sqlite_database.url)
    await store.check()
    one = turn()
    with sqlite_database.connect() as other:
        assert isinstance(other, sqlite3.Connection)
        other.execute("BEGIN IMMEDIATE")
        saving = asyncio.create_task(store.save(one))
        # Reading does not wait.
        assert await store.answer_of(one.job_id) is None
        assert not saving.done()
        other.execute("COMMIT")
    await saving
    assert await store.answer_of(one.job_id) == one
    await store.close()
