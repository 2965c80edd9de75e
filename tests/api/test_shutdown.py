"""A process that leaves: every stream ends with a `retry:`, and another process goes on with it."""

import asyncio
import signal
import time

import pytest
from eco2_devservers import RabbitServer, RedisServer, free_port

from tests.api.process import ApiProcess, api_process
from tests.api.services import RealWorld
from tests.api.serving import Api
from tests.api.viewer import Block, Viewer, ids, text_of
from tests.api.worker import Worker

STREAMS = 50
PIECES = [f"{number} " for number in range(100)]


async def visit(api: Api, job_id: str, seen: list[Block]) -> Viewer:
    """Watches until the process leaves or the job ends."""
    viewer = await api.events(job_id, seen[-1].id if seen else None)
    seen += await viewer.rest()
    await viewer.close()
    return viewer


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGINT])
async def test_a_process_that_is_told_to_stop_hands_its_viewers_on(
    rabbit: RabbitServer, redis_server: RedisServer, by: signal.Signals
) -> None:
    world = RealWorld(rabbit, redis_server)
    async with api_process(world) as (first, leaving), api_process(world) as (second, _):
        job_id = await first.new_job()
        worker = await Worker.begin(world.log, job_id)
        seen: list[list[Block]] = [[] for _ in range(STREAMS)]
        visits = [asyncio.create_task(visit(first, job_id, blocks)) for blocks in seen]
        await worker.say(*PIECES[:30])
        async with await first.events(job_id) as probe:
            await probe.until("1-31")
        speaking = asyncio.create_task(worker.say(*PIECES[30:]))
        began = time.perf_counter()
        leaving.signal(by)
        left = await asyncio.gather(*visits)
        exit_code = await leaving.exit_code()

        assert exit_code == 0, leaving.errors
        assert time.perf_counter() - began < 5
        assert "Traceback" not in leaving.errors
        retries = [viewer.blocks[-1].retry for viewer in left]
        assert all(viewer.is_whole for viewer in left)
        assert all(retry is not None and 500 <= retry <= 4_000 for retry in retries)
        assert len(set(retries)) > STREAMS // 2

        await speaking
        again = [asyncio.create_task(visit(second, job_id, blocks)) for blocks in seen]
        await worker.end()
        await asyncio.gather(*again)
        expected = ["0-1", *(f"1-{number}" for number in range(1, len(PIECES) + 3))]
        for blocks in seen:
            assert ids(blocks) == expected
            assert text_of(blocks) == worker.text
    await world.close()


async def test_a_stream_that_nobody_reads_does_not_hold_up_the_stop(
    rabbit: RabbitServer, redis_server: RedisServer
) -> None:
    world = RealWorld(rabbit, redis_server)
    async with api_process(world) as (api, process):
        job_id = await api.new_job()
        worker = await Worker.begin(world.log, job_id)
        for _ in range(4_000):
            worker.writer.event("token", b'{"text":"%b","node":"answer"}' % (b"a" * 500))
        await worker.writer.flush()
        path = f"/api/v1/chat/{job_id}/events"
        stuck = await asyncio.gather(*(Viewer.open(api.url, path, receive_buffer=4_096) for _ in range(5)))
        await stuck[0].reader.readexactly(1_000)

        process.signal(signal.SIGTERM)
        assert await process.exit_code(within_s=15) == 0
        for viewer in stuck:
            await viewer.close()
    await world.close()


async def test_streams_survive_a_restart_of_redis(rabbit: RabbitServer) -> None:
    with RedisServer(appendonly="always") as redis_server:
        world = RealWorld(rabbit, redis_server)
        async with api_process(world) as (api, _):
            job_id = await api.new_job()
            worker = await Worker.begin(world.log, job_id)
            await worker.say(*PIECES[:20])
            viewers = await asyncio.gather(*(api.events(job_id) for _ in range(10)))
            seen = await asyncio.gather(*(viewer.until("1-21") for viewer in viewers))
            speaking = asyncio.create_task(worker.say(*PIECES[20:]))
            await asyncio.to_thread(redis_server.kill)
            await asyncio.to_thread(redis_server.start)
            await speaking
            await worker.end()
            rest = await asyncio.gather(*(viewer.rest() for viewer in viewers))

            for viewer, before, after in zip(viewers, seen, rest, strict=True):
                assert viewer.is_whole
                assert text_of(before + after) == "".join(PIECES)
                assert after[-1].event == "done"
                await viewer.close()
        await world.close()


async def test_a_taken_port_is_said_plainly() -> None:
    taken = await asyncio.start_server(lambda *_: None, "127.0.0.1", free_port())
    port = taken.sockets[0].getsockname()[1]
    process = await ApiProcess.start("redis://127.0.0.1:1/0", "amqp://127.0.0.1:1/", port=port)

    assert await process.exit_code() == 1
    assert process.errors == f"chat-api cannot listen on 127.0.0.1:{port}: Address already in use\n"
    taken.close()
    await taken.wait_closed()


async def test_a_process_without_its_servers_is_alive_and_leaves_when_told() -> None:
    process = await ApiProcess.start("redis://127.0.0.1:1/0", "amqp://127.0.0.1:1/")
    await process.serves()

    process.signal(signal.SIGINT)
    assert await process.exit_code() == 0
    assert "Traceback" not in process.errors
