"""Late faults of one Redis: replies cut at each byte, memory full, a crash; nothing is lost or doubled."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import redis
from eco2_bus.log import EventLog
from eco2_bus.redis_streams import RedisEventLog
from eco2_bus.writer import LogWriter, WriteBeat
from eco2_devservers import RedisServer, TcpProxy

from tests.bus.worlds import (
    RedisWorld,
    begin,
    content,
    eventually,
    ids,
    in_time,
    own,
    read_all,
    so_far,
    text_of,
)

JOBS = 4
BATCH_REPLY_BYTES = JOBS * len(b":4\r\n")
# SETNAME, PING and the loading of four scripts, then what each of the writers asks and writes.
RECONNECT_BYTES = len(b"+OK\r\n+PONG\r\n") + 4 * len(b"$40\r\n\r\n") + 4 * 40 + JOBS * 30


@asynccontextmanager
async def _log_through(proxy: TcpProxy) -> AsyncIterator[RedisEventLog]:
    log = RedisEventLog(f"redis://127.0.0.1:{proxy.port}/0", reply_timeout_s=2.0)
    try:
        yield log
    finally:
        await log.close()


async def _write_on(writers: list[LogWriter]) -> None:
    for n in range(3):
        for writer in writers:
            writer.token(f"{n} ")
            writer.event("stage", b"{}")
        await asyncio.gather(*(writer.flush() for writer in writers))
    await asyncio.gather(*(writer.end("done", b"{}") for writer in writers))


async def _assert_whole(log: EventLog, job_id: str) -> None:
    entries = await read_all(log, job_id)
    assert text_of(entries) == "0 1 2 "
    assert ids(entries) == ["0-1", *(f"1-{seq}" for seq in range(1, 9))]


async def _survives_a_cut(world: RedisWorld, server: RedisServer, after_bytes: int) -> None:
    with TcpProxy(server.port) as proxy:
        async with _log_through(proxy) as log:
            beat = WriteBeat()
            jobs = [await begin(log) for _ in range(JOBS)]
            writers = [await own(log, job_id, beat=beat) for job_id in jobs]
            proxy.limit_replies(after_bytes)
            await in_time(_write_on(writers))
            for job_id in jobs:
                await _assert_whole(world.log, job_id)


@pytest.mark.parametrize("group", range(4))
async def test_a_cut_after_any_byte_of_a_batchs_reply_loses_and_doubles_nothing(
    redis_world: RedisWorld, redis_server: RedisServer, group: int
) -> None:
    # Ten bytes more: the replies to the second batch as well.
    for after_bytes in range(group, BATCH_REPLY_BYTES + 10, 4):
        await _survives_a_cut(redis_world, redis_server, after_bytes)


@pytest.mark.parametrize("group", range(4))
async def test_a_second_cut_while_the_line_comes_back_loses_and_doubles_nothing(
    redis_world: RedisWorld, redis_server: RedisServer, group: int
) -> None:
    async def survives(after_bytes: int) -> None:
        with TcpProxy(redis_server.port) as proxy:
            async with _log_through(proxy) as log:
                beat = WriteBeat()
                writers = [await own(log, await begin(log), beat=beat) for _ in range(JOBS)]
                proxy.cut()
                proxy.limit_replies(after_bytes)
                await in_time(_write_on(writers))
                for writer in writers:
                    await _assert_whole(redis_world.log, writer.job_id)

    await asyncio.gather(*(survives(n) for n in range(group * 7, RECONNECT_BYTES, 28)))


@pytest.mark.parametrize("after_bytes", range(0, 400, 23))
async def test_a_cut_after_any_byte_costs_the_viewers_nothing(
    redis_world: RedisWorld, redis_server: RedisServer, after_bytes: int
) -> None:
    job_id = await begin(redis_world.log)
    writer = await own(redis_world.log, job_id)
    with TcpProxy(redis_server.port) as proxy:
        async with _log_through(proxy) as log:
            viewers = [asyncio.create_task(read_all(log, job_id)) for _ in range(3)]
            await eventually(lambda: log.followed == 1)
            proxy.limit_replies(after_bytes)
            await _write_on([writer])
            whole = content(await read_all(redis_world.log, job_id))
            for viewer in viewers:
                assert content(await in_time(viewer)) == whole


async def test_memory_that_is_full_in_mid_answer_only_delays_it() -> None:
    with RedisServer() as server, redis.Redis(port=server.port) as admin:
        log = RedisEventLog(server.url)
        jobs = [await begin(log) for _ in range(3)]
        viewers = [asyncio.create_task(read_all(log, job_id)) for job_id in jobs]
        writers = [await own(log, job_id) for job_id in jobs]
        for n in range(60):
            if n == 20:
                admin.config_set("maxmemory", 1)
            if n == 40:
                await eventually(lambda: admin.info("errorstats").get("errorstat_OOM"))
                admin.config_set("maxmemory", 0)
            for writer in writers:
                writer.token(f"{n} ")
            await asyncio.sleep(0.002)
        await in_time(asyncio.gather(*(writer.end("done", b"{}") for writer in writers)))
        for viewer in viewers:
            assert text_of(await in_time(viewer)) == "".join(f"{n} " for n in range(60))
        await log.close()


async def test_a_crash_of_redis_costs_neither_writer_nor_viewers_an_entry() -> None:
    with RedisServer(appendonly="always") as server:
        worker, api = RedisEventLog(server.url), RedisEventLog(server.url)
        job_id = await begin(api)
        viewers = [asyncio.create_task(read_all(api, job_id)) for _ in range(3)]
        writer = await own(worker, job_id)
        for n in range(60):
            if n in (20, 40):
                await asyncio.to_thread(server.kill)
            writer.token(f"{n} ")
            await asyncio.sleep(0.002)
            if n in (25, 45):
                await asyncio.to_thread(server.start)
        await in_time(writer.end("done", b"{}"))
        late = asyncio.create_task(read_all(api, job_id))
        for viewer in (*viewers, late):
            entries = await in_time(viewer)
            assert text_of(entries) == "".join(f"{n} " for n in range(60))
            assert sorted(set(ids(entries))) == sorted(ids(entries))
        await worker.close()
        await api.close()


async def test_a_redis_that_came_back_empty_ends_the_attempt() -> None:
    with RedisServer() as server:
        log = RedisEventLog(server.url)
        job_id = await begin(log)
        lost: list[Exception] = []
        writer = await own(log, job_id, on_lost=lost.append)
        await so_far(log, job_id, "1-1")
        await asyncio.to_thread(server.kill)
        await asyncio.to_thread(server.start)
        writer.token("nobody")
        await eventually(lambda: lost)
        assert [type(error).__name__ for error in lost] == ["LogGone"]
        await log.close()
