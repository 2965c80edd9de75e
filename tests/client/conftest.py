from collections.abc import AsyncIterator, Iterator

import pytest
from eco2_devservers import RabbitServer, RedisServer, TcpProxy

from tests.api.services import MemoryWorld, RealWorld, World
from tests.api.serving import Api, api_over


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


@pytest.fixture(scope="session")
def rabbit() -> Iterator[RabbitServer]:
    with RabbitServer() as server:
        yield server


@pytest.fixture
async def real_world(rabbit: RabbitServer, redis_server: RedisServer) -> AsyncIterator[RealWorld]:
    world = RealWorld(rabbit, redis_server)
    world.admin.flushall()
    await world.waiting_jobs()
    yield world
    await world.close()


@pytest.fixture(params=["memory", "real"])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    """Everything in memory, then RabbitMQ and Redis."""
    if request.param == "memory":
        memory = MemoryWorld()
        yield memory
        await memory.close()
        return
    made = RealWorld(request.getfixturevalue("rabbit"), request.getfixturevalue("redis_server"))
    made.admin.flushall()
    await made.waiting_jobs()
    yield made
    await made.close()


@pytest.fixture
async def api(world: World) -> AsyncIterator[Api]:
    async with api_over(world, heartbeat_s=0.5) as made:
        yield made


@pytest.fixture
async def memory_world() -> AsyncIterator[MemoryWorld]:
    world = MemoryWorld()
    yield world
    await world.close()


@pytest.fixture
async def memory_api(memory_world: MemoryWorld) -> AsyncIterator[Api]:
    async with api_over(memory_world, heartbeat_s=0.5) as made:
        yield made


def port_of(url: str) -> int:
    return int(url.rpartition(":")[2])


@pytest.fixture
def network(api: Api) -> Iterator[TcpProxy]:
    """The network between the client and the API."""
    with TcpProxy(port_of(api.url)) as proxy:
        yield proxy


@pytest.fixture
def memory_network(memory_api: Api) -> Iterator[TcpProxy]:
    with TcpProxy(port_of(memory_api.url)) as proxy:
        yield proxy
