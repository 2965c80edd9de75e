"""Starting, serving and leaving."""

import asyncio
from contextlib import AsyncExitStack

import grpc.aio
import pytest
from chat_worker.errors import Transient
from eco2_character.server import CannotListen, open_server
from eco2_character.settings import CharacterSettings
from eco2_character_api import SERVICE_NAME
from grpc_health.v1 import health_pb2, health_pb2_grpc
from prometheus_client import CollectorRegistry

from tests.character.running import LIMIT_S, Gate, Spans, asking, serving

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


async def test_leaving_says_so_and_lets_a_call_under_way_finish(spans: Spans) -> None:
    gate = Gate()
    async with AsyncExitStack() as clients, asyncio.timeout(LIMIT_S):
        service = AsyncExitStack()
        port = await service.enter_async_context(serving(spans.service, before=gate.hold, grace_s=LIMIT_S))
        characters = await clients.enter_async_context(asking(spans.worker, port))
        channel = await clients.enter_async_context(grpc.aio.insecure_channel(f"127.0.0.1:{port}"))
        health = health_pb2_grpc.HealthStub(channel).Watch(
            health_pb2.HealthCheckRequest(service=SERVICE_NAME)
        )
        first = await health.read()
        under_way = asyncio.create_task(characters.match("종이"))
        await gate.entered.wait()

        leaving = asyncio.create_task(service.aclose())
        then = await health.read()
        health.cancel()
        was_leaving = not leaving.done()
        gate.opened.set()

        assert (first.status, then.status) == (SERVING, NOT_SERVING)
        assert was_leaving
        assert (await under_way).name == "사각이"
        await leaving


async def test_leaving_waits_no_longer_than_the_grace(spans: Spans) -> None:
    gate = Gate()
    async with asyncio.timeout(LIMIT_S), AsyncExitStack() as service:
        port = await service.enter_async_context(serving(spans.service, before=gate.hold, grace_s=0.1))
        async with asking(spans.worker, port) as characters:
            under_way = asyncio.create_task(characters.match("종이"))
            await gate.entered.wait()

            await service.aclose()

            with pytest.raises(Transient):
                await under_way
        assert gate.cancelled.is_set()


async def test_a_port_that_is_taken_is_refused(spans: Spans, port: int) -> None:
    with pytest.raises(CannotListen, match=str(port)):
        async with open_server(CharacterSettings(port=port), spans.service):
            pytest.fail("two servers share a port")


async def test_calls_are_counted_by_method_and_code(spans: Spans) -> None:
    registry = CollectorRegistry()
    async with (
        open_server(CharacterSettings(port=0), spans.service, registry=registry) as server,
        asking(spans.worker, server.port) as characters,
    ):
        await characters.match("종이")
        await asyncio.gather(characters.match("우라늄"), return_exceptions=True)

    def calls(code: str) -> float | None:
        return registry.get_sample_value(
            "character_requests_total", {"method": "MatchCharacter", "code": code}
        )

    assert (calls("OK"), calls("NOT_FOUND")) == (1, 1)
    assert (
        registry.get_sample_value("character_request_duration_seconds_count", {"method": "MatchCharacter"})
        == 2
    )


async def test_more_calls_than_allowed_are_refused(spans: Spans) -> None:
    gate = Gate()
    async with (
        asyncio.timeout(LIMIT_S),
        serving(spans.service, before=gate.hold, max_calls=1) as port,
        asking(spans.worker, port) as characters,
    ):
        first = asyncio.create_task(characters.match("종이"))
        await gate.entered.wait()

        with pytest.raises(Transient, match="RESOURCE_EXHAUSTED"):
            await characters.match("종이")

        gate.opened.set()
        assert (await first).name == "사각이"
