"""Who may write: taking a job over, ending it, and what a stale attempt gets, over both stores."""

import asyncio

import pytest
from eco2_bus.events import TERMINAL_EVENTS
from eco2_bus.log import Claim, Fenced, TakeOverResult

from tests.bus.worlds import POISON, World, begin, events, ids, new_job_id, own, read_all, so_far, take_over

TAKING_CLAIMS = [Claim.REDELIVERED, Claim.HANDED_BACK]
BEGINNING_CLAIMS = [Claim.FRESH, *TAKING_CLAIMS]


async def test_the_first_attempt_owns_the_job_with_started_under_1_1(world: World) -> None:
    job_id = await begin(world.log)
    taken = await take_over(world.log, job_id)
    assert (taken.result, taken.attempt, taken.length, taken.failures) == (TakeOverResult.OWNED, 1, 2, 0)
    assert taken.first == ("started", b'{"attempt":1}')
    entries = await so_far(world.log, job_id, "1-1")
    assert ids(entries) == ["0-1", "1-1"]
    assert (entries[-1].event, entries[-1].data) == taken.first


@pytest.mark.parametrize("claim", BEGINNING_CLAIMS)
async def test_every_claim_on_a_whole_job_may_begin_a_job_that_nobody_has_begun(
    world: World, claim: Claim
) -> None:
    job_id = await begin(world.log)
    taken = await take_over(world.log, job_id, claim)
    assert (taken.result, taken.first[0], taken.failures) == (TakeOverResult.OWNED, "started", 0)


@pytest.mark.parametrize("claim", list(Claim))
async def test_a_job_without_a_log_is_gone(world: World, claim: Claim) -> None:
    assert (await take_over(world.log, new_job_id(), claim)).result is TakeOverResult.GONE


@pytest.mark.parametrize("claim", list(Claim))
@pytest.mark.parametrize("event", sorted(TERMINAL_EVENTS))
async def test_a_job_that_has_ended_is_not_taken_over(world: World, claim: Claim, event: str) -> None:
    job_id = await begin(world.log)
    await (await own(world.log, job_id)).end(event, b"{}")
    assert (await take_over(world.another_process(), job_id, claim)).result is TakeOverResult.ENDED
    assert events(await read_all(world.log, job_id)) == ["queued", "started", event]


async def test_a_fresh_duplicate_of_a_running_job_changes_nothing(world: World) -> None:
    job_id = await begin(world.log)
    writer = await own(world.log, job_id)
    taken = await take_over(world.log, job_id, Claim.FRESH)
    assert (taken.result, taken.attempt) == (TakeOverResult.RUNNING, 1)
    await writer.end("done", b"{}")
    assert ids(await read_all(world.log, job_id)) == ["0-1", "1-1", "1-2"]


@pytest.mark.parametrize(
    ("claim", "reason"), [(Claim.REDELIVERED, "worker_lost"), (Claim.HANDED_BACK, "handed_back")]
)
async def test_a_later_attempt_begins_with_a_reset_that_says_why(
    world: World, claim: Claim, reason: str
) -> None:
    job_id = await begin(world.log)
    await own(world.log, job_id)
    taken = await take_over(world.log, job_id, claim)
    assert (taken.result, taken.attempt, taken.length) == (TakeOverResult.OWNED, 2, 3)
    last = (await so_far(world.log, job_id, "2-1"))[-1]
    assert (last.event, last.json()) == ("reset", {"attempt": 2, "reason": reason})
    assert (last.event, last.data) == taken.first


async def test_failed_attempts_are_counted_until_the_job_is_poisoned(world: World) -> None:
    job_id = await begin(world.log)
    takes = [await take_over(world.log, job_id, Claim.REDELIVERED) for _ in range(4)]
    assert [taken.failures for taken in takes] == [0, 1, 2, 3]
    assert [taken.result for taken in takes[:3]] == [TakeOverResult.OWNED] * 3
    assert (takes[3].result, takes[3].attempt) == (TakeOverResult.POISONED, 4)
    entries = await read_all(world.log, job_id)
    assert events(entries) == ["queued", "started", "reset", "reset", "error"]
    assert entries[-1].data == POISON
    assert (await take_over(world.log, job_id, Claim.REDELIVERED)).result is TakeOverResult.ENDED


async def test_a_hand_back_counts_no_failure_and_forgets_none(world: World) -> None:
    job_id = await begin(world.log)
    claims = [Claim.FRESH, Claim.HANDED_BACK, Claim.REDELIVERED, Claim.HANDED_BACK, Claim.REDELIVERED]
    takes = [await take_over(world.log, job_id, claim) for claim in claims]
    assert [taken.failures for taken in takes] == [0, 0, 1, 1, 2]


