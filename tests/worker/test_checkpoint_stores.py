"""What a session takes in each store, how another process goes on from it, and whether it keeps the rules."""

import re
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest
from chat_worker.adapters.session_memory import SessionMemory
from chat_worker.adapters.sqlite_checkpoints import SqliteCheckpoints
from chat_worker.bootstrap import open_checkpointer
from chat_worker.graph.state import ChatState
from eco2_devservers import PostgresServer
from langgraph.checkpoint.conformance import checkpointer_test, validate
from langgraph.checkpoint.conformance.report import CapabilityReport

from tests.worker.fakes import answer_to
from tests.worker.fakes_vendors import HOME, FakeWeather, tools
from tests.worker.test_session_memory import Steps, owned, place
from tests.worker.world import World, until

TURNS = 6
CHANNELS = len(ChatState.__annotations__) + 30
"""The state's, and those that LangGraph keeps for its nodes and edges."""


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgresServer]:
    with PostgresServer() as server:
        yield server


@dataclass
class Store:
    """A store that every call of `open` finds as the one before has left it."""

    url: str
    count: Callable[[str], dict[str, int]]
    stack: AsyncExitStack = field(default_factory=AsyncExitStack)
    kept: Any = None

    async def open(self) -> Any:
        if self.url == "memory:":
            self.kept = self.kept or await open_checkpointer(self.stack, self.url)
            return self.kept
        return await open_checkpointer(self.stack, self.url)


def _rows(execute: Callable[[str], int], tables: tuple[str, ...], session: str) -> dict[str, int]:
    return {table: execute(f"SELECT count(*) FROM {table} WHERE thread_id = '{session}'") for table in tables}


def in_sqlite(path: Path, session: str) -> dict[str, int]:
    with closing(sqlite3.connect(path)) as connection:
        return _rows(lambda sql: connection.execute(sql).fetchone()[0], ("checkpoints", "writes"), session)


def in_postgres(url: str, session: str) -> dict[str, int]:
    with psycopg.connect(url) as connection:

        def execute(sql: str) -> int:
            return connection.execute(sql).fetchone()[0]  # type: ignore[index,arg-type]

        tables = ("checkpoints", "checkpoint_writes", "checkpoint_blobs")
        return _rows(execute, tables, session)


