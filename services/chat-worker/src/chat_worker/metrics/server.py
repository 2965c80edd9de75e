"""`/metrics`, `/livez` and `/readyz` of the worker, on a port of their own."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import web
from eco2_bus.log import EventLog, LogUnavailable
from eco2_bus.queue import JobQueue, QueueUnavailable
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

CHECK_TIMEOUT_S = 2.0


@asynccontextmanager
async def serving(
    host: str, port: int, registry: CollectorRegistry, queue: JobQueue, log: EventLog
) -> AsyncGenerator[None]:
    """Serves while the context lasts; raises OSError when the port is taken."""

    async def livez(_request: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def readyz(_request: web.Request) -> web.Response:
        states = await asyncio.gather(_state(queue.check), _state(log.check))
        dependencies = dict(zip(("queue", "log"), states, strict=True))
        is_ready = set(states) == {"ok"}
        body = {"status": "ok" if is_ready else "unavailable", "dependencies": dependencies}
        return web.json_response(body, status=200 if is_ready else 503)

    async def metrics(request: web.Request) -> web.Response:
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        return web.Response(body=encode(registry), headers={"Content-Type": content_type})

    app = web.Application()
    app.add_routes([web.get("/livez", livez), web.get("/readyz", readyz), web.get("/metrics", metrics)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        yield
    finally:
        await runner.cleanup()


async def _state(check: Callable[[], Awaitable[None]]) -> str:
    try:
        await asyncio.wait_for(check(), CHECK_TIMEOUT_S)
    except (LogUnavailable, QueueUnavailable, TimeoutError):
        return "down"
    return "ok"
