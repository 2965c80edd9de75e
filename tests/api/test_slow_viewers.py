"""Viewers that read slowly or not at all: they cost little, disturb nobody, and lose nothing."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

import pytest
from eco2_devservers import RabbitServer, RedisServer

from tests.api.process import api_process
from tests.api.services import RealWorld, World
from tests.api.serving import Api, api_over
from tests.api.viewer import Viewer, ids, text_of
from tests.api.worker import Worker, answer

SLOW = 40
PIECE = "재활용 " * 20
BURST = 500
BUFFERS_BYTES = 800_000
"""A page of the log and what the socket holds."""


async def test_an_idle_stream_has_a_pulse(world: World) -> None:
    async with api_over(world, heartbeat_s=0.1) as api:
        job_id = await api.new_job()
        async with await api.events(job_id, "0-1") as viewer:
            blocks = [await viewer.block(within_s=5) for _ in range(4)]
            assert [block and block.comment for block in blocks] == ["stream", *["heartbeat"] * 3]
            await answer(api.log, job_id, "네")
            assert ids(await viewer.rest()) == ["1-1", "1-2", "1-3"]


async def speak(worker: Worker, bursts: int) -> None:
    """Many entries, many at a time."""
    for _ in range(bursts):
        for number in range(BURST):
            text = f"{number} {PIECE}"
            worker.text += text
            worker.writer.event("token", b'{"text":"%b","node":"answer"}' % text.encode())
        await worker.writer.flush()


async def trickle(viewer: Viewer) -> None:
    """Reads one byte a second."""
    with contextlib.suppress(OSError, asyncio.IncompleteReadError):
        while True:
            await viewer.reader.readexactly(1)
            await asyncio.sleep(1)


async def drops(viewer: Viewer) -> list[str]:
    """The ids that a slow viewer has got by the time its connection is closed."""
    seen = b"".join([chunk async for chunk in pieces(viewer)])
    frames = seen.split(b"\n\n")[:-1]
    return [frame.split(b"\n")[0][4:].decode() for frame in frames if frame.startswith(b"id: ")]


async def pieces(viewer: Viewer) -> AsyncIterator[bytes]:
    with contextlib.suppress(OSError, asyncio.IncompleteReadError):
        while True:
            length = int(await viewer.reader.readuntil(b"\r\n"), 16)
            yield (await viewer.reader.readexactly(length + 2))[:-2]


async def slow_viewers(api: Api, job_id: str) -> list[Viewer]:
    path = f"/api/v1/chat/{job_id}/events"
    return list(
        await asyncio.gather(*(Viewer.open(api.url, path, receive_buffer=4_096) for _ in range(SLOW)))
    )


async def test_slow_viewers_cost_little_and_disturb_nobody(
    rabbit: RabbitServer, redis_server: RedisServer
) -> None:
    world = RealWorld(rabbit, redis_server)
    async with api_process(world, send_timeout_s=50) as (api, process):
        job_id = await api.new_job()
        worker = await Worker.begin(world.log, job_id)
        async with asyncio.timeout(20):
            # What the process opens at its start must not count.
            while (await api.client.get("/readyz")).status_code != 200:
                pass
        async with await api.events(job_id) as quick:
            reading = asyncio.create_task(quick.rest(within_s=60))
            await speak(worker, 1)
            before = process.rss_bytes
            slow = await slow_viewers(api, job_id)
            trickles = [asyncio.create_task(trickle(viewer)) for viewer in slow[::2]]
            await speak(worker, 20)
            filled = process.rss_bytes
            await speak(worker, 10)
            grown = process.rss_bytes - filled

            began = time.perf_counter()
            assert (await api.client.get("/livez")).status_code == 200
            assert time.perf_counter() - began < 1
            await worker.end()
            assert text_of(await reading) == worker.text
        # Once their buffers are full, what the others are sent costs nothing more: kept for them, it would be
        # more than a megabyte each. The heap itself grows by some megabytes at a time.
        assert (filled - before) / SLOW < BUFFERS_BYTES
        assert grown / SLOW < BUFFERS_BYTES / 4
        for task in trickles:
            task.cancel()
        await asyncio.gather(*trickles, return_exceptions=True)
        for viewer in slow:
            await viewer.close()
    await world.close()


async def test_a_viewer_that_does_not_read_is_closed_and_resumes_without_loss(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    async with api_over(world, send_timeout_s=0.3) as api:
        job_id = await api.new_job()
        worker = await Worker.begin(api.log, job_id)
        path = f"/api/v1/chat/{job_id}/events"
        async with await Viewer.open(api.url, path, receive_buffer=4_096) as stuck:
            await speak(worker, 40)
            async with await api.events(job_id) as quick:
                await worker.end()
                assert text_of(await quick.rest()) == worker.text
                log = ids(quick.blocks)
            # It wakes up only after the server has given up on it, of which uvicorn complains.
            async with asyncio.timeout(20):
                while "without completing response" not in caplog.text:
                    await api.client.get("/livez")
            got = await asyncio.wait_for(drops(stuck), 20)
        log = [one for one in log if one is not None]
        assert got == log[: len(got)]
        assert 0 < len(got) < len(log)

        async with await api.events(job_id, got[-1]) as again:
            assert [*got, *ids(await again.rest())] == log
