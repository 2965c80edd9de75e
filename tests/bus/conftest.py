from collections.abc import AsyncIterator, Callable, Iterator

import pytest
from eco2_bus import redis_streams
from eco2_bus.queue import JobQueue
from eco2_devservers import RabbitServer, RedisServer

from tests.bus.brokers import Broker, Consumer, MemoryBroker, RabbitBroker
from tests.bus.worlds import MemoryWorld, RedisWorld, World


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


@pytest.fixture(scope="session")
def rabbit() -> Iterator[RabbitServer]:
    with RabbitServer() as server:
        yield server


@pytest.fixture
def quick_quiet_check(monkeypatch: pytest.MonkeyPatch) -> None:
    """Viewers of a log that says nothing look for themselves after 50 ms instead of 15 s."""
    monkeypatch.setattr(redis_streams, "QUIET_CHECK_S", 0.05)


@pytest.fixture
async def redis_world(redis_server: RedisServer) -> AsyncIterator[RedisWorld]:
    world = RedisWorld(redis_server)
    yield world
    await world.close()


@pytest.fixture(params=["memory", "redis"])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    """Each of the two stores in turn: both keep the same contract."""
    made = MemoryWorld() if request.param == "memory" else RedisWorld(request.getfixturevalue("redis_server"))
    yield made
    await made.close()


@pytest.fixture
async def rabbit_broker(rabbit: RabbitServer) -> AsyncIterator[RabbitBroker]:
    broker = RabbitBroker(rabbit)
    await broker.empty()
    yield broker
    await broker.close()


@pytest.fixture(params=["memory", "rabbitmq"])
async def broker(request: pytest.FixtureRequest) -> AsyncIterator[Broker]:
    """Each of the two brokers in turn, with an empty queue: both keep the same contract."""
    if request.param == "memory":
        made: MemoryBroker | RabbitBroker = MemoryBroker()
    else:
        made = RabbitBroker(request.getfixturevalue("rabbit"))
        await made.empty()
    yield made
    await made.close()


@pytest.fixture
async def consumers() -> AsyncIterator[Callable[[JobQueue, int], Consumer]]:
    """Begins to consume; what is left over is stopped."""
    started: list[Consumer] = []

    def start(queue: JobQueue, prefetch: int) -> Consumer:
        started.append(Consumer(queue, prefetch))
        return started[-1]

    yield start
    for consumer in started:
        await consumer.stop()
