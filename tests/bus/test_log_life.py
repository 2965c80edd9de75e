"""A log from its creation to its expiry, over both stores."""

import pytest
from eco2_bus.events import START, EntryId
from eco2_bus.log import KeptAnswer, LogExists, LogGone, LogUnavailable, TakeOverResult
from eco2_bus.redis_streams import RedisEventLog
from eco2_devservers import free_port

from tests.bus.worlds import (
    HEAD,
    TIMES,
    World,
    begin,
    events,
    ids,
    new_job_id,
    own,
    read_all,
    so_far,
    take_over,
)


async def test_a_log_begins_with_queued_under_the_id_0_1(world: World) -> None:
    job_id = await begin(world.log)
    [entry] = await so_far(world.log, job_id, "0-1")
    assert (str(entry.id), entry.event, entry.data) == ("0-1", "queued", HEAD.queued)
    assert entry.at_ms == HEAD.created_at_ms


async def test_a_log_is_created_once(world: World) -> None:
    job_id = await begin(world.log)
    with pytest.raises(LogExists):
        await world.another_process().create(job_id, HEAD)
    assert ids(await so_far(world.log, job_id, "0-1")) == ["0-1"]


async def test_a_discarded_log_is_gone_and_can_be_created_again(world: World) -> None:
    job_id = await begin(world.log)
    await world.log.discard(job_id)
    with pytest.raises(LogGone):
        await world.log.summary(job_id)
    await world.log.create(job_id, HEAD)
    assert (await world.log.summary(job_id)).last.event == "queued"


async def test_discarding_a_log_that_is_not_there_is_no_error(world: World) -> None:
    job_id = new_job_id()
    await world.log.discard(job_id)
    with pytest.raises(LogGone):
        await world.log.summary(job_id)


async def test_a_log_is_kept_for_its_time_and_shorter_once_it_has_ended(world: World) -> None:
    job_id = await begin(world.log)
    assert world.left_s(job_id) == pytest.approx(TIMES.log.total_seconds(), abs=5)
    writer = await own(world.log, job_id)
    writer.token("text")
    await writer.flush()
    assert world.left_s(job_id) == pytest.approx(TIMES.log.total_seconds(), abs=5)
    await writer.end("done", b"{}")
    assert world.left_s(job_id) == pytest.approx(TIMES.log_after_end.total_seconds(), abs=5)


async def test_the_end_without_an_attempt_shortens_the_time_too(world: World) -> None:
    cancelled, poisoned = await begin(world.log), await begin(world.log)
    await world.log.end(cancelled, "cancelled", b"{}")
    await take_over(world.log, poisoned, poison_after=0)
    for job_id in (cancelled, poisoned):
        assert world.left_s(job_id) == pytest.approx(TIMES.log_after_end.total_seconds(), abs=5)


async def test_an_expired_log_is_gone_for_every_question(world: World) -> None:
    job_id = await begin(world.log)
    await world.expire(job_id)
    with pytest.raises(LogGone):
        await world.log.summary(job_id)
    with pytest.raises(LogGone):
        await read_all(world.log, job_id)
    assert not await world.log.contains(job_id, EntryId(0, 1))
    assert (await take_over(world.log, job_id)).result is TakeOverResult.GONE
    assert (await world.log.end(job_id, "cancelled", b"{}")).result is TakeOverResult.GONE


async def test_the_writer_of_an_expired_log_gets_log_gone_and_does_not_bring_it_back(world: World) -> None:
    job_id = await begin(world.log)
    lost: list[Exception] = []
    writer = await own(world.log, job_id, on_lost=lost.append)
    await world.expire(job_id)
    writer.token("too late")
    with pytest.raises(LogGone):
        await writer.flush()
    with pytest.raises(LogGone):
        await writer.end("done", b"{}")
    assert [type(error) for error in lost] == [LogGone]
    with pytest.raises(LogGone):
        await world.log.summary(job_id)


async def test_the_summary_tells_head_first_and_last_entry(world: World) -> None:
    job_id = await begin(world.log)
    writer = await own(world.log, job_id)
    writer.token("바나나 껍질")
    await writer.flush()
    summary = await world.another_process().summary(job_id)
    assert summary.head == HEAD
    assert summary.first_id == EntryId(0, 1)
    assert (str(summary.last.id), summary.last.event) == ("1-2", "token")
    assert summary.last.json() == {"text": "바나나 껍질", "node": "answer"}
    await writer.end("done", b"{}")
    assert (await world.log.summary(job_id)).last.ends_job


async def test_a_log_contains_exactly_its_own_ids(world: World) -> None:
    job_id = await begin(world.log)
    await own(world.log, job_id)
    there = [EntryId(0, 1), EntryId(1, 1)]
    not_there = [START, EntryId(0, 2), EntryId(1, 2), EntryId(9, 9), EntryId.parse("9" * 19 + "-" + "9" * 19)]
    assert [await world.log.contains(job_id, id_) for id_ in there] == [True, True]
    assert [await world.log.contains(job_id, id_) for id_ in not_there] == [False] * len(not_there)
    assert not await world.log.contains(new_job_id(), EntryId(0, 1))


async def test_an_answer_is_kept_longer_than_its_log(world: World) -> None:
    answer = KeptAnswer("user-1", "session-1", "done", '{"answer":"종이류로 배출하세요"}'.encode())
    job_id = await begin(world.log)
    assert await world.log.kept_answer(job_id) is None
    await world.log.keep_answer(job_id, answer)
    assert await world.another_process().kept_answer(job_id) == answer
    assert world.answer_left_s(job_id) == pytest.approx(TIMES.answer.total_seconds(), abs=5)
    await world.log.discard(job_id)
    assert await world.log.kept_answer(job_id) == answer
    await world.expire(job_id)
    assert await world.log.kept_answer(job_id) is None


async def test_an_answer_that_is_kept_again_replaces_the_first(world: World) -> None:
    job_id = await begin(world.log)
    for event in ("error", "done"):
        await world.log.keep_answer(job_id, KeptAnswer("u", "s", event, b'{"n":1}'))
    kept = await world.log.kept_answer(job_id)
    assert kept is not None
    assert kept.event == "done"


async def test_the_store_answers_a_check(world: World) -> None:
    await world.log.check()


async def test_a_check_says_when_the_store_is_away() -> None:
    log = RedisEventLog(f"redis://127.0.0.1:{free_port()}/0")
    with pytest.raises(LogUnavailable):
        await log.check()
    await log.close()


async def test_jobs_do_not_see_each_other(world: World) -> None:
    first, second = await begin(world.log), await begin(world.log)
    writer = await own(world.log, first)
    await writer.end("done", b"{}")
    assert events(await so_far(world.log, second, "0-1")) == ["queued"]
    assert (await take_over(world.log, second)).attempt == 1