async def test_an_attempt_seen_alive_without_its_lease_has_not_failed(world: World) -> None:
    job_id = await begin(world.log)
    writer = await own(world.log, job_id, has_lease=lambda: False)
    writer.token("still alive")
    await writer.flush()
    assert (await take_over(world.log, job_id, Claim.REDELIVERED)).failures == 0


async def test_a_lease_that_came_back_no_longer_excuses_an_attempt(world: World) -> None:
    job_id = await begin(world.log)
    leases = iter([False, True])
    writer = await own(world.log, job_id, has_lease=lambda: next(leases))
    for text in ("without", "with"):
        writer.token(text)
        await writer.flush()
    assert (await take_over(world.log, job_id, Claim.REDELIVERED)).failures == 1


async def test_the_lost_lease_of_one_attempt_does_not_excuse_the_next(world: World) -> None:
    job_id = await begin(world.log)
    writer = await own(world.log, job_id, has_lease=lambda: False)
    writer.token("alive")
    await writer.flush()
    await take_over(world.log, job_id, Claim.REDELIVERED)
    assert (await take_over(world.log, job_id, Claim.REDELIVERED)).failures == 1


@pytest.mark.parametrize("only_if_idle", [True, False])
async def test_a_queued_job_can_be_ended_without_a_worker(world: World, only_if_idle: bool) -> None:
    job_id = await begin(world.log)
    ended = await world.log.end(job_id, "cancelled", b'{"answer":""}', only_if_idle=only_if_idle)
    assert (ended.result, ended.attempt) == (TakeOverResult.OWNED, 1)
    entries = await read_all(world.log, job_id)
    assert ids(entries) == ["0-1", "1-1"]
    assert (entries[-1].event, entries[-1].data) == ("cancelled", b'{"answer":""}')


async def test_a_cancel_before_pickup_leaves_a_running_job_alone(world: World) -> None:
    job_id = await begin(world.log)
    writer = await own(world.log, job_id)
    ended = await world.log.end(job_id, "cancelled", b"{}", only_if_idle=True)
    assert (ended.result, ended.attempt) == (TakeOverResult.RUNNING, 1)
    await writer.end("done", b"{}")
    assert events(await read_all(world.log, job_id)) == ["queued", "started", "done"]


async def test_a_dead_letter_ends_a_running_job_and_fences_its_worker(world: World) -> None:
    job_id = await begin(world.log)
    writer = await own(world.log, job_id)
    assert (await world.another_process().end(job_id, "error", POISON)).result is TakeOverResult.OWNED
    writer.token("behind the end")
    with pytest.raises(Fenced):
        await writer.flush()
    assert events(await read_all(world.log, job_id)) == ["queued", "started", "error"]


async def test_a_job_ends_once_however_many_want_to_end_it(world: World) -> None:
    job_id = await begin(world.log)
    writer = await own(world.log, job_id)
    others = [world.another_process() for _ in range(4)]
    await asyncio.gather(
        writer.end("done", b"{}"),
        *(other.end(job_id, "cancelled", b"{}") for other in others),
        *(take_over(other, job_id, Claim.REDELIVERED, poison_after=1) for other in others),
        return_exceptions=True,
    )
    entries = await read_all(world.log, job_id)
    assert [entry.ends_job for entry in entries] == [False] * (len(entries) - 1) + [True]


async def test_cancel_and_pickup_in_the_same_instant_have_one_winner(world: World) -> None:
    api, worker = world.log, world.another_process()
    await worker.check()
    for round_ in range(200):
        job_id = await begin(api)
        cancel, pickup = api.end(job_id, "cancelled", b"{}", only_if_idle=True), take_over(worker, job_id)
        order = (cancel, pickup) if round_ % 2 else (pickup, cancel)
        results = {taken.result for taken in await asyncio.gather(*order)}
        assert TakeOverResult.OWNED in results
        assert results & {TakeOverResult.ENDED, TakeOverResult.RUNNING}
        assert len(await so_far(api, job_id, "1-1")) == 2


@pytest.mark.parametrize("claim", TAKING_CLAIMS)
async def test_a_stale_attempt_is_fenced_and_writes_nothing(world: World, claim: Claim) -> None:
    job_id = await begin(world.log)
    lost: list[Exception] = []
    stale = await own(world.another_process(), job_id, on_lost=lost.append)
    stale.token("old ")
    await stale.flush()
    current = await own(world.log, job_id, claim)
    stale.token("zombie")
    with pytest.raises(Fenced):
        await stale.end("done", b'{"answer":"old zombie"}')
    current.token("new")
    await current.end("done", b'{"answer":"new"}')
    with pytest.raises(Fenced):
        await stale.flush()
    assert [type(error) for error in lost] == [Fenced]
    entries = await read_all(world.log, job_id)
    assert ids(entries) == ["0-1", "1-1", "1-2", "2-1", "2-2", "2-3"]
    assert [entry.json() for entry in entries[4:]] == [{"text": "new", "node": "answer"}, {"answer": "new"}]
