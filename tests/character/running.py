"""The character service and the worker's client for it, over a real loopback socket."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc
import grpc.aio
from chat_worker.adapters.character_grpc import GrpcCharacters
from eco2_character.server import open_server
from eco2_character.settings import CharacterSettings
from eco2_telemetry.grpc import Context
from eco2_telemetry.setup import Telemetry
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

LIMIT_S = 15
Before = Callable[[Context], Awaitable[None]]


class Spans:
    """What the two services have traced, each with a provider of its own."""

    def __init__(self) -> None:
        self.exporter = InMemorySpanExporter()
        self.worker = self._telemetry("chat-worker")
        self.service = self._telemetry("character")

    def _telemetry(self, name: str) -> Telemetry:
        provider = TracerProvider(resource=Resource({"service.name": name}), shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        return Telemetry(provider)


class Beforehand(grpc.aio.ServerInterceptor):
    """Does something before each call of the service proper; it may wait or abort."""

    def __init__(self, before: Before) -> None:
        self._before = before

    async def intercept_service(self, continuation: Any, handler_call_details: Any) -> Any:
        handler = await continuation(handler_call_details)
        if not handler_call_details.method.startswith("/eco2."):
            return handler

        async def answer(request: Any, context: Context) -> Any:
            await self._before(context)
            return await handler.unary_unary(request, context)

        return grpc.unary_unary_rpc_method_handler(
            answer, handler.request_deserializer, handler.response_serializer
        )


class Gate:
    """Holds calls until it is opened, and tells when one has come and whether it was cancelled."""

    def __init__(self) -> None:
        self.entered = asyncio.Event()
        self.opened = asyncio.Event()
        self.cancelled = asyncio.Event()

    async def hold(self, _context: Context) -> None:
        self.entered.set()
        try:
            await self.opened.wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise


@asynccontextmanager
async def serving(
    telemetry: Telemetry, *, port: int = 0, before: Before | None = None, **settings: Any
) -> AsyncIterator[int]:
    """The service's port."""
    interceptors = (Beforehand(before),) if before else ()
    made = CharacterSettings(port=port, **settings)
    async with open_server(made, telemetry, interceptors=interceptors) as server:
        yield server.port


@asynccontextmanager
async def asking(telemetry: Telemetry, port: int, **options: Any) -> AsyncIterator[GrpcCharacters]:
    """The worker's client; a test's deadline is long unless it says otherwise, as machines may be slow."""
    options.setdefault("deadline_s", LIMIT_S)
    client = GrpcCharacters(f"127.0.0.1:{port}", telemetry.tracer, **options)
    try:
        yield client
    finally:
        await client.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
