"""When a turn is saved, and that nothing is lost, doubled or mixed by saving late."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from chat_worker.adapters.session_memory import SessionMemory
from eco2_bus.log import Fenced
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import Checkpoint, empty_checkpoint
from langgraph.checkpoint.memory import InMemorySaver

from tests.worker.fakes import answer_to
from tests.worker.world import World, until

QUESTION = "페트병은?"


class SpyStore(InMemorySaver):
    """Notes what is saved; can fail, and can take its time."""

    def __init__(self) -> None:
        super().__init__()
        self.saved: list[str] = []
        self.written: list[str] = []
        self.faults: list[Exception] = []
        self.may_save = asyncio.Event()
        self.may_save.set()
        self.saving = asyncio.Event()

    async def aput(self, config: RunnableConfig, *saved: Any) -> RunnableConfig:
        await self._wait()
        self.saved.append(saved[0]["id"])
        return await super().aput(config, *saved)

    async def aput_writes(
        self, config: RunnableConfig, writes: Any, task_id: str, task_path: str = ""
    ) -> None:
        await self._wait()
        self.written.append(task_id)
        await super().aput_writes(config, writes, task_id, task_path)

    async def _wait(self) -> None:
        self.saving.set()
        await self.may_save.wait()
        self.saving.clear()
        if self.faults:
            raise self.faults.pop(0)


def place(session: str, checkpoint: str | None = None) -> RunnableConfig:
    where: dict[str, Any] = {"thread_id": session, "checkpoint_ns": ""}
    return {"configurable": {**where, "checkpoint_id": checkpoint} if checkpoint else where}


class Steps:
    """The steps of one session's turn, as LangGraph saves them."""

    def __init__(self, memory: SessionMemory, session: str = "s1") -> None:
        self.memory = memory
        self.session = session
        self.config = place(session)
        self.versions: dict[str, Any] = {}
        self.values: dict[str, Any] = {}

    async def step(self, **values: Any) -> str:
        """A step that has changed these channels; gives the checkpoint's id."""
        changed = {name: f"{len(self.versions) + 1:032}.{name}" for name in values}
        self.values |= values
        self.versions |= changed
        checkpoint: Checkpoint = {
            **empty_checkpoint(),
            "channel_values": dict(self.values),
            "channel_versions": dict(self.versions),
        }
        metadata: Any = {"source": "loop", "step": 1, "parents": {}}
        self.config = await self.memory.aput(self.config, checkpoint, metadata, changed)
        return checkpoint["id"]

    async def finish(self, task: str) -> None:
        """A task of the step under way has finished."""
        await self.memory.aput_writes(self.config, [("findings", task)], task)


async def owned() -> None:
    """The fence of a run that owns its job."""


async def overtaken() -> None:
    raise Fenced("the log is at 2-1")


def opened(fence: Callable[[], Awaitable[None]] = owned, delay_s: float = 60) -> tuple[SpyStore, Steps]:
    """A turn that has begun, and the store below its memory."""
    store = SpyStore()
    memory = SessionMemory(store, delay_s=delay_s)
    memory.begin("s1", fence)
    return store, Steps(memory)


async def values(store: SpyStore, session: str = "s1") -> dict[str, Any]:
    found = await store.aget_tuple(place(session))
    assert found is not None
    return found.checkpoint["channel_values"]


async def finished(store: SpyStore, session: str = "s1") -> list[str]:
    """The tasks whose results the newest checkpoint has beside it."""
    found = await store.aget_tuple(place(session))
    assert found is not None
    return [task for task, _, _ in found.pending_writes or []]


async def test_a_quick_turn_is_saved_once_at_its_end() -> None:
    store = SpyStore()
    async with World(store=store, save_after_s=60) as world:
        story = await world.answer(QUESTION)
        await world.answer("캔은?", session="s2")
    assert story.text == answer_to(QUESTION)
    assert (len(store.saved), store.written) == (2, [])


