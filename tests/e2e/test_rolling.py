"""A roll-out: workers of two versions side by side, jobs and events of both, and nothing lost."""

import random
import signal
import time

import aio_pika
import httpx
from eco2_bus import topology
from eco2_bus.job import ChatJob
from eco2_bus.log import JobHead
from eco2_bus.redis_streams import RedisEventLog

from tests.e2e import newer_worker
from tests.e2e.conftest import MakeLoad
from tests.e2e.driver import Account
from tests.e2e.stack import Stack, until
from tests.e2e.viewer import Viewer

JOBS = 12


async def submit_newer(stack: Stack, job_id: str) -> None:
    """Submits as a later chat-api would."""
    now_ms = time.time_ns() // 1_000_000
    job = ChatJob(
        job_id=job_id,
        session_id=f"newer-{job_id[:8]}",
        owner="anonymous",
        message="유리병은 어떻게 버려?",
        created_at_ms=now_ms,
    )
    log = RedisEventLog(stack.redis_server.url)
    await log.create(job_id, JobHead(job.owner, job.session_id, "", b'{"schema_version":2}', now_ms))
    await log.close()
    async with await aio_pika.connect(stack.rabbit.url) as connection:
        exchange = await (await connection.channel()).get_exchange(topology.EXCHANGE)
        message = aio_pika.Message(newer_worker.newer(job), message_id=job_id, correlation_id=job_id)
        await exchange.publish(message, topology.JOBS)


async def test_workers_are_replaced_by_those_of_a_later_version_under_way(
    stack: Stack, api: httpx.AsyncClient, make_load: MakeLoad
) -> None:
    (old,) = await stack.staff(1)
    newer_job = f"{random.getrandbits(128):032x}"
    await submit_newer(stack, newer_job)

    async def is_left_alone() -> bool:
        return await stack.depth(topology.LATER) == 1

    await until(is_left_alone)
    assert not await stack.take_dead()
    async with make_load("workers replaced by newer ones", JOBS, seed=23, spread_s=2) as run:
        await run.streaming(JOBS // 3)
        newer = stack.start_worker(newer_worker.__file__, DRAIN_S="0.2")
        await stack.until_consumers(2)
        old.signal(signal.SIGTERM)

    assert run.account == Account(accepted=JOBS, completed=JOBS)
    viewer = Viewer(api, f"{stack.api_url}/api/v1/chat/{newer_job}/events", random.Random(1))
    await viewer.watch()
    assert (viewer.end, viewer.ended["mood"], viewer.ended["attempts"]) == ("done", "good", 1)
    assert viewer.all("confetti") == [{"colour": "green"}]
    assert not viewer.is_doubled
    assert not viewer.is_misordered
    # And back again: what the newer one has begun goes on with an old one.
    stack.start_worker()
    await stack.until_consumers(2 + old.is_running)
    async with make_load("newer workers rolled back", JOBS, seed=24, spread_s=1) as back:
        await back.streaming(JOBS // 3)
        newer.signal(signal.SIGTERM)
    assert back.account == Account(accepted=JOBS, completed=JOBS)
    assert (old.exit_code, newer.exit_code) == (0, 0)
    assert not await stack.take_dead()
