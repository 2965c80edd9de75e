"""Cancelling a job wherever it is: one `cancelled`, with exactly the text that was shown."""

import asyncio
import random

import pytest
from chat_worker.agents import AGENTS, Agent
from chat_worker.domain import Finding, Turn
from chat_worker.errors import ModelUnavailable
from chat_worker.ports import Tools

from tests.worker.fakes import MODEL, answer_to
from tests.worker.world import World, until

QUESTION = "페트병은?"


async def test_a_job_cancelled_before_pick_up_is_never_begun() -> None:
    world = World()
    job_id = await world.ask(QUESTION)
    await world.cancel(job_id)
    async with world:
        await world.settled()
    story = await world.story(job_id)
    assert story.names == ["queued", "cancelled"]
    assert world.model.asked == []
    assert not world.queue.dead


async def test_a_wish_stored_before_pick_up_is_heeded_at_pick_up() -> None:
    world = World()
    job_id = await world.ask(QUESTION)
    await world.log.request_cancel(job_id)
    async with world:
        story = await world.story(job_id)
    assert (story.end, story.text) == ("cancelled", "")
    assert world.model.asked == []


async def test_a_job_cancelled_while_it_is_understood_stops_the_model(world: World) -> None:
    world.model.hold_understanding = True
    job_id = await world.ask(QUESTION)
    await world.model.held.wait()
    await world.cancel(job_id)
    story = await world.story(job_id)
    assert (story.end, story.text) == ("cancelled", "")
    assert world.model.closed_early == 1
    assert ("intent", "failed") in story.stages()


async def test_a_job_cancelled_in_an_agent_stops_the_agent(monkeypatch: pytest.MonkeyPatch) -> None:
    begun, stopped = asyncio.Event(), asyncio.Event()

    async def endless(_turn: Turn, _tools: Tools) -> Finding:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()
        raise AssertionError

    monkeypatch.setitem(AGENTS, "waste_rag", Agent(endless, 30, 1, ""))
    async with World() as world:
        job_id = await world.ask(QUESTION)
        await begun.wait()
        await world.cancel(job_id)
        story = await world.story(job_id)
    assert (story.end, stopped.is_set()) == ("cancelled", True)
    assert world.model.prompts == []


@pytest.mark.parametrize("pieces", [0, 1, 5])
async def test_a_job_cancelled_between_tokens_keeps_what_was_shown(world: World, pieces: int) -> None:
    world.model.hold_after = pieces
    job_id = await world.ask(QUESTION)
    await world.model.held.wait()
    await world.cancel(job_id)
    story = await world.story(job_id)
    await world.settled()
    assert story.end == "cancelled"
    assert story.text == story.ended["answer"] == answer_to(QUESTION)[: 3 * pieces]
    assert len(story.ended["sources"]) == 2
    usage = story.ended["usage"]
    assert (usage["input_tokens"], usage["output_tokens"]) == (100, 10 + pieces)
    assert (usage["model"], usage["estimated"]) == (MODEL, True)
    assert story.ended["intents"] == ["waste"]
    assert story.names[-2:] == ["usage", "cancelled"]
    assert world.model.closed_early == 1
    assert not world.queue.dead


async def test_cancelling_twice_ends_once(world: World) -> None:
    world.model.hold_after = 2
    job_id = await world.ask(QUESTION)
    await world.model.held.wait()
    await asyncio.gather(world.cancel(job_id), world.cancel(job_id))
    assert (await world.story(job_id)).names.count("cancelled") == 1


async def test_a_cancel_after_the_end_changes_nothing(world: World) -> None:
    job_id = await world.ask(QUESTION)
    story = await world.story(job_id)
    await world.cancel(job_id)
    await world.settled()
    assert await world.story(job_id) == story


async def test_a_cancel_between_two_attempts_ends_the_second(world: World) -> None:
    world.model.hold_after = 2
    world.model.faults = [ModelUnavailable("cut")]
    job_id = await world.ask(QUESTION)
    await world.model.held.wait()
    world.model.go_on.set()
    await until(lambda: world.log.steps.count("stage") == 6)
    await world.cancel(job_id)
    story = await world.story(job_id)
    assert (story.end, story.text, story.ended["attempts"]) == ("cancelled", "", 2)
    assert len(world.model.prompts) == 1


async def test_a_cancel_that_cannot_be_looked_up_at_pick_up_still_comes(world: World) -> None:
    world.model.hold_after = 2
    world.log.away_for = 0
    job_id = await world.ask(QUESTION)
    await world.model.held.wait()
    await world.log.request_cancel(job_id)
    assert (await world.story(job_id)).end == "cancelled"


async def test_one_cancelled_job_does_not_stop_another(world: World) -> None:
    world.model.hold_after = 2
    mine, yours = await world.ask("내 것?", "mine"), await world.ask("네 것?", "yours")
    await until(lambda: len(world.model.prompts) == 2)
    await world.cancel(mine)
    assert (await world.story(mine)).end == "cancelled"
    world.model.go_on.set()
    assert (await world.story(yours)).text == answer_to("네 것?")


async def test_a_cancel_that_races_pick_up_ends_each_of_a_thousand_jobs_once(world: World) -> None:
    chance = random.Random(7)

    async def ask_and_cancel(number: int) -> str:
        job_id = await world.ask(f"{number}번?", session=f"s{number}")
        for _ in range(chance.randrange(60)):
            await asyncio.sleep(0)
        await world.cancel(job_id)
        return (await world.story(job_id)).end

    ends = [
        end
        for batch in range(20)
        for end in await asyncio.gather(*(ask_and_cancel(50 * batch + number) for number in range(50)))
    ]
    await world.settled()
    assert len(ends) == 1_000
    assert set(ends) <= {"cancelled", "done"}
    assert ends.count("cancelled") > 100
    assert not world.queue.dead
