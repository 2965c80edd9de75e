"""Forgetting a job: nothing that names it stays, and whoever watches it is told, over both stores."""

import asyncio

import pytest
from eco2_bus.events import LogEntry
from eco2_bus.log import KeptAnswer, LogGone, TakeOverResult

from tests.bus.worlds import (
    RedisWorld,
    World,
    begin,
    eventually,
    ids,
    in_time,
    new_job_id,
    own,
    read_all,
    read_until,
    so_far,
    take_over,
    wait_for_input,
)


async def full_of_traces(world: World) -> str:
    """A job of which everything is kept that can be."""
    job_id = await begin(world.log)
    await wait_for_input(await own(world.log, job_id))
    await world.log.park_job(job_id, b"{}")
    await world.log.request_cancel(job_id)
    await world.log.keep_answer(job_id, KeptAnswer("user-1", "session-1", "done", b"{}"))
    return job_id


async def test_a_forgotten_job_leaves_nothing_that_names_it(world: World) -> None:
    job_id, other = await full_of_traces(world), await full_of_traces(world)
    assert len(world.kept_of(job_id)) == 4
    await world.another_process().forget(job_id)
    assert world.kept_of(job_id) == []
    assert len(world.kept_of(other)) == 4


async def test_every_question_about_a_forgotten_job_is_answered_as_if_it_had_never_been(world: World) -> None:
    job_id = await full_of_traces(world)
    await world.log.forget(job_id)
    with pytest.raises(LogGone):
        await world.log.summary(job_id)
    assert await world.log.kept_answer(job_id) is None
    assert await world.log.parked_job(job_id) is None
    assert not await world.log.is_cancel_requested(job_id)
    assert (await take_over(world.log, job_id)).result is TakeOverResult.GONE


async def test_the_viewers_of_a_forgotten_job_are_told_at_once_and_others_see_on(world: World) -> None:
    job_id, other = await begin(world.log), await begin(world.log)
    far = world.another_process()
    seen: list[LogEntry] = []
    viewers = [
        asyncio.create_task(read_until(log, job_id, lambda entry: bool(seen.append(entry))))
        for log in (world.log, far, far)
    ]
    others = asyncio.create_task(read_all(far, other))
    await eventually(lambda: len(seen) == len(viewers))
    await world.log.forget(job_id)
    # Well within the time after which quiet viewers look for themselves.
    for viewer in viewers:
        with pytest.raises(LogGone):
            await in_time(viewer, 5)
    await (await own(world.log, other)).end("done", b"{}")
    assert ids(await others) == ["0-1", "1-1", "1-2"]


async def test_the_worker_of_a_forgotten_job_stops_and_brings_nothing_back(world: World) -> None:
    job_id = await begin(world.log)
    lost: list[Exception] = []
    writer = await own(world.another_process(), job_id, on_lost=lost.append)
    await world.log.forget(job_id)
    writer.token("too late")
    with pytest.raises(LogGone):
        await writer.end("done", b"{}")
    with pytest.raises(LogGone):
        await world.log.park_job(job_id, b"{}")
    assert [type(error) for error in lost] == [LogGone]
    assert world.kept_of(job_id) == []


async def test_an_answer_that_comes_after_its_job_was_forgotten_is_not_kept(world: World) -> None:
    job_id = await begin(world.log)
    await (await own(world.log, job_id)).end("done", b"{}")
    await world.another_process().forget(job_id)
    await world.log.keep_answer(job_id, KeptAnswer("user-1", "session-1", "done", b"{}"))
    assert await world.log.kept_answer(job_id) is None
    assert world.kept_of(job_id) == []


async def test_forgetting_what_is_not_there_is_no_error(world: World) -> None:
    job_id = new_job_id()
    await world.log.forget(job_id)
    await world.log.forget(job_id)
    assert world.kept_of(job_id) == []


async def test_news_of_a_forgotten_job_that_nobody_follows_here_is_no_junk(
    redis_world: RedisWorld, caplog: pytest.LogCaptureFixture
) -> None:
    mine, other = await begin(redis_world.log), await begin(redis_world.log)
    viewer = asyncio.create_task(read_all(redis_world.log, mine))
    await so_far(redis_world.log, mine, "0-1")
    await redis_world.log.forget(other)
    redis_world.admin.publish("chat:feed", "junk")
    await eventually(lambda: caplog.records)
    assert len(caplog.records) == 1
    await (await own(redis_world.log, mine)).end("done", b"{}")
    assert ids(await viewer) == ["0-1", "1-1", "1-2"]
