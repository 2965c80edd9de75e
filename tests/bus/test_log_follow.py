"""What a viewer gets, whenever it comes and wherever it resumes, over both stores."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from eco2_bus.events import START, EntryId, LogEntry
from eco2_bus.log import Claim, LogGone, LogUnavailable

from tests.bus.worlds import (
    RedisWorld,
    World,
    begin,
    content,
    events,
    eventually,
    ids,
    in_time,
    new_job_id,
    own,
    read_all,
)


async def _ended_job(world: World, tokens: int = 5) -> str:
    job_id = await begin(world.log)
    writer = await own(world.log, job_id)
    for n in range(tokens):
        writer.token(f"{n} ")
        await writer.flush()
    await writer.end("done", b"{}")
    return job_id


async def _ended_job_with_two_attempts(world: World) -> str:
    job_id = await begin(world.log)
    await own(world.log, job_id)
    await (await own(world.log, job_id, Claim.REDELIVERED)).end("done", b"{}")
    return job_id


async def _next(batches: AsyncIterator[list[LogEntry]]) -> list[LogEntry]:
    return await asyncio.wait_for(anext(batches), 30)


async def _first_batch(world: World, job_id: str) -> list[LogEntry]:
    batches = aiter(world.log.follow(job_id, START))
    return await _next(batches)


async def test_a_viewer_who_comes_first_sees_each_entry_as_it_is_written(world: World) -> None:
    job_id = await begin(world.log)
    batches = aiter(world.another_process().follow(job_id, START))
    assert ids(await _next(batches)) == ["0-1"]
    writer = await own(world.log, job_id)
    assert ids(await _next(batches)) == ["1-1"]
    for n in range(5):
        writer.token(f"{n} ")
        await writer.flush()
        [entry] = await _next(batches)
        assert (str(entry.id), entry.json()["text"]) == (f"1-{n + 2}", f"{n} ")
    await writer.end("done", b"{}")
    assert events(await _next(batches)) == ["done"]
    with pytest.raises(StopAsyncIteration):
        await _next(batches)


async def test_a_viewer_who_comes_after_the_end_gets_the_whole_log_once(world: World) -> None:
    job_id = await _ended_job(world)
    entries = await read_all(world.another_process(), job_id)
    assert ids(entries) == ["0-1", *(f"1-{seq}" for seq in range(1, 8))]
    assert events(entries) == ["queued", "started", *["token"] * 5, "done"]


async def test_a_viewer_resumes_exactly_after_any_id(world: World) -> None:
    job_id = await _ended_job(world)
    whole = await read_all(world.log, job_id)
    for position, entry in enumerate(whole[:-1], 1):
        assert content(await read_all(world.log, job_id, after=entry.id)) == content(whole[position:])


async def test_a_viewer_of_a_running_job_resumes_exactly_after_any_id(world: World) -> None:
    job_id = await begin(world.log)
    writer = await own(world.log, job_id)
    for n in range(4):
        writer.token(f"{n} ")
        await writer.flush()
    after = [START, EntryId(0, 1), *(EntryId(1, seq) for seq in range(1, 6))]
    viewers = [asyncio.create_task(read_all(world.log, job_id, after=id_)) for id_ in after]
    await asyncio.sleep(0)
    writer.token("late")
    await writer.end("done", b"{}")
    whole = await read_all(world.log, job_id)
    for position, viewer in enumerate(viewers):
        assert content(await viewer) == content(whole[position:])


async def test_an_id_between_two_attempts_resumes_with_the_reset(world: World) -> None:
    job_id = await _ended_job_with_two_attempts(world)
    assert ids(await read_all(world.log, job_id, after=EntryId(1, 999))) == ["2-1", "2-2"]


async def test_many_viewers_of_one_job_all_see_the_same(world: World) -> None:
    job_id = await begin(world.log)
    logs = [world.log, world.another_process(), world.another_process()]
    viewers = [asyncio.create_task(read_all(logs[n % 3], job_id)) for n in range(60)]
    writer = await own(world.log, job_id)
    for n in range(50):
        writer.token(f"{n} ")
        if n % 7 == 0:
            await writer.flush()
            viewers.append(asyncio.create_task(read_all(logs[n % 3], job_id)))
    await writer.end("done", b"{}")
    whole = content(await read_all(world.log, job_id))
    for viewer in viewers:
        assert content(await viewer) == whole


async def test_a_viewer_who_leaves_does_not_disturb_the_others(world: World) -> None:
    job_id = await begin(world.log)
    leaving = asyncio.create_task(read_all(world.log, job_id))
    staying = asyncio.create_task(read_all(world.log, job_id))
    writer = await own(world.log, job_id)
    writer.token("a")
    await writer.flush()
    leaving.cancel()
    await asyncio.gather(leaving, return_exceptions=True)
    writer.token("b")
    await writer.end("done", b"{}")
    assert events(await staying) == ["queued", "started", "token", "token", "done"]


async def test_a_log_that_never_was_is_gone(world: World) -> None:
    with pytest.raises(LogGone):
        await read_all(world.log, new_job_id())


async def test_an_id_behind_the_end_of_the_log_waits_for_what_comes(world: World) -> None:
    job_id = await begin(world.log)
    viewer = asyncio.create_task(read_all(world.log, job_id, after=EntryId(1, 1)))
    writer = await own(world.log, job_id)
    await writer.end("done", b"{}")
    assert ids(await in_time(viewer)) == ["1-2"]


@pytest.mark.usefixtures("quick_quiet_check")
@pytest.mark.parametrize("way", ["discarded", "expired"])
async def test_a_viewer_who_waits_on_a_log_that_goes_away_is_told(world: World, way: str) -> None:
    job_id = await begin(world.log)
    batches = aiter(world.log.follow(job_id, START))
    await _next(batches)
    waiting = asyncio.ensure_future(anext(batches))
    await asyncio.sleep(0)
    await (world.log.discard(job_id) if way == "discarded" else world.expire(job_id))
    with pytest.raises(LogGone):
        await asyncio.wait_for(waiting, 30)


async def test_stop_following_ends_every_viewer_without_a_terminal_entry(world: World) -> None:
    jobs = [await begin(world.log) for _ in range(3)]
    viewers = [asyncio.create_task(read_all(world.log, job_id)) for job_id in jobs]
    early = await _first_batch(world, jobs[0])
    world.log.stop_following()
    assert [events(await in_time(viewer)) for viewer in viewers] in ([["queued"]] * 3, [[]] * 3)
    assert events(early) == ["queued"]
    assert await in_time(read_all(world.log, jobs[0])) == []


async def test_stop_following_leaves_the_writers_alone(world: World) -> None:
    job_id = await begin(world.log)
    writer = await own(world.log, job_id)
    world.log.stop_following()
    await writer.end("done", b"{}")
    assert (await world.log.summary(job_id)).last.event == "done"


async def test_closing_the_log_ends_the_viewers_that_wait(world: World) -> None:
    job_id = await begin(world.log)
    log = world.another_process()
    viewer = asyncio.create_task(read_all(log, job_id))
    await _first_batch(world, job_id)
    await log.close()
    assert all(entry.event == "queued" for entry in await in_time(viewer))


async def test_a_closed_redis_log_does_not_connect_again(redis_world: RedisWorld) -> None:
    log = redis_world.another_process()
    await log.check()
    await log.close()
    with pytest.raises(LogUnavailable):
        await log.check()


async def test_nobody_is_followed_once_the_viewers_have_left(redis_world: RedisWorld) -> None:
    job_id = await begin(redis_world.log)
    viewers = [asyncio.create_task(read_all(redis_world.log, job_id)) for _ in range(10)]
    await eventually(lambda: redis_world.log.followed == 1)
    for viewer in viewers:
        viewer.cancel()
    await asyncio.gather(*viewers, return_exceptions=True)
    await eventually(lambda: redis_world.log.followed == 0)
