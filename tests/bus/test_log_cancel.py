"""The wish to cancel: a stored flag, and a wake-up that only hurries, over both stores."""

import asyncio

import pytest
from eco2_bus import redis_streams

from tests.bus.worlds import RedisWorld, World, eventually, new_job_id


async def test_a_wish_to_cancel_is_kept_for_whoever_asks_later(world: World) -> None:
    job_id = new_job_id()
    assert not await world.log.is_cancel_requested(job_id)
    await world.log.request_cancel(job_id)
    await world.log.request_cancel(job_id)
    assert await world.another_process().is_cancel_requested(job_id)
    assert not await world.log.is_cancel_requested(new_job_id())


async def test_a_wish_to_cancel_expires(world: World) -> None:
    job_id = new_job_id()
    await world.log.request_cancel(job_id)
    await world.expire(job_id)
    assert not await world.log.is_cancel_requested(job_id)


async def test_a_wish_to_cancel_wakes_the_worker_that_has_the_job(world: World) -> None:
    mine, other = new_job_id(), new_job_id()
    woken: set[str] = set()
    worker = world.another_process()
    with worker.on_cancel(mine, lambda: woken.add(mine)), worker.on_cancel(other, lambda: woken.add(other)):
        await world.log.request_cancel(mine)
        await eventually(lambda: woken)
    assert woken == {mine}


async def test_a_wish_that_came_before_the_worker_listened_still_wakes_it(world: World) -> None:
    job_id = new_job_id()
    await world.log.request_cancel(job_id)
    woken = asyncio.Event()
    worker = world.another_process()
    await worker.check()
    with worker.on_cancel(job_id, woken.set):
        await asyncio.wait_for(woken.wait(), 30)


async def test_nobody_is_woken_after_the_worker_has_stopped_listening(world: World) -> None:
    finished, listening = new_job_id(), new_job_id()
    woken: list[str] = []
    worker = world.another_process()
    with worker.on_cancel(finished, lambda: woken.append(finished)):
        pass
    with worker.on_cancel(listening, lambda: woken.append(listening)):
        await world.log.request_cancel(finished)
        await world.log.request_cancel(listening)
        await eventually(lambda: listening in woken)
    assert finished not in woken


async def test_the_stored_wish_wakes_the_worker_when_the_announcement_is_lost(
    redis_world: RedisWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_streams, "CANCEL_POLL_S", 0.02)
    job_id = new_job_id()
    woken = asyncio.Event()
    await redis_world.log.check()
    with redis_world.log.on_cancel(job_id, woken.set):
        redis_world.admin.set(f"chat:{job_id}:cancel", 1)
        await asyncio.wait_for(woken.wait(), 30)


async def test_cancels_still_arrive_after_their_connection_was_lost(
    redis_world: RedisWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_streams, "CANCEL_POLL_S", 3_600.0)
    job_id = new_job_id()
    worker = redis_world.another_process()
    woken = asyncio.Event()

    def listening() -> list[dict[str, str]]:
        return [client for client in redis_world.admin.client_list() if client["name"] == "eco2:cancels"]

    with worker.on_cancel(job_id, woken.set):
        await eventually(lambda: [client for client in listening() if client["sub"] == "1"])
        [first] = listening()
        redis_world.admin.client_kill_filter(_id=first["id"])
        await eventually(
            lambda: [client for client in listening() if client["id"] != first["id"] and client["sub"] == "1"]
        )
        await redis_world.log.request_cancel(job_id)
        await asyncio.wait_for(woken.wait(), 30)
