"""What the Redis log does with its connections, scripts and announcements."""

import asyncio

import pytest
from eco2_bus.events import START
from eco2_bus.redis_scripts import CHANNEL

from tests.bus.worlds import (
    RedisWorld,
    begin,
    content,
    eventually,
    in_time,
    own,
    read_all,
    text_of,
)


def _connections(world: RedisWorld) -> list[str]:
    return sorted(
        client["name"] for client in world.admin.client_list() if client["name"].startswith("eco2:")
    )


async def test_connections_do_not_grow_with_viewers_and_writers(redis_world: RedisWorld) -> None:
    log = redis_world.log
    before = _connections(redis_world)
    jobs = [await begin(log) for _ in range(40)]
    viewers = [asyncio.create_task(read_all(log, job_id)) for job_id in jobs for _ in range(10)]
    writers = [await own(log, job_id) for job_id in jobs]
    with log.on_cancel(jobs[0], lambda: None), log.on_cancel(jobs[1], lambda: None):
        for writer in writers:
            writer.token("text")
        await asyncio.gather(*(writer.flush() for writer in writers))
        await eventually(lambda: len(_connections(redis_world)) == len(before) + 3)
        assert set(_connections(redis_world)) == {"eco2:log", "eco2:feed", "eco2:cancels"}
        await asyncio.gather(*(writer.end("done", b"{}") for writer in writers))
    assert {len(await viewer) for viewer in viewers} == {4}
    assert len(_connections(redis_world)) == len(before) + 3


async def test_flushed_scripts_are_loaded_again_unseen(redis_world: RedisWorld) -> None:
    log, admin = redis_world.log, redis_world.admin
    await log.check()
    admin.script_flush()
    job_id = await begin(log)
    admin.script_flush()
    writer = await own(log, job_id)
    writer.token("a")
    await writer.flush()
    admin.script_flush()
    writer.token("b")
    await writer.end("done", b"{}")
    assert text_of(await read_all(log, job_id)) == "ab"
    other = await begin(log)
    admin.script_flush()
    await log.end(other, "cancelled", b"{}")


@pytest.mark.parametrize(
    "junk", [b"", b"junk", b"\xff\xfe", b"a b c d e\nf", b"x 0-1 1-1 now token\n{}", b"\n"]
)
async def test_junk_on_the_feed_channel_disturbs_no_viewer(redis_world: RedisWorld, junk: bytes) -> None:
    job_id = await begin(redis_world.log)
    viewer = asyncio.create_task(read_all(redis_world.log, job_id))
    writer = await own(redis_world.log, job_id)
    await eventually(lambda: _feeds(redis_world))
    before = _feeds(redis_world)
    for n in range(5):
        redis_world.admin.publish(CHANNEL, junk)
        redis_world.admin.publish(CHANNEL, job_id.encode() + b" " + junk)
        writer.token(f"{n} ")
        await writer.flush()
    await writer.end("done", b"{}")
    assert text_of(await in_time(viewer)) == "0 1 2 3 4 "
    assert _feeds(redis_world) == before


async def test_a_live_log_is_not_read_again_for_each_entry(redis_world: RedisWorld) -> None:
    job_id = await begin(redis_world.log)
    viewers = [asyncio.create_task(read_all(redis_world.log, job_id)) for _ in range(20)]
    writer = await own(redis_world.another_process(), job_id)
    writer.token("first")
    await writer.flush()
    reads_before = _calls(redis_world, "xrange")
    for n in range(200):
        writer.token(f"{n} ")
        await writer.flush()
        await asyncio.sleep(0)
    await writer.end("done", b"{}")
    whole = [content(await viewer) for viewer in viewers]
    assert all(seen == whole[0] for seen in whole)
    assert _calls(redis_world, "xrange") - reads_before < 200


def _calls(world: RedisWorld, command: str) -> int:
    return int(world.admin.info("commandstats").get(f"cmdstat_{command}", {"calls": 0})["calls"])


async def test_a_killed_feed_connection_costs_no_viewer_an_entry(redis_world: RedisWorld) -> None:
    job_id = await begin(redis_world.log)
    viewers = [asyncio.create_task(read_all(redis_world.log, job_id)) for _ in range(5)]
    writer = await own(redis_world.another_process(), job_id)
    for n in range(60):
        if n % 6 == 0:
            _kill_feeds(redis_world)
        writer.token(f"{n} ")
        await writer.flush()
    await writer.end("done", b"{}")
    whole = content(await read_all(redis_world.log, job_id))
    for viewer in viewers:
        assert content(await in_time(viewer)) == whole


def _kill_feeds(world: RedisWorld) -> None:
    for id_ in _feeds(world):
        world.admin.client_kill_filter(_id=id_)


def _feeds(world: RedisWorld) -> list[str]:
    return [client["id"] for client in world.admin.client_list() if client["name"] == "eco2:feed"]


@pytest.mark.usefixtures("quick_quiet_check")
async def test_an_entry_whose_announcement_was_lost_is_found_by_the_quiet_check(
    redis_world: RedisWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = redis_world.log
    deaf = redis_world.another_process()
    monkeypatch.setattr(deaf._feed_link, "_on_message", lambda _channel, _message: None)
    job_id = await begin(log)
    viewer = asyncio.create_task(read_all(deaf, job_id))
    writer = await own(log, job_id)
    await eventually(lambda: deaf.followed == 1)
    writer.token("unheard")
    await writer.end("done", b"{}")
    assert text_of(await in_time(viewer)) == "unheard"


async def test_a_viewer_of_another_job_does_not_see_this_one(redis_world: RedisWorld) -> None:
    mine, other = await begin(redis_world.log), await begin(redis_world.log)
    batches = aiter(redis_world.log.follow(mine, START))
    await anext(batches)
    waiting = asyncio.ensure_future(anext(batches))
    await (await own(redis_world.log, other)).end("done", b"{}")
    await (await own(redis_world.log, mine)).end("error", b"{}")
    [first, *_] = await in_time(waiting)
    assert (str(first.id), first.event) == ("1-1", "started")
