"""What a node has brought is not asked for again, whatever ends the attempt: each call is counted."""

import asyncio
from collections import Counter

import pytest
from chat_worker.agents import AGENTS, Agent
from chat_worker.domain import Finding, Turn
from chat_worker.ports import Tools
from eco2_bus.pictures import MemoryPictures

from tests.worker.fakes import answer_to, findings_in, passage
from tests.worker.fakes_vendors import FakeImages, FakeVision, tools
from tests.worker.test_session_memory import SpyStore
from tests.worker.world import World, until

QUESTION = "페트병이랑 캐릭터는?"
WISHES = [("waste", "페트병은?"), ("character", "플라스틱 캐릭터는?")]


# `agents` comes before `world` in every test: a graph is built of the agents that there are.
class Agents:
    """Two agents: a quick one, and one that does in its first run as a test tells it."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.calls: Counter[str] = Counter()
        self.quick_is_done = asyncio.Event()
        self.first_run_fails = False
        self.first_run_hangs = False
        self.hangs = asyncio.Event()
        patch.setitem(AGENTS, "waste_rag", Agent(self.quick, 5, 1, "quick"))
        patch.setitem(AGENTS, "character", Agent(self.slow, 30, 1, "slow"))

    async def quick(self, turn: Turn, _tools: Tools) -> Finding:
        self.calls["quick"] += 1
        self.quick_is_done.set()
        return self._found("waste_rag", turn)

    async def slow(self, turn: Turn, _tools: Tools) -> Finding:
        self.calls["slow"] += 1
        if self.calls["slow"] > 1:
            return self._found("character", turn)
        await self.quick_is_done.wait()
        await asyncio.sleep(0.02)
        if self.first_run_hangs:
            self.hangs.set()
            await asyncio.Event().wait()
        if self.first_run_fails:
            raise KeyError("a bug")
        return self._found("character", turn)

    def _found(self, agent: str, turn: Turn) -> Finding:
        return Finding(agent=agent, status="ok", passages=[passage(turn.question, agent)], note="")


@pytest.fixture
def agents(monkeypatch: pytest.MonkeyPatch) -> Agents:
    return Agents(monkeypatch)


def findings(world: World) -> list[str]:
    return sorted(finding["agent"] for finding in findings_in(world.model.prompts[-1]))


async def test_an_attempt_that_fails_in_one_agent_does_not_call_the_other_again(
    agents: Agents, world: World, quick_retries: None
) -> None:
    agents.first_run_fails = True
    world.model.intents[QUESTION] = WISHES
    story = await world.answer(QUESTION)
    assert (story.text, story.ended["attempts"]) == (answer_to(QUESTION), 2)
    assert agents.calls == {"quick": 1, "slow": 2}
    assert len(world.model.asked) == 1
    assert findings(world) == ["character", "waste_rag"]
    assert story.ended["intents"] == ["waste", "character"]
    assert story.ended["usage"]["input_tokens"] == 300


async def test_a_worker_that_is_killed_between_two_nodes_leaves_the_finished_one_to_the_next(
    agents: Agents,
) -> None:
    agents.first_run_hangs = True
    async with World(save_after_s=0.01) as killed:
        killed.model.intents[QUESTION] = WISHES
        job_id = await killed.ask(QUESTION)
        await agents.hangs.wait()
        await until(lambda: "페트병은?: waste_rag".encode() in _writes(killed))
        # As good as dead: it takes nothing, and what it holds goes to somebody else.
        await killed.stop_consuming()
        killed.queue.take_back_all()
        async with World(beside=killed) as other:
            story = await other.story(job_id)
            await other.settled()
    assert (story.text, story.ended["attempts"]) == (answer_to(QUESTION), 2)
    assert story.all("reset") == [{"attempt": 2, "reason": "worker_lost"}]
    assert agents.calls == {"quick": 1, "slow": 2}
    assert (len(killed.model.asked), len(other.model.asked)) == (1, 0)
    assert findings(other) == ["character", "waste_rag"]
    assert story.ended["intents"] == ["waste", "character"]


async def test_a_worker_that_leaves_saves_what_it_has_however_quick_it_was(agents: Agents) -> None:
    agents.first_run_hangs = True
    async with World(save_after_s=60) as leaving:
        leaving.model.intents[QUESTION] = WISHES
        job_id = await leaving.ask(QUESTION)
        await agents.hangs.wait()
        await leaving.leave(0)
        async with World(beside=leaving) as other:
            story = await other.story(job_id)
    assert story.all("reset") == [{"attempt": 2, "reason": "handed_back"}]
    assert agents.calls == {"quick": 1, "slow": 2}
    assert other.model.asked == []


async def test_what_cannot_be_saved_for_the_next_attempt_is_told(
    agents: Agents, quick_retries: None, caplog: pytest.LogCaptureFixture
) -> None:
    agents.first_run_fails = True
    store = SpyStore()
    store.faults = [ConnectionError("where it is: secret")]
    async with World(store=store, save_after_s=60) as world:
        world.model.intents[QUESTION] = WISHES
        assert (await world.answer(QUESTION)).text == answer_to(QUESTION)
    assert "what was found is not saved for the next attempt: ConnectionError" in caplog.text
    assert "secret" not in caplog.text
    assert agents.calls == {"quick": 2, "slow": 2}


async def test_an_answer_that_breaks_off_is_the_only_thing_that_is_done_again(
    agents: Agents, world: World, quick_retries: None
) -> None:
    world.model.intents[QUESTION] = WISHES
    world.model.faults = [ConnectionError("cut"), ConnectionError("cut")]
    story = await world.answer(QUESTION)
    assert (story.text, story.ended["attempts"]) == (answer_to(QUESTION), 3)
    assert agents.calls == {"quick": 1, "slow": 1}
    assert (len(world.model.asked), len(world.model.prompts)) == (1, 3)
    assert len(story.ended["sources"]) == 2


async def test_a_picture_is_looked_at_once_however_often_the_answer_fails(quick_retries: None) -> None:
    seer = FakeVision()
    async with World(tools=tools(vision=seer)) as world:
        world.model.faults = [ConnectionError("cut")]
        story = await world.answer("이거?", image_url="https://pictures.example/1.png")
    assert (story.end, story.ended["attempts"], len(seer.looked_at)) == ("done", 2, 1)
    assert story.ended["usage"]["input_tokens"] == 900 + 100 + 200


def that_draws() -> tuple[FakeImages, Tools]:
    images = FakeImages()
    return images, tools(images=images, pictures=MemoryPictures())


async def test_a_drawn_picture_is_shown_once_in_every_attempt_and_drawn_once(quick_retries: None) -> None:
    images, able = that_draws()
    async with World(tools=able) as world:
        world.model.intents[QUESTION] = [("image_generation", QUESTION), ("waste", "페트병은?")]
        world.model.faults = [ConnectionError("cut"), ConnectionError("cut")]
        story = await world.answer(QUESTION)
    assert (story.text, story.ended["attempts"], len(images.asked)) == (answer_to(QUESTION), 3, 1)
    # Viewers throw a picture away at a `reset`, as they do the text.
    attempts = [entry.id.attempt for entry in story.entries if entry.event == "image"]
    assert attempts == [1, 2, 3]
    assert len({shown["url"] for shown in story.all("image")}) == 1


async def test_a_picture_drawn_by_a_worker_that_left_is_shown_again() -> None:
    images, able = that_draws()
    async with World(tools=able) as leaving:
        leaving.model.intents[QUESTION] = [("image_generation", QUESTION)]
        leaving.model.hold_after = 2
        job_id = await leaving.ask(QUESTION)
        await leaving.model.held.wait()
        await leaving.leave(0)
        async with World(beside=leaving, tools=able) as other:
            story = await other.story(job_id)
    after = story.names[story.names.index("reset") :]
    assert after.count("image") == 1
    assert after.index("image") < after.index("token")
    assert len(images.asked) == 1


async def test_a_job_that_is_run_again_after_another_of_its_session_begins_anew(
    agents: Agents, world: World
) -> None:
    world.model.intents[QUESTION] = WISHES
    agents.first_run_hangs = True
    job_id = await world.ask(QUESTION)
    await agents.hangs.wait()
    await world.leave(0)
    async with World(beside=world) as other:
        await other.story(job_id)
        other.model.intents[QUESTION] = WISHES
        story = await other.answer(QUESTION)
    assert agents.calls == {"quick": 2, "slow": 3}
    assert len(story.ended["sources"]) == 2


def _writes(world: World) -> bytes:
    """What finished tasks have left in the store."""
    return b"".join(
        repr(value).encode().decode("unicode_escape").encode("latin-1", "ignore")
        for writes in world.store.writes.values()
        for value in writes.values()
    )
