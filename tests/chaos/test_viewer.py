"""A viewer takes whole events only, comes back after the last one, and stays until it has seen the end."""

import random
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web

from chaos.ledger import Asked, Ledger, View
from chaos.question import Question
from chaos.viewer import Habits, Viewer

LOG = [
    ("0-1", "queued", '{"job_id": "j1"}'),
    ("1-1", "started", "{}"),
    ("1-2", "token", '{"text": "a1.0 "}'),
    ("1-3", "done", '{"answer": "a1.0 "}'),
]


class CuttingApi:
    """Serves the log from the id that is asked for, and hangs up after a few bytes more each time."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.url = ""

    async def events(self, request: web.Request) -> web.StreamResponse:
        after = request.headers.get("Last-Event-ID", "")
        self.asked.append(after)
        frames = [f"id: {i}\nevent: {e}\ndata: {d}\n\n" for i, e, d in LOG if not after or i > after]
        reply = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await reply.prepare(request)
        whole = f"retry: 2000\n: stream\n\n{''.join(frames)}"
        await reply.write(whole[: 20 + 30 * len(self.asked)].encode())
        return reply


@pytest.fixture
async def api() -> AsyncIterator[CuttingApi]:
    api = CuttingApi()
    app = web.Application()
    app.router.add_get("/api/v1/chat/j1/events", api.events)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    api.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield api
    await runner.cleanup()


async def test_a_viewer_that_is_cut_off_again_and_again_sees_every_event_once(api: CuttingApi) -> None:
    job = Asked(Question("a1", 1), "a1", job_ids=["j1"])
    view = View("viewer 1")
    viewer = Viewer(job, view, [api.url], Ledger(), random.Random(1), Habits(restless=0))
    async with aiohttp.ClientSession() as http:
        await viewer.watch(http)
    assert [event_id for event_id, _, _ in view.events] == ["0-1", "1-1", "1-2", "1-3"]
    assert view.texts == ["a1.0 "]
    assert job.ended_at > 0
    assert api.asked[0] == ""
    assert len(api.asked) > 3
