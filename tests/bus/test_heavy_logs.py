"""One log that is huge, endless or gone does not hold up the viewers of the others."""

import asyncio

import pytest
from eco2_bus.events import START, EntryId
from eco2_bus.log import Append, LogGone
from eco2_bus.redis_streams import log_key

from tests.bus.worlds import RedisWorld, begin, events, eventually, ids, in_time, own, read_all, text_of

HUGE = 20_000


async def _huge_log(world: RedisWorld) -> str:
    job_id = await begin(world.log)
    await own(world.log, job_id)
    for first in range(0, HUGE, 2_000):
        entries = [("token", b'{"text":"x","node":"answer"}')] * 2_000
        write = Append(job_id, 1, first + 2, EntryId(1, first + 1), first + 2, entries)
        assert await world.log.append(write) == first + 2_002
    return job_id


async def test_a_huge_log_is_read_whole_and_others_move_on_meanwhile(redis_world: RedisWorld) -> None:
    api = redis_world.another_process()
    huge = await _huge_log(redis_world)
    small = await begin(redis_world.log)
    writer = await own(redis_world.log, small)
    seen: list[EntryId] = []

    async def read_huge() -> None:
        async for batch in api.follow(huge, START):
            seen.extend(entry.id for entry in batch)
            if len(seen) == HUGE + 2:
                return

    reading = asyncio.create_task(read_huge())
    await eventually(lambda: seen)
    viewer = asyncio.create_task(read_all(api, small))
    for n in range(5):
        writer.token(f"{n} ")
        await writer.flush()
    await writer.end("done", b"{}")
    assert text_of(await in_time(viewer)) == "0 1 2 3 4 "
    assert len(seen) < HUGE, "the small job had to wait for the huge one"
    await in_time(reading)
    assert seen == [EntryId(0, 1), *(EntryId(1, seq) for seq in range(1, HUGE + 2))]
    redis_world.admin.delete(log_key(huge))


async def test_an_endless_log_leaves_the_others_their_turn(redis_world: RedisWorld) -> None:
    api = redis_world.another_process()
    endless = await own(redis_world.log, await begin(redis_world.log))
    written = 0

    async def write_for_ever() -> None:
        nonlocal written
        while True:
            endless.token("x" * 500)
            await endless.flush()
            written += 1

    writing = asyncio.create_task(write_for_ever())
    watching = [asyncio.create_task(read_all(api, endless.job_id)) for _ in range(5)]
    await eventually(lambda: written > 20)
    for _ in range(3):
        job_id = await begin(redis_world.log)
        viewer = asyncio.create_task(read_all(api, job_id))
        await (await own(redis_world.log, job_id)).end("done", b"{}")
        assert events(await in_time(viewer)) == ["queued", "started", "done"]
    before = written
    await eventually(lambda: written > before)
    writing.cancel()
    await asyncio.gather(writing, return_exceptions=True)
    await endless.end("done", b"{}")
    whole = ids(await read_all(api, endless.job_id))
    for viewer in watching:
        assert ids(await in_time(viewer)) == whole


@pytest.mark.usefixtures("quick_quiet_check")
async def test_a_log_that_expires_under_its_viewers_leaves_the_others_alone(redis_world: RedisWorld) -> None:
    gone = [await begin(redis_world.log) for _ in range(5)]
    losing = [asyncio.create_task(read_all(redis_world.log, job_id)) for job_id in gone]
    job_id = await begin(redis_world.log)
    viewer = asyncio.create_task(read_all(redis_world.log, job_id))
    writer = await own(redis_world.log, job_id)
    await eventually(lambda: redis_world.log.followed == 6)
    for lost in gone:
        await redis_world.expire(lost)
    for n in range(5):
        writer.token(f"{n} ")
        await writer.flush()
    outcomes = await in_time(asyncio.gather(*losing, return_exceptions=True))
    assert [type(outcome) for outcome in outcomes] == [LogGone] * 5
    await writer.end("done", b"{}")
    assert text_of(await in_time(viewer)) == "0 1 2 3 4 "


async def test_a_log_larger_than_the_shared_tail_reaches_a_slow_viewer_whole(redis_world: RedisWorld) -> None:
    job_id = await begin(redis_world.log)
    writer = await own(redis_world.log, job_id)
    fast = asyncio.create_task(read_all(redis_world.log, job_id))
    slow = aiter(redis_world.log.follow(job_id, START))
    seen = await anext(slow)
    for _ in range(60):
        writer.token("가" * 1_000)
        await writer.flush()
    await writer.end("done", b"{}")
    async for batch in slow:
        seen += batch
    assert ids(seen) == ids(await in_time(fast)) == ["0-1", *(f"1-{seq}" for seq in range(1, 63))]
