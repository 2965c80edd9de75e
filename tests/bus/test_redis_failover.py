"""A master with a replica: what is confirmed, and what a promoted replica that lagged gets again."""

import asyncio
import logging
from collections.abc import AsyncIterator

import pytest
import redis
from eco2_bus.log import Claim, Fenced, LogUnavailable, TakeOverResult
from eco2_bus.redis_streams import RedisEventLog, log_key
from eco2_bus.writer import LogWriter

from tests.bus.redis_pair import Pair, redis_pair
from tests.bus.worlds import begin, content, eventually, ids, in_time, own, read_all, take_over, text_of


@pytest.fixture
async def pair() -> AsyncIterator[Pair]:
    async with redis_pair() as made:
        yield made


@pytest.fixture
async def log(pair: Pair) -> AsyncIterator[RedisEventLog]:
    log = RedisEventLog(pair.url)
    yield log
    await log.close()


async def test_an_end_is_on_the_replica_when_it_is_confirmed(pair: Pair, log: RedisEventLog) -> None:
    for _ in range(20):
        job_id = await begin(log)
        writer = await own(log, job_id)
        writer.token("text")
        await writer.end("done", b"{}")
        assert pair.replica_length(job_id) == 4


async def test_an_end_that_no_replica_confirms_is_reported_and_not_held_up_for_ever(
    pair: Pair, log: RedisEventLog, caplog: pytest.LogCaptureFixture
) -> None:
    job_id = await begin(log)
    writer = await own(log, job_id)
    pair.stop_copying()
    with caplog.at_level(logging.WARNING, "eco2_bus.redis_streams"):
        await in_time(writer.end("done", b"{}"))
    assert "no replica confirmed" in caplog.text
    assert (await log.summary(job_id)).last.event == "done"


async def test_a_replica_that_lagged_gets_the_missing_entries_under_the_same_ids(
    pair: Pair, log: RedisEventLog
) -> None:
    job_id = await begin(log)
    viewer = asyncio.create_task(read_all(log, job_id))
    writer = await own(log, job_id)
    for n in range(5):
        writer.token(f"{n} ")
        await writer.flush()
    await eventually(lambda: pair.replica_length(job_id) == 7)
    pair.stop_copying()
    for n in range(5, 10):
        writer.token(f"{n} ")
        await writer.flush()
    await pair.fail_over()
    assert pair.replica_length(job_id) == 7
    writer.token("end")
    await in_time(writer.end("done", b"{}"))
    whole = await read_all(log, job_id)
    assert ids(whole) == ["0-1", *(f"1-{seq}" for seq in range(1, 14))]
    assert text_of(whole) == "0 1 2 3 4 5 6 7 8 9 end"
    assert content(await in_time(viewer)) == content(whole)


async def test_a_take_over_that_the_replica_lacks_is_written_again_too(
    pair: Pair, log: RedisEventLog
) -> None:
    job_id = await begin(log)
    await eventually(lambda: pair.replica_length(job_id) == 1)
    pair.stop_copying()
    writer = await own(log, job_id)
    writer.token("text")
    await writer.flush()
    await pair.fail_over()
    await in_time(writer.end("done", b"{}"))
    assert ids(await read_all(log, job_id)) == ["0-1", "1-1", "1-2", "1-3"]


async def test_an_end_whose_confirmation_the_failover_cuts_off_is_written_again(
    pair: Pair, log: RedisEventLog
) -> None:
    job_id = await begin(log)
    writer = await own(log, job_id)
    writer.token("text")
    await writer.flush()
    await eventually(lambda: pair.replica_length(job_id) == 3)
    pair.stop_copying()
    ending = asyncio.create_task(writer.end("done", b"{}"))
    with redis.Redis(port=pair.master.port) as admin:
        await eventually(lambda: admin.xlen(log_key(job_id)) == 4)
        await eventually(lambda: admin.info("clients")["blocked_clients"])
    await pair.fail_over()
    await in_time(ending)
    assert ids(await read_all(log, job_id)) == ["0-1", "1-1", "1-2", "1-3"]


async def test_two_workers_that_hold_one_attempt_number_after_a_failover_do_not_mix(
    pair: Pair, log: RedisEventLog
) -> None:
    job_id = await begin(log)
    await eventually(lambda: pair.replica_length(job_id) == 1)
    pair.stop_copying()
    lost: list[Exception] = []
    first = await own(log, job_id, on_lost=lost.append)
    first.token("from the first")
    await first.flush()
    await pair.fail_over()
    second = await in_time(_own_when_back(log, job_id))
    assert (first.attempt, second.attempt) == (1, 1)
    second.token("from the second")
    await in_time(second.flush())
    first.token("more of the first")
    with pytest.raises(Fenced):
        await in_time(first.flush())
    await in_time(second.end("done", b"{}"))
    assert text_of(await read_all(log, job_id)) == "from the second"
    assert len(lost) == 1


async def test_failures_outlive_a_failover_that_lost_the_take_over(pair: Pair, log: RedisEventLog) -> None:
    job_id = await begin(log)
    await own(log, job_id)
    await own(log, job_id, Claim.REDELIVERED)
    await eventually(lambda: pair.replica_length(job_id) == 3)
    pair.stop_copying()
    writer = await own(log, job_id, Claim.REDELIVERED)
    await pair.fail_over()
    writer.token("text")
    await in_time(writer.flush())
    taken = await take_over(log, job_id, Claim.REDELIVERED, poison_after=3)
    assert (taken.result, taken.failures) == (TakeOverResult.POISONED, 3)


async def _own_when_back(log: RedisEventLog, job_id: str) -> LogWriter:
    while True:
        try:
            return await own(log, job_id, Claim.REDELIVERED)
        except LogUnavailable:
            await asyncio.sleep(0.01)
