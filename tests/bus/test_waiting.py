"""A job that waits for its user: who goes on with it, and from where, over both stores."""

import asyncio
from collections.abc import Awaitable

import pytest
from eco2_bus.events import INPUT_REQUIRED, TERMINAL_EVENTS, EntryId
from eco2_bus.log import Claim, Fenced, LogGone, TakeOver, TakeOverResult

from tests.bus.worlds import (
    ASKED,
    TIMES,
    MemoryWorld,
    World,
    begin,
    content,
    events,
    ids,
    in_time,
    new_job_id,
    own,
    read_all,
    read_until,
    so_far,
    take_over,
    text_of,
    wait_for_input,
)

OWNED, RUNNING, ENDED = TakeOverResult.OWNED, TakeOverResult.RUNNING, TakeOverResult.ENDED


async def waiting(world: World, claims: tuple[Claim, ...] = (Claim.FRESH,)) -> tuple[str, EntryId]:
    """A job that has run and waits, and the entry that it waits at."""
    job_id = await begin(world.log)
    for claim in claims:
        writer = await own(world.log, job_id, claim)
    return job_id, await wait_for_input(writer)


async def resume(world: World, job_id: str, after: EntryId) -> TakeOver:
    return await take_over(world.another_process(), job_id, Claim.RESUMED, after=after)


async def test_an_answered_job_goes_on_as_a_new_attempt_that_takes_nothing_back(world: World) -> None:
    job_id = await begin(world.log)
    viewer = asyncio.create_task(read_all(world.another_process(), job_id))
    first = await own(world.log, job_id)
    first.event("stage", b"{}")
    after = await wait_for_input(first)
    second = await own(world.another_process(), job_id, Claim.RESUMED, after=after)
    second.token("역 앞에 있어요")
    await second.end("done", b"{}")
    seen = await viewer
    assert ids(seen) == ["0-1", "1-1", "1-2", "1-3", "2-1", "2-2", "2-3"]
    assert events(seen) == ["queued", "started", "stage", INPUT_REQUIRED, "started", "token", "done"]
    assert (str(after), seen[3].data) == ("1-3", ASKED)
    assert seen[4].json() == {"attempt": 2}
    assert text_of(seen) == "역 앞에 있어요"


async def test_a_wait_is_ended_once(world: World) -> None:
    job_id, after = await waiting(world)
    takes = [await resume(world, job_id, after) for _ in range(3)]
    assert [taken.result for taken in takes] == [OWNED, RUNNING, RUNNING]
    assert [taken.attempt for taken in takes] == [2, 2, 2]
    assert takes[0].first == ("started", b'{"attempt":2}')
    assert ids(await so_far(world.log, job_id, "2-1")) == ["0-1", "1-1", "1-2", "2-1"]


async def test_each_wait_of_a_job_has_its_own_end(world: World) -> None:
    job_id, first = await waiting(world)
    second = await wait_for_input(await own(world.log, job_id, Claim.RESUMED, after=first))
    assert [str(first), str(second)] == ["1-2", "2-2"]
    assert (await resume(world, job_id, first)).result is RUNNING
    assert (await resume(world, job_id, second)).attempt == 3


async def test_an_answer_to_an_entry_that_asked_nothing_is_not_taken(world: World) -> None:
    job_id = await begin(world.log)
    writer = await own(world.log, job_id)
    for id_ in (EntryId(0, 1), EntryId(1, 1)):
        assert (await resume(world, job_id, id_)).result is RUNNING
    await wait_for_input(writer)
    for id_ in (EntryId(0, 1), EntryId(1, 1)):
        assert (await resume(world, job_id, id_)).result is RUNNING
    nothing = await take_over(world.log, job_id, Claim.RESUMED)
    assert nothing.result is RUNNING


async def test_the_failures_from_before_a_wait_are_carried_on_and_the_wait_is_none(world: World) -> None:
    claims = (Claim.FRESH, Claim.REDELIVERED, Claim.REDELIVERED)
    job_id, after = await waiting(world, claims)
    taken = await resume(world, job_id, after)
    assert (taken.result, taken.attempt, taken.failures) == (OWNED, 4, 2)
    poisoned = await take_over(world.log, job_id, Claim.REDELIVERED)
    assert (poisoned.result, poisoned.failures) == (TakeOverResult.POISONED, 3)


