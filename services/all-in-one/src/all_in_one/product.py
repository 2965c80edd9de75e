"""Everything in one process: chat-api, chat-worker and the stand-in vendors, over the in-memory bus."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncGenerator, Coroutine, Generator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import uvicorn
from chat_api.app import create_app
from chat_api.auth.access import check_may_listen
from chat_api.claims import MemoryClaims
from chat_api.deps import Services, turn_store
from chat_api.known_hosts import known_hosts
from chat_api.server import ApiServer, listen
from chat_api.settings import ApiSettings
from chat_worker.bootstrap import open_consumer
from chat_worker.settings import WorkerSettings
from eco2_bus.dead_letters import MemoryDeadLetters
from eco2_bus.memory import MemoryEventLog, MemoryJobQueue
from eco2_bus.pictures import MemoryPictures
from eco2_character.server import open_server
from eco2_character.settings import CharacterSettings
from eco2_sandbox.app import create_app as create_sandbox
from eco2_sandbox.settings import Settings as SandboxSettings
from eco2_telemetry.process import settle
from eco2_telemetry.setup import set_up
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

GRACE_S = 3
"""Ctrl-C with open streams ends within 5 s."""
STAND_IN_PACE_MS = 12.0
"""A stand-in that answers at once would show nobody what streaming looks like."""
MESSAGING_SYSTEM = "memory"


class CannotListen(Exception):
    """The address is taken, or none of ours; the text says why."""


@dataclass(frozen=True)
class Product:
    """The running product."""

    url: str
    server: ApiServer
    uses_stand_ins: bool


class _InnerServer(uvicorn.Server):
    """A server whose life the process decides, not a signal."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


@asynccontextmanager
async def open_product(host: str, port: int) -> AsyncGenerator[Product]:
    """Starts the product; raises CannotListen and UnusableSettings before anything else is started."""
    api_settings, settings = ApiSettings(), WorkerSettings()
    check_may_listen(api_settings, host)
    with contextlib.closing(_listener(host, port)) as listener:
        api_telemetry = set_up("chat-api", log_level=api_settings.log_level)
        worker_telemetry = set_up("chat-worker", log_level=api_settings.log_level)
        log = MemoryEventLog(times=api_settings.log_times)
        queue = MemoryJobQueue(max_length=api_settings.queue_max_length, waiting_s=settings.input_wait_s)
        turns = turn_store(api_settings)
        pictures = MemoryPictures(
            kept_s=api_settings.picture_ttl_s, max_bytes=api_settings.pictures_max_bytes
        )
        services = Services(
            api_settings,
            queue,
            log,
            MemoryClaims(),
            api_telemetry,
            turns,
            pictures,
            MemoryDeadLetters(queue),
            MESSAGING_SYSTEM,
        )
        registry = CollectorRegistry()
        async with AsyncExitStack() as stack:
            stack.callback(worker_telemetry.shut_down)
            uses_stand_ins = not settings.openai_api_key.get_secret_value()
            if uses_stand_ins:
                settings = _with_stand_ins(settings, await stack.enter_async_context(_sandbox()))
            if not settings.character_target:
                target = await stack.enter_async_context(_characters(registry, api_settings.log_level))
                settings = settings.model_copy(update={"character_target": target})
            consumer = await stack.enter_async_context(
                open_consumer(
                    settings,
                    queue,
                    log,
                    turns,
                    pictures,
                    worker_telemetry,
                    registry=registry,
                    messaging_system=MESSAGING_SYSTEM,
                )
            )
            server = ApiServer(
                create_app(services, registry=registry, hosts=known_hosts(api_settings)),
                log,
                grace_s=GRACE_S,
                trusted_proxies=api_settings.trusted_proxies,
            )
            await stack.enter_async_context(_serving(server, listener))
            # Left in the reverse order: take no more jobs, end those under way, and only then close the bus.
            stack.push_async_callback(consumer.drain, 0.5)
            await stack.enter_async_context(_running(consumer.consume()))
            settle()
            address = f"[{host}]" if ":" in host else host
            yield Product(f"http://{address}:{listener.getsockname()[1]}", server, uses_stand_ins)


def _listener(host: str, port: int) -> socket.socket:
    try:
        return listen(host, port)
    except OSError as error:
        raise CannotListen(error.strerror) from error
    except OverflowError as error:
        raise CannotListen("ports end at 65535") from error


def _with_stand_ins(settings: WorkerSettings, url: str) -> WorkerSettings:
    """The sandbox as the model, and as every vendor that has no key."""
    return settings.model_copy(
        update={
            "openai_api_key": SecretStr("stand-in"),
            "openai_base_url": f"{url}/v1",
            "openai_model": "eco2-sandbox",
            "stand_ins_url": url,
            "is_sample_data": True,
        }
    )


@asynccontextmanager
async def _characters(registry: CollectorRegistry, log_level: str) -> AsyncGenerator[str]:
    """The character service in this process, over a real socket; yields its `host:port`."""
    # Whatever the environment says of a service that is deployed by itself does not apply in here.
    settings = CharacterSettings(host="127.0.0.1", port=0, tls_cert=None, tls_key=None)
    telemetry = set_up("character", log_level=log_level)
    async with open_server(settings, telemetry, registry=registry) as server:
        yield f"{server.host}:{server.port}"
    telemetry.shut_down()


@asynccontextmanager
async def _sandbox() -> AsyncGenerator[str]:
    sandbox = create_sandbox(SandboxSettings(token_ms=STAND_IN_PACE_MS, for_requests="stream"))
    server = _InnerServer(uvicorn.Config(sandbox, log_config=None, access_log=False, lifespan="off"))
    with contextlib.closing(listen("127.0.0.1", 0)) as listener:
        async with _serving(server, listener):
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@asynccontextmanager
async def _serving(server: uvicorn.Server, listener: socket.socket) -> AsyncGenerator[None]:
    task = asyncio.create_task(server.serve(sockets=[listener]))
    # uvicorn offers no event for this.
    while not server.started and not task.done():  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    try:
        yield
    finally:
        server.should_exit = True
        await task


@asynccontextmanager
async def _running(work: Coroutine[Any, Any, None]) -> AsyncGenerator[None]:
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
