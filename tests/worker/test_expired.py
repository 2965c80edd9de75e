"""A question that has waited too long to matter is not begun; its user is told."""

import time

import pytest
from eco2_bus.job import ChatJob, Resume
from eco2_bus.log import Claim

from tests.worker.world import World

QUESTION = "페트병은?"
LONG_AGO_S = 400


async def aged(world: World, by_s: float = LONG_AGO_S, **more: object) -> ChatJob:
    """A job that was asked so long ago."""
    job = await world.create(QUESTION)
    return job.model_copy(update={"created_at_ms": time.time_ns() // 1_000_000 - int(by_s * 1000), **more})


async def test_a_job_that_waited_too_long_ends_with_an_error_and_is_no_dead_letter(world: World) -> None:
    job = await aged(world)
    await world.queue.publish(job, {})
    story = await world.story(job.job_id)
    await world.settled()
    assert story.names == ["queued", "error"]
    assert (story.ended["code"], story.ended["status"]) == ("expired", 503)
    assert world.model.asked == []
    assert not world.queue.dead
    kept = await world.log.kept_answer(job.job_id)
    assert kept is not None
    assert kept.event == "error"


async def test_an_expired_job_counts_as_an_error_of_its_own_kind(world: World) -> None:
    job = await aged(world)
    await world.queue.publish(job, {})
    await world.settled()
    value = world.registry.get_sample_value
    assert value("chat_errors_total", {"intent": "none", "error_type": "expired"}) == 1
    ended = {"intent": "none", "status": "error", "provider": "fake"}
    assert value("chat_requests_total", ended) == 1
    assert value("chat_stream_active") in (None, 0)


@pytest.mark.parametrize("by_s", [0, 290, 320, -3_600])
async def test_a_job_that_is_young_or_comes_from_a_clock_that_differs_is_answered(
    world: World, by_s: float
) -> None:
    job = await aged(world, by_s)
    await world.queue.publish(job, {})
    assert (await world.story(job.job_id)).end == "done"


async def test_with_no_limit_every_job_is_answered() -> None:
    async with World(max_age_s=0) as world:
        job = await aged(world, 100_000)
        await world.queue.publish(job, {})
        assert (await world.story(job.job_id)).end == "done"


async def test_a_job_that_was_handed_back_is_answered_whatever_its_age(world: World) -> None:
    await world.stop_consuming()
    job = await aged(world)
    await world.queue.publish(job, {})
    await (await anext(aiter(world.queue.consume(1)))).hand_back()
    async with World(beside=world) as other:
        assert (await other.story(job.job_id)).end == "done"


async def test_a_job_whose_worker_died_is_answered_whatever_its_age(world: World) -> None:
    await world.stop_consuming()
    job = await aged(world)
    await world.log.take_over(job.job_id, Claim.FRESH, poison_after=3, poison=b"{}")
    await world.queue.publish(job, {})
    await (await anext(aiter(world.queue.consume(1)))).retry()
    async with World(beside=world) as other:
        story = await other.story(job.job_id)
    assert (story.end, story.ended["attempts"]) == ("done", 2)


async def test_a_job_that_was_begun_is_not_ended_by_an_old_duplicate_of_its_message(world: World) -> None:
    job = await aged(world)
    await world.log.take_over(job.job_id, Claim.FRESH, poison_after=3, poison=b"{}")
    await world.queue.publish(job, {})
    await world.settled()
    assert [entry.event for entry in await world.shown(job.job_id)] == ["queued", "started"]


async def test_the_answer_to_a_job_that_waits_is_taken_whatever_its_age(world: World) -> None:
    job = await aged(world, resume=Resume(after="1-1"))
    await world.log.take_over(job.job_id, Claim.FRESH, poison_after=3, poison=b"{}")
    await world.queue.publish(job, {})
    await world.settled()
    # Past that entry it is dropped like any other: no `expired` in its log.
    assert [entry.event for entry in await world.shown(job.job_id)] == ["queued", "started"]


async def test_a_job_that_was_cancelled_meanwhile_stays_cancelled(world: World) -> None:
    job = await aged(world)
    await world.cancel(job.job_id)
    await world.queue.publish(job, {})
    await world.settled()
    assert (await world.story(job.job_id)).names == ["queued", "cancelled"]
    # And is part of the conversation, like one that was cancelled in time.
    turns = (await world.turns.page(job.session_id, job.owner, before=None, limit=10)).turns
    assert [turn.status for turn in turns] == ["cancelled"]


@pytest.mark.parametrize("loses_replies", [False, True])
async def test_an_expired_job_waits_for_a_log_that_is_away(
    world: World, loses_replies: bool, quick_retries: None
) -> None:
    job = await aged(world)
    world.log.away_for, world.log.loses_replies = 3, loses_replies
    await world.queue.publish(job, {})
    story = await world.story(job.job_id)
    await world.settled()
    assert (story.names, story.ended["code"]) == (["queued", "error"], "expired")
    kept = await world.log.kept_answer(job.job_id)
    assert kept is not None
    assert kept.event == "error"
