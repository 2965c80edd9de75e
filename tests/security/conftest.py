from collections.abc import AsyncIterator

import pytest_asyncio

from tests.api.services import MemoryWorld
from tests.api.serving import Api, api_over


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world() -> AsyncIterator[MemoryWorld]:
    world = MemoryWorld()
    yield world
    await world.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def api(world: MemoryWorld) -> AsyncIterator[Api]:
    """One API in memory for a whole file; every answer is held against the OpenAPI document."""
    async with api_over(world) as made:
        yield made