@pytest.mark.parametrize("event", sorted(TERMINAL_EVENTS))
async def test_a_wait_that_ends_after_the_job_is_dropped(world: World, event: str) -> None:
    job_id, after = await waiting(world)
    await (await own(world.log, job_id, Claim.RESUMED, after=after)).end(event, b"{}")
    assert (await resume(world, job_id, after)).result is ENDED
    assert events(await read_all(world.log, job_id))[-2:] == ["started", event]


async def test_a_wait_of_a_job_whose_log_is_gone_is_dropped(world: World) -> None:
    job_id, after = await waiting(world)
    await world.expire(job_id)
    assert (await resume(world, job_id, after)).result is TakeOverResult.GONE


async def test_a_duplicate_of_the_first_message_does_not_end_a_wait(world: World) -> None:
    job_id, after = await waiting(world)
    assert (await take_over(world.log, job_id, Claim.FRESH)).result is RUNNING
    assert (await resume(world, job_id, after)).result is OWNED


async def test_a_resumed_attempt_that_is_lost_begins_again_with_a_reset(world: World) -> None:
    job_id, after = await waiting(world)
    await resume(world, job_id, after)
    again = await take_over(world.log, job_id, Claim.REDELIVERED)
    assert (again.result, again.attempt, again.failures, again.first[0]) == (OWNED, 3, 1, "reset")


async def test_the_one_that_waited_is_fenced_by_the_one_that_goes_on(world: World) -> None:
    job_id = await begin(world.log)
    zombie = await own(world.another_process(), job_id)
    after = await wait_for_input(zombie)
    current = await own(world.log, job_id, Claim.RESUMED, after=after)
    zombie.token("late")
    with pytest.raises(Fenced):
        await zombie.end("done", b"{}")
    current.token("answer")
    await current.end("done", b"{}")
    assert text_of(await read_all(world.log, job_id)) == "answer"


async def test_a_crash_between_the_wait_and_its_acknowledgement_leaves_one_owner(world: World) -> None:
    job_id, first = await waiting(world)
    redelivered = await own(world.log, job_id, Claim.REDELIVERED)
    assert (await resume(world, job_id, first)).result is RUNNING
    second = await wait_for_input(redelivered)
    assert (await resume(world, job_id, first)).result is RUNNING
    taken = await resume(world, job_id, second)
    assert (taken.result, taken.attempt) == (OWNED, 3)
    assert events(await so_far(world.log, job_id, "3-1")) == [
        *("queued", "started", INPUT_REQUIRED),
        *("reset", INPUT_REQUIRED),
        "started",
    ]


@pytest.mark.parametrize("is_answer_first", [True, False])
async def test_the_answer_and_the_time_out_in_the_same_instant_have_one_winner(
    world: World, is_answer_first: bool
) -> None:
    answered, timed_out = world.another_process(), world.another_process()
    await asyncio.gather(answered.check(), timed_out.check())
    order = (answered, timed_out) if is_answer_first else (timed_out, answered)
    for _ in range(200 if isinstance(world, MemoryWorld) else 50):
        job_id, after = await waiting(world)
        takes = await asyncio.gather(*(take_over(log, job_id, Claim.RESUMED, after=after) for log in order))
        assert sorted(taken.result for taken in takes) == [OWNED, RUNNING]
        assert ids(await so_far(world.log, job_id, "2-1")) == ["0-1", "1-1", "1-2", "2-1"]


@pytest.mark.parametrize("is_cancel_first", [True, False])
async def test_a_cancel_and_the_end_of_a_wait_in_the_same_instant_have_one_winner(
    world: World, is_cancel_first: bool
) -> None:
    api, worker = world.log, world.another_process()
    await worker.check()
    for _ in range(50):
        job_id, after = await waiting(world)
        cancel: Awaitable[TakeOver] = api.end(job_id, "cancelled", b"{}", only_if_idle=True)
        going_on = take_over(worker, job_id, Claim.RESUMED, after=after)
        order = (cancel, going_on) if is_cancel_first else (going_on, cancel)
        results = {taken.result for taken in await asyncio.gather(*order)}
        assert results in ({OWNED, ENDED}, {OWNED, RUNNING})
        assert len(await so_far(api, job_id, "2-1")) == 4


