"""chat-api on a loopback port, in this process."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator
from typing import Any

import httpx
from chat_api.app import create_app
from chat_api.deps import Services
from chat_api.server import ApiServer, listen
from eco2_bus.log import EventLog
from sse_starlette.sse import AppStatus

from tests.api import documented
from tests.api.services import World
from tests.api.viewer import Viewer

QUESTION = "페트병 어떻게 버려?"
STREAM = {"Accept": "text/event-stream"}


class Api:
    """A running API and the verbs that the tests are written in."""

    def __init__(self, base_url: str, client: httpx.AsyncClient, log: EventLog) -> None:
        self.url = base_url
        self.client = client
        self.log = log
        """The worker's view of the logs."""

    async def post(self, body: dict[str, Any] | None = None, **headers: str) -> httpx.Response:
        """Submits; header names are written with underscores."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.client.post("/api/v1/chat", json=body or {"message": QUESTION}, headers=sent)

    async def submit(self, **fields: Any) -> dict[str, Any]:
        """Submits a question that must be taken."""
        response = await self.post({"message": QUESTION, **fields})
        assert response.status_code == 202, response.text
        return response.json()

    async def new_job(self) -> str:
        return (await self.submit())["job_id"]

    async def status(self, job_id: str) -> httpx.Response:
        return await self.client.get(f"/api/v1/chat/{job_id}")

    async def cancel(self, job_id: str) -> httpx.Response:
        return await self.client.post(f"/api/v1/chat/{job_id}/cancel")

    async def events(
        self, job_id: str, last_event_id: str | None = None, *, query: str | None = None
    ) -> Viewer:
        """Opens the stream; the caller closes it."""
        path = f"/api/v1/chat/{job_id}/events" + (f"?last_event_id={query}" if query is not None else "")
        headers = {} if last_event_id is None else {"Last-Event-ID": last_event_id}
        return await Viewer.open(self.url, path, headers=headers)


@contextlib.asynccontextmanager
async def client_of(base_url: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client that holds every answer against the OpenAPI document."""
    hooks: dict[str, list[Any]] = {"response": [documented.check]}
    limits = httpx.Limits(max_connections=200)
    async with httpx.AsyncClient(
        base_url=base_url, timeout=20, event_hooks=hooks, limits=limits, trust_env=False
    ) as client:
        yield client


@contextlib.asynccontextmanager
async def serving(services: Services, *, grace_s: int = 5) -> AsyncIterator[tuple[str, ApiServer]]:
    """Serves until the block ends; gives the address and the server."""
    with listen("127.0.0.1", 0) as listener:
        app, trusted_proxies = create_app(services), services.settings.trusted_proxies
        server = ApiServer(app, services.log, grace_s=grace_s, trusted_proxies=trusted_proxies)
        task = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            while not server.started:
                assert not task.done()
                await asyncio.sleep(0.002)
            yield f"http://127.0.0.1:{listener.getsockname()[1]}", server
        finally:
            server.handle_exit(signal.SIGTERM, None)
            await asyncio.wait_for(task, grace_s + 10)
            # Belongs to the process, not to the server that was told to leave.
            AppStatus.should_exit = False


@contextlib.asynccontextmanager
async def api_over(world: World, **changes: Any) -> AsyncIterator[Api]:
    """An API process of the world's, with some settings changed."""
    async with serving(world.services(**changes)) as (url, _), client_of(url) as client:
        yield Api(url, client, world.log)
