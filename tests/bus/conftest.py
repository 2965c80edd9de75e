from collections.abc import AsyncIterator, Iterator

import pytest
from eco2_bus import redis_streams
from eco2_devservers import RabbitServer, RedisServer

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
