"""RabbitMQ, Redis and the API going away under load: late is allowed, lost or doubled is not."""

import asyncio

from eco2_devservers import TcpProxy

from tests.e2e.conftest import MakeLoad
from tests.e2e.driver import Account
from tests.e2e.stack import Stack, until_answering

JOBS = 24
SPREAD_S = 6
"""Some questions come before, some during and some after the outage."""


async def test_a_broker_that_stops_and_starts_loses_nothing(stack: Stack, make_load: MakeLoad) -> None:
    await stack.staff(2)
    async with make_load("RabbitMQ stop/start", JOBS, seed=11, spread_s=SPREAD_S) as run:
        await run.streaming(4)
        await asyncio.to_thread(stack.rabbit.stop)
        await asyncio.to_thread(stack.rabbit.start)
    assert run.account == Account(accepted=JOBS, completed=JOBS)
    await stack.until_consumers(2)
    assert not await stack.take_dead()


async def test_a_broker_that_is_killed_and_starts_loses_nothing(stack: Stack, make_load: MakeLoad) -> None:
    await stack.staff(2)
    await asyncio.to_thread(stack.rabbit.settle)
    async with make_load("RabbitMQ kill -9/start", JOBS, seed=12, spread_s=SPREAD_S) as run:
        await run.streaming(4)
        await asyncio.to_thread(stack.rabbit.kill)
        await asyncio.to_thread(stack.rabbit.start)
    assert run.account == Account(accepted=JOBS, completed=JOBS)
    await stack.until_consumers(2)
    assert not await stack.take_dead()


async def test_workers_cut_off_from_the_broker_in_mid_answer_share_their_jobs_anew(
    stack: Stack, make_load: MakeLoad
) -> None:
    await stack.staff(0)
    with TcpProxy(stack.rabbit.port) as proxy:
        for _ in range(2):
            stack.start_worker(AMQP_URL=stack.amqp_url(proxy.port))
        await stack.until_consumers(2)
        async with make_load("RabbitMQ connections cut, twice", JOBS, seed=15, spread_s=SPREAD_S) as run:
            for _ in range(2):
                await run.streaming(4)
                await asyncio.to_thread(proxy.cut)
                await stack.until_consumers(2)
        await stack.staff(0)
    assert run.account == Account(accepted=JOBS, completed=JOBS)
    assert [stack.failures(job.job_id) for job in run.jobs] == [0] * JOBS
    assert not await stack.take_dead()


async def test_a_redis_with_aof_that_is_killed_and_starts_loses_nothing(
    stack: Stack, make_load: MakeLoad
) -> None:
    await stack.staff(2)
    async with make_load("Redis kill -9/start, appendfsync always", JOBS, seed=13, spread_s=SPREAD_S) as run:
        await run.streaming(4)
        await asyncio.to_thread(stack.redis_server.kill)
        await asyncio.to_thread(stack.redis_server.start)
    assert run.account == Account(accepted=JOBS, completed=JOBS)
    assert sum(viewer.gaps for job in run.jobs for viewer in job.viewers) == 0


async def test_an_api_that_is_killed_and_starts_is_resumed_from(stack: Stack, make_load: MakeLoad) -> None:
    await stack.staff(2)
    async with make_load("API kill -9/start", JOBS, seed=14, spread_s=SPREAD_S) as run:
        await run.streaming(4)
        await asyncio.to_thread(stack.api.kill)
        stack.api.start()
        await until_answering(f"{stack.api_url}/readyz")
    assert run.account == Account(accepted=JOBS, completed=JOBS)
    assert all(not viewer.all("reset") for job in run.jobs for viewer in job.viewers)