async def test_a_slow_turn_is_saved_while_it_runs() -> None:
    store = SpyStore()
    async with World(store=store, save_after_s=0.02) as world:
        world.model.hold_after = 2
        job_id = await world.ask(QUESTION)
        await world.model.held.wait()
        # A machine that is slow enough has a step before that one saved as well.
        await until(lambda: (store.get(place("s1")) or empty_checkpoint())["channel_values"].get("findings"))
        assert (await values(store))["findings"][0]["agent"] == "waste_rag"
        world.model.go_on.set()
        await world.story(job_id)
        await world.settled()
    assert (await values(store))["history"][0]["answer"] == answer_to(QUESTION)


async def test_nothing_is_written_before_the_delay_and_all_of_it_after() -> None:
    store, turn = opened(delay_s=0.05)
    await turn.step(a=1)
    newest = await turn.step(b=2)
    await turn.finish("t1")
    assert (store.saved, store.written) == ([], [])
    await until(lambda: store.written)
    assert (store.saved, store.written) == ([newest], ["t1"])
    assert await values(store) == {"a": 1, "b": 2}


async def test_the_channels_of_a_checkpoint_that_is_skipped_are_saved_all_the_same() -> None:
    store, turn = opened()
    for step in range(5):
        await turn.step(**{f"channel{step}": step})
    await turn.memory.end("s1")
    assert len(store.saved) == 1
    assert await values(store) == {f"channel{step}": step for step in range(5)}


async def test_the_writes_of_a_checkpoint_that_is_replaced_are_not_saved() -> None:
    store, turn = opened()
    await turn.step(a=1)
    await turn.finish("old")
    await turn.step(b=2)
    await turn.finish("new")
    await turn.memory.end("s1")
    assert store.written == ["new"]
    assert await finished(store) == ["new"]


@pytest.mark.parametrize("delay_s", [0, 60])
async def test_nothing_is_written_by_a_run_that_was_overtaken(delay_s: float) -> None:
    fences: list[int] = []

    async def fence() -> None:
        fences.append(1)
        await overtaken()

    store, turn = opened(fence, delay_s=delay_s)
    await turn.step(a=1)
    await turn.finish("t1")
    if not delay_s:
        await until(lambda: fences)
    with pytest.raises(Fenced):
        await turn.memory.end("s1")
    assert (store.saved, store.written) == ([], [])


async def test_a_turn_without_anything_new_still_asks_whether_it_owns_its_job() -> None:
    _, turn = opened(overtaken)
    with pytest.raises(Fenced):
        await turn.memory.end("s1")


async def test_a_store_that_fails_once_costs_nothing_and_is_told(caplog: pytest.LogCaptureFixture) -> None:
    store, turn = opened(delay_s=0.01)
    store.faults = [ConnectionError("away")]
    await turn.step(a=1)
    await until(lambda: not store.faults)
    await turn.step(b=2)
    await turn.memory.end("s1")
    assert await values(store) == {"a": 1, "b": 2}
    assert "a session is not saved yet: ConnectionError" in caplog.text


async def test_a_store_that_fails_at_the_end_fails_the_attempt() -> None:
    store, turn = opened()
    store.faults = [ConnectionError("away")]
    await turn.step(a=1)
    with pytest.raises(ConnectionError):
        await turn.memory.end("s1")


async def test_a_write_that_fails_is_tried_again() -> None:
    store, turn = opened(delay_s=0.01)
    await turn.step(a=1)
    await until(lambda: store.saved)
    await until(lambda: turn.memory._turns["s1"].saving.done())  # type: ignore[union-attr]
    store.faults = [ConnectionError("away")]
    await turn.finish("t1")
    await until(lambda: not store.faults)
    await turn.memory.end("s1")
    assert await finished(store) == ["t1"]


async def test_a_turn_that_ends_during_a_save_is_saved_whole() -> None:
    store, turn = opened(delay_s=0)
    store.may_save.clear()
    await turn.step(a=1)
    await store.saving.wait()
    newest = await turn.step(b=2)
    ending = asyncio.create_task(turn.memory.end("s1"))
    await asyncio.sleep(0.01)
    store.may_save.set()
    await ending
    assert store.saved[-1] == newest
    assert await values(store) == {"a": 1, "b": 2}


