"""What the API has answered outlives a failover to a replica that lagged."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
import redis
from eco2_devservers import RabbitServer

from tests.api.services import RealWorld
from tests.api.serving import Api, api_over
from tests.bus.redis_pair import Pair, redis_pair
from tests.bus.worlds import eventually

BODY = {"message": "페트병 어떻게 버려?"}


def waits_for_a_copy(pair: Pair) -> bool:
    with redis.Redis(port=pair.master.port) as admin:
        return bool(admin.info("clients")["blocked_clients"])


async def fail_over_while(pair: Pair, call: "asyncio.Task[httpx.Response]") -> httpx.Response:
    """Fails over as soon as the call waits for its copy, or has been answered without one."""
    await eventually(lambda: call.done() or waits_for_a_copy(pair))
    await pair.fail_over()
    return await call


@pytest.fixture
async def pair() -> AsyncIterator[Pair]:
    async with redis_pair() as made:
        yield made


@pytest.fixture
async def api(pair: Pair, rabbit: RabbitServer) -> AsyncIterator[Api]:
    world = RealWorld(rabbit, pair.replica, redis_url=pair.url)
    async with api_over(world) as made:
        yield made
    await world.close()


async def test_a_question_is_taken_only_when_a_replica_knows_it(pair: Pair, api: Api) -> None:
    for _ in range(5):
        assert pair.replica_length(await api.new_job()) > 0


async def test_a_question_that_the_failover_loses_is_refused_and_can_be_asked_again(
    pair: Pair, api: Api
) -> None:
    await api.new_job()
    pair.to_replica.block()
    asking = asyncio.create_task(api.post(BODY, idempotency_key="key-1"))
    response = await fail_over_while(pair, asking)
    assert response.status_code == 503, "answered before a replica had it"
    for _ in range(20):
        response = await api.post(BODY, idempotency_key="key-1")
        if response.status_code == 202:
            break
        await asyncio.sleep(0.2)
    assert (await api.status(response.json()["job_id"])).json()["status"] == "queued"


async def test_of_questions_that_come_together_none_is_taken_that_the_failover_loses(
    pair: Pair, api: Api
) -> None:
    await api.new_job()
    pair.to_replica.block()
    asking = [asyncio.create_task(api.post(BODY)) for _ in range(3)]
    await eventually(lambda: waits_for_a_copy(pair))
    await pair.fail_over()
    statuses = [(await call).status_code for call in asking]
    assert statuses == [503] * 3, "answered before a replica had it"


async def test_a_cancel_before_pickup_that_the_failover_loses_is_refused_and_can_be_repeated(
    pair: Pair, api: Api
) -> None:
    job_id = await api.new_job()
    pair.to_replica.block()
    response = await fail_over_while(pair, asyncio.create_task(api.cancel(job_id)))
    assert response.status_code == 503, "answered before a replica had it"
    for _ in range(20):
        response = await api.cancel(job_id)
        if response.status_code == 202:
            break
        await asyncio.sleep(0.2)
    assert (await api.status(job_id)).json()["status"] == "cancelled"
