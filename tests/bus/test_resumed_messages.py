"""Which of a waiting job's messages has it, when they come again: the first, the answer and the time-out."""

from typing import Any

import pytest
from eco2_bus.events import INPUT_REQUIRED, EntryId
from eco2_bus.job import Location, Resume
from eco2_bus.log import Claim, TakeOver, TakeOverResult
from eco2_bus.redis_streams import log_key
from eco2_bus.writer import LogWriter, WriteBeat

from tests.bus.worlds import POISON, RedisWorld, World, begin, events, own, so_far, wait_for_input

OWNED, RUNNING = TakeOverResult.OWNED, TakeOverResult.RUNNING
COMING_AGAIN = [Claim.REDELIVERED, Claim.HANDED_BACK]
HOME = Location(latitude=37.5, longitude=127.1)


async def waiting(world: World) -> tuple[str, Resume, Resume]:
    """A job that waits, the user's answer, and the time-out."""
    job_id = await begin(world.log)
    after = str(await wait_for_input(await own(world.log, job_id)))
    return job_id, Resume(after=after, location=HOME), Resume(after=after)


async def come(
    world: World, job_id: str, resume: Resume | None, claim: Claim = Claim.RESUMED, **more: Any
) -> TakeOver:
    """A worker gets a message of the job."""
    named: dict[str, Any] = {}
    if resume is not None:
        named = {"after": EntryId.parse(resume.after), "resume": resume.name}
    log = world.another_process()
    return await log.take_over(job_id, claim, poison_after=3, poison=POISON, **named, **more)


@pytest.mark.parametrize("claim", [Claim.RESUMED, *COMING_AGAIN])
async def test_a_time_out_does_not_take_the_job_from_the_answer(world: World, claim: Claim) -> None:
    job_id, answer, time_out = await waiting(world)
    assert (await come(world, job_id, answer)).result is OWNED
    taken = await come(world, job_id, time_out, claim)
    assert (taken.result, taken.attempt) == (RUNNING, 2)
    assert events(await so_far(world.log, job_id, "2-1")) == ["queued", "started", INPUT_REQUIRED, "started"]


@pytest.mark.parametrize("claim", COMING_AGAIN)
async def test_the_first_message_does_not_take_the_job_from_the_answer(world: World, claim: Claim) -> None:
    job_id, answer, _ = await waiting(world)
    await come(world, job_id, answer)
    assert (await come(world, job_id, None, claim)).result is RUNNING


async def test_a_message_that_has_the_job_has_it_again_when_its_worker_is_lost(world: World) -> None:
    job_id, answer, time_out = await waiting(world)
    await come(world, job_id, answer)
    again = await come(world, job_id, answer, Claim.REDELIVERED)
    assert (again.result, again.attempt, again.failures, again.first[0]) == (OWNED, 3, 1, "reset")
    back = await come(world, job_id, answer, Claim.HANDED_BACK)
    assert (back.result, back.failures, back.first[0]) == (OWNED, 1, "reset")
    assert (await come(world, job_id, time_out, Claim.REDELIVERED)).result is RUNNING
    await come(world, job_id, answer, Claim.REDELIVERED)
    poisoned = await come(world, job_id, answer, Claim.REDELIVERED)
    assert (poisoned.result, poisoned.failures) == (TakeOverResult.POISONED, 3)


@pytest.mark.parametrize("claim", COMING_AGAIN)
async def test_a_time_out_that_was_lost_before_it_took_the_job_takes_it_as_if_for_the_first_time(
    world: World, claim: Claim
) -> None:
    job_id, answer, time_out = await waiting(world)
    taken = await come(world, job_id, time_out, claim)
    assert (taken.result, taken.failures, taken.first[0]) == (OWNED, 0, "started")
    assert (await come(world, job_id, answer)).result is RUNNING


async def test_the_messages_of_an_earlier_wait_are_past(world: World) -> None:
    job_id, answer, time_out = await waiting(world)
    taken = await come(world, job_id, answer)
    second = await wait_for_input(LogWriter(world.log, WriteBeat(), job_id, taken=taken))
    for claim in (Claim.RESUMED, *COMING_AGAIN):
        assert (await come(world, job_id, time_out, claim)).result is RUNNING
    assert (await come(world, job_id, Resume(after=str(second)), Claim.REDELIVERED)).first[0] == "started"


async def test_an_attempt_that_a_failover_lost_is_written_again_with_what_began_it(world: World) -> None:
    job_id, answer, time_out = await waiting(world)
    writer = LogWriter(world.log, WriteBeat(), job_id, taken=await come(world, job_id, answer))
    world.shorten(job_id, 3)
    writer.token("it goes on")
    await writer.flush()
    assert (await come(world, job_id, time_out, Claim.REDELIVERED)).result is RUNNING
    assert (await come(world, job_id, answer, Claim.REDELIVERED)).first[0] == "reset"


async def test_an_attempt_of_a_worker_that_notes_no_resume_is_taken_over_as_it_used_to_be(
    redis_world: RedisWorld,
) -> None:
    job_id, answer, _ = await waiting(redis_world)
    await come(redis_world, job_id, answer)
    kept = redis_world.admin.xrange(log_key(job_id))
    redis_world.admin.delete(log_key(job_id))
    for id_, fields in kept:
        redis_world.admin.xadd(log_key(job_id), {k: v for k, v in fields.items() if k != b"resume"}, id=id_)
    again = await come(redis_world, job_id, answer, Claim.REDELIVERED)
    assert (again.result, again.failures, again.first[0]) == (OWNED, 1, "reset")


@pytest.mark.parametrize("claim", list(Claim))
async def test_whoever_did_not_hear_the_reply_is_told_of_the_attempt_that_it_has_begun(
    world: World, claim: Claim
) -> None:
    job_id, resume = await begin(world.log), None
    if claim is Claim.RESUMED:
        job_id, resume, _ = await waiting(world)
    elif claim is not Claim.FRESH:
        await own(world.log, job_id)
    taken = await come(world, job_id, resume, claim, writer="w1")
    assert taken.result is OWNED
    assert await come(world, job_id, resume, claim, writer="w1") == taken
    assert (await world.log.summary(job_id)).last.id == EntryId(taken.attempt, 1)
    if claim in (Claim.FRESH, Claim.RESUMED):
        assert (await come(world, job_id, resume, claim, writer="w2")).result is RUNNING


async def test_a_take_over_that_a_failover_lost_is_made_again(redis_world: RedisWorld) -> None:
    job_id = await begin(redis_world.log)
    await come(redis_world, job_id, None, Claim.FRESH, writer="w1")
    redis_world.shorten(job_id, 1)
    assert (await come(redis_world, job_id, None, Claim.FRESH, writer="w1")).first[0] == "started"
