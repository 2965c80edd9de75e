from collections.abc import AsyncIterator, Iterator

import psycopg
import pytest
import pytest_asyncio
from eco2_devservers import PostgresServer, RabbitServer, RedisServer

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


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    with PostgresServer() as server:
        yield server


@pytest.fixture
async def real_world(rabbit: RabbitServer, redis_server: RedisServer) -> AsyncIterator[RealWorld]:
    world = RealWorld(rabbit, redis_server)
    world.admin.flushall()
    yield world
    await world.close()


def _real_world(request: pytest.FixtureRequest) -> RealWorld:
    """Emptied of what other tests left."""
    servers = (request.getfixturevalue(name) for name in ("rabbit", "redis_server"))
    postgres: PostgresServer = request.getfixturevalue("postgres")
    made = RealWorld(*servers, database_url=postgres.url)
    made.admin.flushall()
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        for name in {name for (name,) in tables} & {"turns", "erased_jobs"}:
            connection.execute(f"TRUNCATE {name}")
    return made


@pytest.fixture(params=["memory", "real"])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    """Everything in memory, then RabbitMQ, Redis and PostgreSQL: both keep the same contract."""
    if request.param == "real":
        made = _real_world(request)
        # The broker's queue as well: what other tests have left there is none of this one's.
        await made.waiting_jobs()
        yield made
        await made.close()
    else:
        memory = MemoryWorld()
        yield memory
        await memory.close()


@pytest.fixture
async def memory_world() -> AsyncIterator[MemoryWorld]:
    world = MemoryWorld()
    yield world
    await world.close()


@pytest.fixture
async def api(world: World) -> AsyncIterator[Api]:
    """The API over each world in turn."""
    async with api_over(world) as made:
        yield made


@pytest.fixture
async def memory_api(memory_world: MemoryWorld) -> AsyncIterator[Api]:
    async with api_over(memory_world) as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def standing_api() -> AsyncIterator[Api]:
    """One API in memory for a whole file of small questions."""
    async with api_over(MemoryWorld()) as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["memory", "real"])
async def shared_world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    """As `world`, but one for a whole file."""
    if request.param == "real":
        made = _real_world(request)
        # The broker's queue as well: what other tests have left there is none of this one's.
        await made.waiting_jobs()
        yield made
        await made.close()
    else:
        yield MemoryWorld()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_api(shared_world: World) -> AsyncIterator[Api]:
    """As `api`, but one for a whole file."""
    async with api_over(shared_world) as made:
        yield made