async def test_a_checkpoint_that_comes_during_a_save_is_saved_by_it() -> None:
    store, turn = opened(delay_s=0)
    store.may_save.clear()
    await turn.step(a=1)
    await store.saving.wait()
    newest = await turn.step(b=2)
    await turn.finish("t1")
    store.may_save.set()
    await until(lambda: store.written)
    assert store.saved[-1] == newest
    assert await values(store) == {"a": 1, "b": 2}
    assert await finished(store) == ["t1"]


async def test_a_checkpoint_that_comes_during_a_save_is_written_only_if_the_job_is_still_ours() -> None:
    fences: list[int] = []

    async def overtaken_meanwhile() -> None:
        fences.append(1)
        if len(fences) > 1:
            await overtaken()

    store, turn = opened(overtaken_meanwhile, delay_s=0)
    store.may_save.clear()
    first = await turn.step(a=1)
    await store.saving.wait()
    # As after a pause of the whole process, while another one ran the job.
    await turn.step(b=2)
    store.may_save.set()
    await until(lambda: len(fences) > 1 and turn.memory._turns["s1"].saving.done())  # type: ignore[union-attr]
    assert store.saved == [first]


async def test_a_write_that_comes_during_the_save_of_an_older_one_is_not_taken_for_it() -> None:
    store, turn = opened(delay_s=0)
    await turn.step(a=1)
    await until(lambda: store.saved)
    store.may_save.clear()
    await turn.finish("old")
    await store.saving.wait()
    await turn.step(b=2)
    await turn.finish("new")
    store.may_save.set()
    await until(lambda: turn.memory._turns["s1"].saving.done())  # type: ignore[union-attr]
    await turn.memory.end("s1")
    assert await values(store) == {"a": 1, "b": 2}
    assert await finished(store) == ["new"]


async def test_whoever_reads_in_mid_turn_reads_what_was_written() -> None:
    store, turn = opened()
    await turn.step(a=1)
    found = await turn.memory.aget_tuple(place("s1"))
    assert found is not None
    assert found.checkpoint["channel_values"] == {"a": 1}
    assert len(store.saved) == 1


async def test_two_sessions_do_not_mix() -> None:
    store, mine = opened()
    mine.memory.begin("s2", overtaken)
    yours = Steps(mine.memory, "s2")
    await mine.step(whose="mine")
    await yours.step(whose="yours")
    await mine.memory.end("s1")
    assert await values(store) == {"whose": "mine"}
    assert await store.aget_tuple(place("s2")) is None
    with pytest.raises(Fenced):
        await mine.memory.end("s2")
    assert len(store.saved) == 1


async def test_a_turn_that_is_forgotten_is_not_saved() -> None:
    store, turn = opened(delay_s=0.01)
    await turn.step(a=1)
    turn.memory.forget("s1")
    await asyncio.sleep(0.03)
    await turn.memory.end("s1")
    assert (store.saved, turn.memory._turns) == ([], {})


async def test_forgetting_or_ending_what_never_began_is_nothing() -> None:
    store, turn = opened()
    turn.memory.forget("s2")
    await turn.memory.end("s2")
    assert store.saved == []


async def test_outside_a_turn_everything_goes_straight_to_the_store() -> None:
    store = SpyStore()
    turn = Steps(SessionMemory(store))
    await turn.step(a=1)
    await turn.finish("t1")
    assert (len(store.saved), store.written) == (1, ["t1"])
    await turn.memory.adelete_thread("s1")
    assert [found async for found in turn.memory.alist(place("s1"))] == []


async def test_turns_that_have_ended_leave_nothing_behind(world: World) -> None:
    for number in range(20):
        await world.answer(f"{number}번은?", session=f"s{number}")
    await world.settled()
    assert world.memory._turns == {}
