"""What the API has answered outlives a failover to a replica that lagged."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import httpx
import pytest
import redis
from eco2_bus.redis_streams import log_key
from eco2_devservers import RabbitServer, RedisServer, TcpProxy

from tests.api.services import RealWorld
from tests.api.serving import Api, api_over

BODY = {"message": "페트병 어떻게 버려?"}


async def eventually(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while True:
            if holds():
                return
            await asyncio.sleep(0.001)


@dataclass
class Pair:
    """A master and its replica; the API and the replica each reach the master through a proxy."""

    master: RedisServer
    replica: RedisServer
    to_api: TcpProxy
    to_replica: TcpProxy

    def has_copied(self, job_id: str) -> bool:
        with redis.Redis(port=self.replica.port) as admin:
            return bool(admin.exists(log_key(job_id)))

    def waits_for_a_copy(self) -> bool:
        with redis.Redis(port=self.master.port) as admin:
            return bool(admin.info("clients")["blocked_clients"])

    async def fail_over_while(self, call: "asyncio.Task[httpx.Response]") -> httpx.Response:
        """Fails over as soon as the call waits for its copy, or has been answered without one."""
        await eventually(lambda: call.done() or self.waits_for_a_copy())
        os.kill(self.master.pid, signal.SIGKILL)
        with redis.Redis(port=self.replica.port) as admin:
            admin.replicaof("NO", "ONE")
        self.to_api.target_port = self.replica.port
        return await call


@pytest.fixture
async def pair() -> AsyncIterator[Pair]:
    with (
        RedisServer() as master,
        RedisServer(replica_of=master) as replica,
        TcpProxy(master.port) as to_api,
        TcpProxy(master.port) as to_replica,
    ):
        with redis.Redis(port=replica.port) as admin:
            admin.replicaof("127.0.0.1", to_replica.port)
            await eventually(lambda: admin.info("replication").get("master_link_status") == "up")
        yield Pair(master, replica, to_api, to_replica)
        # Before the proxies: a replica that reconnects while they close leaves a socket behind.
        replica.stop()


@pytest.fixture
async def api(pair: Pair, rabbit: RabbitServer) -> AsyncIterator[Api]:
    world = RealWorld(rabbit, pair.replica, redis_url=f"redis://127.0.0.1:{pair.to_api.port}/0")
    async with api_over(world) as made:
        yield made
    await world.close()


async def test_a_question_is_taken_only_when_a_replica_knows_it(pair: Pair, api: Api) -> None:
    for _ in range(5):
        assert pair.has_copied(await api.new_job())


async def test_a_question_that_the_failover_loses_is_refused_and_can_be_asked_again(
    pair: Pair, api: Api
) -> None:
    await api.new_job()
    pair.to_replica.block()
    asking = asyncio.create_task(api.post(BODY, idempotency_key="key-1"))
    response = await pair.fail_over_while(asking)
    assert response.status_code == 503, "answered before a replica had it"
    for _ in range(20):
        response = await api.post(BODY, idempotency_key="key-1")
        if response.status_code == 202:
            break
        await asyncio.sleep(0.2)
    assert (await api.status(response.json()["job_id"])).json()["status"] == "queued"


async def test_a_cancel_before_pickup_that_the_failover_loses_is_refused_and_can_be_repeated(
    pair: Pair, api: Api
) -> None:
    job_id = await api.new_job()
    pair.to_replica.block()
    response = await pair.fail_over_while(asyncio.create_task(api.cancel(job_id)))
    assert response.status_code == 503, "answered before a replica had it"
    for _ in range(20):
        response = await api.cancel(job_id)
        if response.status_code == 202:
            break
        await asyncio.sleep(0.2)
    assert (await api.status(job_id)).json()["status"] == "cancelled"