async def test_a_job_that_waits_is_cancelled_without_a_worker(world: World) -> None:
    job_id, after = await waiting(world)
    ended = await world.another_process().end(job_id, "cancelled", b'{"answer":""}', only_if_idle=True)
    assert (ended.result, ended.attempt) == (OWNED, 2)
    entries = await read_all(world.log, job_id)
    assert events(entries) == ["queued", "started", INPUT_REQUIRED, "cancelled"]
    assert (await resume(world, job_id, after)).result is ENDED
    assert world.left_s(job_id) == pytest.approx(TIMES.log_after_end.total_seconds(), abs=5)


async def test_what_a_job_that_waits_has_used_is_told_before_its_end(world: World) -> None:
    job_id, _ = await waiting(world)
    viewer = asyncio.create_task(read_all(world.another_process(), job_id))
    ended = await world.log.end(job_id, "cancelled", b"{}", only_if_idle=True, usage=b'{"estimated":true}')
    assert (ended.result, ended.attempt) == (OWNED, 2)
    entries = await in_time(viewer)
    assert content(entries)[-2:] == [
        (EntryId(2, 1), "usage", b'{"estimated":true}'),
        (EntryId(2, 2), "cancelled", b"{}"),
    ]
    assert (await world.log.end(job_id, "cancelled", b"{}", usage=b"{}")).result is ENDED


async def test_a_job_that_went_on_is_left_to_its_worker(world: World) -> None:
    job_id, after = await waiting(world)
    await resume(world, job_id, after)
    ended = await world.log.end(job_id, "cancelled", b"{}", only_if_idle=True)
    assert (ended.result, ended.attempt) == (RUNNING, 2)


@pytest.mark.parametrize("kept", [1, 2, 3])
async def test_a_job_goes_on_although_the_store_lost_that_it_waits(world: World, kept: int) -> None:
    job_id = await begin(world.log)
    writer = await own(world.log, job_id)
    writer.event("stage", b"{}")
    after = await wait_for_input(writer)
    before = content(await so_far(world.log, job_id, str(after)))
    world.shorten(job_id, kept)
    taken = await resume(world, job_id, after)
    # Above all that viewers have seen, so that whoever reads on from there misses nothing.
    assert (taken.result, taken.attempt, taken.first[0]) == (OWNED, 2, "started")
    assert (await resume(world, job_id, after)).result is RUNNING
    new = await read_until(world.another_process(), job_id, lambda e: str(e.id) == "2-1", after)
    assert ids(new) == ["2-1"]
    whole = content(await so_far(world.another_process(), job_id, "2-1"))
    assert whole[:-1] == before[:kept]


async def test_the_message_of_a_job_is_kept_while_it_waits(world: World) -> None:
    job_id, _ = await waiting(world)
    assert await world.log.parked_job(job_id) is None
    for body in (b"first", '{"message":"가까운 곳"}'.encode()):
        await world.log.park_job(job_id, body)
        assert await world.another_process().parked_job(job_id) == body
    assert await world.log.parked_job(new_job_id()) is None


async def test_the_message_of_a_job_goes_with_its_log(world: World) -> None:
    expired, discarded = [(await waiting(world))[0] for _ in range(2)]
    for job_id in (expired, discarded):
        await world.log.park_job(job_id, b"{}")
    assert world.parked_left_s(expired) == pytest.approx(world.left_s(expired), abs=5)
    await world.expire(expired)
    await world.log.discard(discarded)
    for job_id in (expired, discarded):
        assert await world.log.parked_job(job_id) is None
        with pytest.raises(LogGone):
            await world.log.park_job(job_id, b"{}")
        assert await world.log.parked_job(job_id) is None
