from collections.abc import AsyncIterator

import grpc.aio
import pytest
from chat_worker.adapters.character_grpc import GrpcCharacters

from tests.character.running import Spans, asking, serving


@pytest.fixture
def spans() -> Spans:
    return Spans()


@pytest.fixture
async def port(spans: Spans) -> AsyncIterator[int]:
    """A service that runs."""
    async with serving(spans.service) as port:
        yield port


@pytest.fixture
async def characters(spans: Spans, port: int) -> AsyncIterator[GrpcCharacters]:
    """The worker's client of it."""
    async with asking(spans.worker, port) as client:
        yield client


@pytest.fixture
async def channel(port: int) -> AsyncIterator[grpc.aio.Channel]:
    """Anybody's client of it."""
    async with grpc.aio.insecure_channel(
        f"127.0.0.1:{port}", options=[("grpc.enable_http_proxy", 0)]
    ) as channel:
        yield channel
