"""How many streams a process keeps open, for all and for one user: a stream too many begins no job."""

import asyncio
import json
from typing import Any

import httpx
import pytest

from tests.api import documented
from tests.api.services import MemoryWorld
from tests.api.serving import QUESTION, STREAM, Api, api_over
from tests.api.viewer import Viewer
from tests.api.worker import answer

JSON = {"Content-Type": "application/json"}
UI_MESSAGE = {"id": "m-1", "role": "user", "parts": [{"type": "text", "text": QUESTION}]}
STREAMING_CALLS: list[tuple[str, dict[str, Any]]] = [
    ("/api/v1/chat", {"message": QUESTION}),
    ("/v1/chat/completions", {"model": "eco2-chat", "messages": [{"role": "user", "content": QUESTION}]}),
    ("/api/v1/ai-sdk/chat", {"id": "chat-1", "messages": [UI_MESSAGE]}),
]
LIMITS = [("limit_open_streams_per_user", 429), ("limit_open_streams", 503)]


async def until_closed(api: Api) -> None:
    """Until the process has no stream open any more."""
    metrics = ""
    async with asyncio.timeout(20):
        while "chat_api_open_streams 0.0" not in metrics:
            await asyncio.sleep(0.01)
            metrics = (await api.client.get("/metrics")).text


def plain_client(api: Api) -> httpx.AsyncClient:
    """One that expects no problem documents: below `/v1/` errors have another shape."""
    return httpx.AsyncClient(base_url=api.url, timeout=20, trust_env=False)


@pytest.mark.parametrize(("limit", "status"), LIMITS)
async def test_a_viewer_too_many_is_refused_until_another_one_leaves(
    memory_world: MemoryWorld, limit: str, status: int
) -> None:
    async with api_over(memory_world, **{limit: 2}) as api:
        job_id = await api.new_job()
        first, second = await api.events(job_id), await api.events(job_id)
        refused = await api.client.get(f"/api/v1/chat/{job_id}/events")

        problem = documented.problem_of(status, dict(refused.headers), refused.content)
        assert problem["code"] == "too_many_streams"
        metrics = (await api.client.get("/metrics")).text
        assert 'chat_api_rejections_total{reason="too_many_streams"} 1.0' in metrics
        # Only streams are limited: questions and answers are not.
        assert (await api.status(job_id)).status_code == 200
        await first.close()
        await second.close()
        await until_closed(api)
        for _ in range(2):
            async with await api.events(job_id) as viewer:
                assert viewer.status == 200
            await until_closed(api)


async def test_what_is_no_stream_after_all_leaves_at_once(memory_world: MemoryWorld) -> None:
    async with api_over(memory_world, limit_open_streams=1, limit_open_streams_per_user=1) as api:
        job_id = await api.new_job()
        await answer(api.log, job_id, "하나")
        last_id = str((await api.log.summary(job_id)).last.id)
        for _ in range(3):
            assert (await api.client.get(f"/api/v1/chat/{'0' * 32}/events")).status_code == 404
            async with await api.events(job_id, "nonsense") as viewer:
                assert viewer.status == 400
            async with await api.events(job_id, last_id) as viewer:
                assert viewer.status == 204
            async with await api.events(job_id) as viewer:
                assert (await viewer.rest())[-1].event == "done"
            await until_closed(api)


@pytest.mark.parametrize(("limit", "status"), LIMITS)
@pytest.mark.parametrize(("path", "body"), STREAMING_CALLS)
async def test_a_question_whose_stream_is_one_too_many_begins_no_job(
    memory_world: MemoryWorld, limit: str, status: int, path: str, body: dict[str, Any]
) -> None:
    async with api_over(memory_world, **{limit: 1}) as api:
        job_id = await api.new_job()
        await memory_world.waiting_jobs()
        async with await api.events(job_id):
            async with plain_client(api) as client:
                refused = await client.post(path, json=body, headers=STREAM)
            assert refused.status_code == status
            assert int(refused.headers["retry-after"]) > 0
            assert await memory_world.made.queue.depth() == 0
            if path == "/api/v1/chat":
                assert (await api.post()).status_code == 202
        await until_closed(api)
        asked = json.dumps({**body, "stream": True} if path.startswith("/v1/") else body).encode()
        headers = {**STREAM, **JSON}
        async with await Viewer.open(api.url, path, headers=headers, method="POST", body=asked) as viewer:
            assert viewer.status == 200
            assert (await api.client.get(f"/api/v1/chat/{job_id}/events")).status_code == status
        await until_closed(api)


async def test_a_refusal_below_v1_is_told_as_its_clients_expect(memory_world: MemoryWorld) -> None:
    async with api_over(memory_world, limit_open_streams_per_user=1, limit_submits_per_user="1/hour") as api:
        path, body = STREAMING_CALLS[1]
        async with plain_client(api) as client:
            async with await api.events(await api.new_job()):
                too_many = await client.post(path, json=body)
            await until_closed(api)
            too_often = await client.post(path, json=body)

    for refused in (too_many, too_often):
        assert refused.status_code == 429
        error = refused.json()["error"]
        assert (error["type"], error["code"]) == ("rate_limit_error", "rate_limit_exceeded")
        assert int(refused.headers["retry-after"]) > 0
    assert too_often.headers["ratelimit-policy"] == '"user";q=1;w=3600'
