"""A worker that is told to leave finishes its jobs or hands them back."""

import asyncio
from time import perf_counter

import pytest
from chat_worker.errors import ModelUnavailable
from eco2_bus.queue import QueueFull, QueueUnavailable

from tests.worker.fakes import answer_to
from tests.worker.world import World, until

QUESTION = "페트병은?"


async def test_a_job_that_ends_in_time_is_finished(world: World) -> None:
    world.model.hold_after = 2
    job_id = await world.ask(QUESTION)
    await world.model.held.wait()
    leaving = asyncio.create_task(world.leave(5))
    await asyncio.sleep(0)
    world.model.go_on.set()
    await leaving
    story = await world.story(job_id)
    assert (story.end, story.ended["attempts"]) == ("done", 1)
    assert not world.queue.on_loan
    assert not world.queue.waiting


async def test_a_job_that_does_not_end_in_time_is_handed_back_and_answered_elsewhere(world: World) -> None:
    world.model.hold_after = 2
    job_id = await world.ask(QUESTION)
    await world.model.held.wait()
    await until(lambda: "token" in world.log.steps)
    began = perf_counter()
    await world.leave(0.1)
    assert perf_counter() - began < 1
    assert world.model.closed_early == 1
    assert (world.queue.waiting, world.queue.on_loan) == (1, [])
    async with World(beside=world) as other:
        story = await other.story(job_id)
    assert story.all("reset") == [{"attempt": 2, "reason": "handed_back"}]
    assert (story.text, story.ended["attempts"]) == (answer_to(QUESTION), 2)


async def test_what_was_shown_is_in_the_log_before_the_job_is_handed_back(world: World) -> None:
    world.model.hold_after = 5
    job_id = await world.ask(QUESTION)
    await world.model.held.wait()
    await world.leave(0)
    tokens = [entry.json()["text"] for entry in await world.shown(job_id) if entry.event == "token"]
    assert "".join(tokens) == answer_to(QUESTION)[:15]


async def test_what_was_shown_is_safe_before_the_job_is_handed_back(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def confirm_copied(_job_id: str) -> None:
        world.log.steps.append("copied")

    monkeypatch.setattr(world.log, "confirm_copied", confirm_copied)
    world.model.hold_after = 5
    await world.ask(QUESTION)
    await world.model.held.wait()
    await world.leave(0)
    assert world.log.steps[world.log.steps.index("settled") - 1] == "copied"


async def test_a_job_that_is_handed_back_again_and_again_has_not_failed_once(world: World) -> None:
    await world.stop_consuming()
    job_id = await world.ask(QUESTION)
    for _ in range(5):
        async with World(beside=world) as leaving:
            leaving.model.hold_after = 2
            await leaving.model.held.wait()
    async with World(beside=world) as last:
        story = await last.story(job_id)
    assert (story.text, story.ended["attempts"]) == (answer_to(QUESTION), 6)


async def test_a_job_that_was_handed_back_can_still_fail_too_often(world: World, quick_retries: None) -> None:
    world.model.hold_after = 2
    job_id = await world.ask(QUESTION)
    await world.model.held.wait()
    await world.leave(0)
    async with World(beside=world) as other:
        other.model.faults = [ModelUnavailable("cut")] * 20
        story = await other.story(job_id)
        await other.settled()
    assert (story.end, story.ended["code"]) == ("error", "attempts_exhausted")
    assert len(other.model.prompts) == 3
    assert len(world.queue.dead) == 1


async def test_a_job_is_handed_back_before_its_graph_begins_too(world: World) -> None:
    await world.stop_consuming()
    leaving = World(beside=world)
    leaving.model.hold_understanding = True
    async with leaving:
        job_id = await leaving.ask(QUESTION)
        await leaving.model.held.wait()
    async with World(beside=world) as other:
        assert (await other.story(job_id)).end == "done"


async def test_a_broker_that_is_away_keeps_the_delivery_of_a_job_that_cannot_be_handed_back(
    world: World,
) -> None:
    world.model.hold_after = 2
    await world.ask(QUESTION)
    await world.model.held.wait()
    (delivery,) = world.queue.on_loan

    async def away() -> None:
        raise QueueUnavailable("away")

    delivery.hand_back = away  # type: ignore[method-assign]
    await world.leave(0)
    assert world.queue.on_loan == [delivery]


async def test_a_job_that_cannot_be_handed_back_has_not_failed(world: World) -> None:
    async def full() -> None:
        raise QueueFull("the queue is full")

    await world.stop_consuming()
    job_id = await world.ask(QUESTION)
    for _ in range(4):
        async with World(beside=world) as leaving:
            leaving.model.hold_after = 2
            await leaving.model.held.wait()
            (delivery,) = world.queue.on_loan
            delivery.hand_back = full  # type: ignore[method-assign]
        # Its process is gone, and the broker has the message again.
        world.queue.take_back_all()
    async with World(beside=world) as last:
        story = await last.story(job_id)
    assert (story.text, story.ended["attempts"]) == (answer_to(QUESTION), 5)


async def test_a_worker_without_jobs_leaves_at_once(world: World) -> None:
    began = perf_counter()
    await world.leave(5)
    assert perf_counter() - began < 0.5