@pytest.fixture(params=["memory", "sqlite", "postgres"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    made = Store("memory:", lambda _: {})
    if request.param == "sqlite":
        path = tmp_path / "eco2.sqlite"
        made = Store(f"sqlite:///{path}", lambda session: in_sqlite(path, session))
    elif request.param == "postgres":
        server: PostgresServer = request.getfixturevalue("postgres")
        made = Store(server.url, lambda session: in_postgres(server.url, session))
    async with made.stack:
        yield made


@pytest.mark.parametrize("save_after_s", [0, 60])
async def test_a_session_takes_one_row_however_many_turns_it_has(store: Store, save_after_s: float) -> None:
    session = f"long{save_after_s}"
    async with World(store=await store.open(), save_after_s=save_after_s) as world:
        for turn in range(TURNS):
            assert (await world.answer(f"{turn}번째?", session=session)).end == "done"
        await world.answer("다른 사람은?", session="other")
        await world.settled()
        saved = await world.memory.aget_tuple({"configurable": {"thread_id": session, "checkpoint_ns": ""}})
    assert saved is not None
    assert [turn["question"] for turn in saved.checkpoint["channel_values"]["history"]] == [
        f"{turn}번째?" for turn in range(TURNS)
    ]
    rows = store.count(session)
    if rows:
        assert rows.pop("checkpoints") == 1
        assert rows.pop("checkpoint_blobs", 0) <= CHANNELS
        assert rows.popitem()[1] == 0


async def test_a_job_that_waits_goes_on_in_another_process(store: Store) -> None:
    question = "날씨는?"
    async with World(store=await store.open(), tools=tools(weather=FakeWeather())) as first:
        first.model.intents[question] = [("weather", question)]
        job_id = await first.ask(question, session="waits")
        await first.input_wanted(job_id)
        await first.leave(1)
        second = World(beside=first, store=await store.open(), tools=tools(weather=FakeWeather()))
        async with second:
            await second.give(job_id, HOME)
            story = await second.story(job_id)
    assert (story.text, story.ended["attempts"]) == (answer_to(question), 2)
    assert second.tools.weather.asked == [HOME]  # type: ignore[union-attr]
    assert second.model.asked == []


async def test_an_attempt_that_was_handed_back_goes_on_in_another_process(store: Store) -> None:
    async with World(store=await store.open(), save_after_s=60) as first:
        first.model.hold_after = 2
        job_id = await first.ask("페트병은?", session="moves")
        await first.model.held.wait()
        await first.leave(0)
        second = World(beside=first, store=await store.open())
        async with second:
            story = await second.story(job_id)
    assert (story.text, story.ended["attempts"]) == (answer_to("페트병은?"), 2)
    assert (second.model.asked, second.guide.asked) == ([], [])
    assert len(story.ended["sources"]) == 2


async def test_a_worker_that_stood_still_before_a_save_does_not_write_over_its_successor_s_memory(
    store: Store,
) -> None:
    session, question = "frozen", "페트병은?"
    async with World(store=await store.open(), save_after_s=60) as frozen:
        await frozen.answer("캔은?", session=session)
        # One token, which is written at once: a write that came later would tell it everything.
        frozen.model.hold_after = 1
        job_id = await frozen.ask(question, session=session)
        await frozen.model.held.wait()
        await until(lambda: "token" in frozen.log.steps[frozen.log.steps.index("done") :])
        await frozen.stop_consuming()
        frozen.queue.take_back_all()
        async with World(beside=frozen, store=await store.open()) as other:
            await other.story(job_id)
            await other.settled()
            # Its timer rings at last, and it has nothing to say in the log.
            turn = frozen.memory._turns[session]
            frozen.memory._begin_to_save(turn)
            await until(lambda: not frozen.consumer._running)
            saved = await other.memory.aget_tuple(place(session))
    assert saved is not None
    history = saved.checkpoint["channel_values"]["history"]
    assert [turn["question"] for turn in history] == ["캔은?", question]
    assert (frozen.model.closed_early, saved.checkpoint["channel_values"].get("findings")) == (1, [])


async def test_an_older_checkpoint_that_comes_late_takes_nothing_from_the_newer_one(store: Store) -> None:
    late = Steps(SessionMemory(await store.open()), "late")
    await late.step(history=["both"], findings=[])
    late.memory.begin("late", owned)
    await late.step(findings=["of the older"])
    newer = Steps(SessionMemory(await store.open()), "late")
    newer.versions = {name: version for name, version in late.versions.items() if name == "history"}
    newest = await newer.step(history=["of the newer"], answer="there")
    await late.memory.end("late")
    saved = await newer.memory.aget_tuple(place("late"))
    assert saved is not None
    assert saved.checkpoint["id"] == newest
    assert saved.checkpoint["channel_values"] == {"history": ["of the newer"], "answer": "there"}


async def conformance(path: Path) -> CapabilityReport:
    @checkpointer_test(name="SqliteCheckpoints")
    async def fresh() -> AsyncIterator[SqliteCheckpoints]:
        saver = SqliteCheckpoints(path)
        yield saver
        await saver.close()

    return await validate(fresh)


NEED_A_HISTORY = {
    "put": {"test_put_multiple_checkpoints_same_thread", "test_put_incremental_channel_update"},
    "get_tuple": {"test_get_tuple_specific_checkpoint_id"},
    "list": {
        "test_list_all",
        "test_list_by_thread",
        "test_list_ordering",
        "test_list_metadata_filter_single_key",
        "test_list_metadata_filter_step",
        "test_list_metadata_custom_keys",
        "test_list_before",
        "test_list_limit",
        "test_list_limit_plus_before",
        "test_list_combined_thread_and_filter",
    },
}
"""Tests of LangGraph's suite that put several checkpoints and ask for an older one, which is pruned here."""


async def test_sqlite_keeps_langgraph_s_rules_but_for_the_history_that_it_prunes(tmp_path: Path) -> None:
    report = await conformance(tmp_path / "eco2.sqlite")
    failed = {
        name: {re.split(r"\W", failure, maxsplit=1)[0] for failure in result.failures}
        for name, result in report.results.items()
        if result.failures
    }
    assert failed == NEED_A_HISTORY
    passed = {name: result.tests_passed for name, result in report.results.items() if result.detected}
    assert passed == {"put": 15, "put_writes": 10, "get_tuple": 9, "list": 6, "delete_thread": 5}


async def test_the_pruned_checkpoint_is_the_older_one_and_the_newest_is_whole(tmp_path: Path) -> None:
    saver: Any = SqliteCheckpoints(tmp_path / "eco2.sqlite")
    turn = Steps(saver)
    first = await turn.step(a="v1", b="v2")
    await turn.finish("t1")
    newest = await turn.step(a="v1 updated")
    found = await saver.aget_tuple({"configurable": {"thread_id": "s1", "checkpoint_ns": ""}})
    older = await saver.aget_tuple(
        {"configurable": {"thread_id": "s1", "checkpoint_ns": "", "checkpoint_id": first}}
    )
    await saver.close()
    assert found is not None
    assert (found.checkpoint["id"], found.pending_writes) == (newest, [])
    assert found.checkpoint["channel_values"] == {"a": "v1 updated", "b": "v2"}
    assert older is None
