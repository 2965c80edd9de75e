"""The gRPC server: the service, health, reflection, and a stop that loses no call."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import grpc
import grpc.aio
from eco2_character_api import SERVICE_NAME
from eco2_character_api.v1 import character_pb2_grpc as rpc
from eco2_telemetry.grpc import ServerSpans
from eco2_telemetry.setup import Telemetry
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from prometheus_client import CollectorRegistry

from eco2_character.calls import CharacterCalls
from eco2_character.catalogue import load
from eco2_character.certificate import credentials_of
from eco2_character.metrics import CallMetrics
from eco2_character.settings import CharacterSettings

_OPTIONS = (
    # Two servers on one port would share its calls without a word.
    ("grpc.so_reuseport", 0),
    ("grpc.max_receive_message_length", 64 * 1024),
    ("grpc.max_send_message_length", 1024 * 1024),
    # Answers a client's pings every 10 s and more, also between calls; finds dead clients by itself.
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.min_recv_ping_interval_without_data_ms", 10_000),
    ("grpc.http2.max_pings_without_data", 0),
    # Clients come back now and then, and so find replicas that were added.
    ("grpc.max_connection_age_ms", 10 * 60_000),
    ("grpc.max_connection_age_grace_ms", 10_000),
)


# These packages come without types.
_health: Any = health
_health_rpc: Any = health_pb2_grpc


class CannotListen(Exception):
    """The address is taken or none of ours, or the certificate cannot be used."""


@dataclass(frozen=True)
class CharacterServer:
    """The running server; `port` is the real one where the settings say 0."""

    host: str
    port: int


@asynccontextmanager
async def open_server(
    settings: CharacterSettings,
    telemetry: Telemetry,
    *,
    registry: CollectorRegistry | None = None,
    interceptors: tuple[grpc.aio.ServerInterceptor, ...] = (),
) -> AsyncGenerator[CharacterServer]:
    """Serves while the context lasts; raises BadCatalogue or CannotListen.

    Leaving it says NOT_SERVING first, takes no new calls, and lets those under way finish within the grace.
    """
    calls = CharacterCalls(load(settings.catalogue))
    server = grpc.aio.server(
        interceptors=(
            ServerSpans(telemetry.tracer),
            CallMetrics(registry or CollectorRegistry()),
            *interceptors,
        ),
        options=_OPTIONS,
        maximum_concurrent_rpcs=settings.max_calls,
    )
    rpc.add_CharacterServiceServicer_to_server(calls, server)
    state = _health.aio.HealthServicer()
    _health_rpc.add_HealthServicer_to_server(state, server)
    reflection.enable_server_reflection((SERVICE_NAME, health.SERVICE_NAME, reflection.SERVICE_NAME), server)
    port = _listen(server, settings)
    await server.start()
    try:
        await state.set(SERVICE_NAME, health_pb2.HealthCheckResponse.SERVING)
        yield CharacterServer(settings.host, port)
    finally:
        await state.enter_graceful_shutdown()
        await server.stop(settings.grace_s)


def _listen(server: grpc.aio.Server, settings: CharacterSettings) -> int:
    try:
        if settings.tls_cert is None or settings.tls_key is None:
            return server.add_insecure_port(settings.address)
        credentials = credentials_of(settings.tls_cert, settings.tls_key)
        return server.add_secure_port(settings.address, credentials)
    except OSError as error:
        raise CannotListen(f"cannot read the certificate or its key: {error}") from error
    except RuntimeError as error:
        raise CannotListen(f"cannot listen on {settings.address}") from error
