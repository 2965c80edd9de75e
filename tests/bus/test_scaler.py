"""What KEDA asks the broker for, in `k8s/components/autoscale`: jobs under way count like those that wait."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from eco2_bus import topology
from eco2_bus.queue import JobQueue
from eco2_bus.rabbitmq import RabbitJobQueue
from eco2_devservers import RabbitServer

from tests.bus.brokers import Consumer, new_job, soon

PLUGIN = "rabbitmq_management"
NOTHING = "^$"


@pytest.fixture(scope="module")
def managed() -> Iterator[RabbitServer]:
    """A broker with a user that may look at its queues and do nothing with them."""
    with RabbitServer(plugins=[PLUGIN]) as server:
        server.ctl("add_user", "keda", "password")
        server.ctl("set_user_tags", "keda", "management")
        server.ctl("set_permissions", "keda", NOTHING, NOTHING, NOTHING)
        yield server


async def _told_of(server: RabbitServer, held: int) -> dict[str, Any]:
    """What the management says of the jobs; it gathers its figures every few seconds."""
    async with httpx.AsyncClient(trust_env=False, auth=("keda", "password")) as client:
        while True:
            address = f"{server.plugin_url(PLUGIN)}/api/queues/%2F/{topology.JOBS}"
            told: dict[str, Any] = (await client.get(address)).raise_for_status().json()
            if told.get("messages_unacknowledged") == held:
                return told
            await asyncio.sleep(0.5)


async def test_a_scaler_is_told_of_jobs_under_way_by_the_management_alone(
    managed: RabbitServer, consumers: Callable[[JobQueue, int], Consumer]
) -> None:
    queue = RabbitJobQueue(managed.url, max_length=100, name="test")
    for _ in range(10):
        await queue.publish(new_job(), {})
    consumer = consumers(queue, 6)
    for _ in range(6):
        await consumer.next()

    told = await soon(_told_of(managed, 6))

    assert (told["messages"], told["messages_ready"]) == (10, 4)
    # As AMQP has it.
    assert await queue.depth() == 4
    await queue.close()
