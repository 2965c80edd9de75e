"""A question over HTTP, through RabbitMQ, the worker and Redis, back as a streamed answer."""

import asyncio

import httpx
from eco2_bus import topology

from tests.e2e.conftest import PACE
from tests.e2e.driver import Load
from tests.e2e.stack import Stack, until


async def test_a_korean_waste_question_is_answered_from_the_guide(stack: Stack, run: Load) -> None:
    await stack.staff(1)
    job = await run.ask("다 쓴 페트병은 어떻게 버려?", viewers=1)
    await run.ended()
    (viewer,) = job.viewers
    assert viewer.end == "done"
    assert viewer.text == viewer.ended["answer"]
    assert viewer.ended["intents"] == ["waste"]
    sources = viewer.ended["sources"]
    assert "페트병" in sources[0]["title"]
    assert all(source["document"] and source["section"] for source in sources)
    (told,) = viewer.all("sources")
    assert [_known(source) for source in told] == [_known(source) for source in sources]
    stages = [(stage["node"], stage["status"]) for stage in viewer.all("stage")]
    nodes = ("intent", "waste_rag", "answer")
    assert stages == [(node, status) for node in nodes for status in ("started", "completed")]
    assert viewer.ended["trace_id"] == viewer.all("queued")[0]["trace_id"] != ""


def _known(source: dict[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in source.items() if value is not None}


async def test_a_follow_up_question_is_understood_from_the_one_before(
    stack: Stack, sandbox: httpx.AsyncClient, run: Load
) -> None:
    await sandbox.put("/sandbox/behaviour", json={})
    await stack.staff(1)
    first = await run.ask("건전지는 어디에 버려?", viewers=1)
    await run.ended()
    second = await run.ask("그건 어떻게 버려?", viewers=1, session_id=first.session_id)
    stranger = await run.ask("그건 어떻게 버려?", viewers=1)
    await run.ended()
    assert any("건전지" in source["title"] for source in second.viewers[0].ended["sources"])
    assert stranger.viewers[0].ended["sources"] == []


async def test_a_cancel_reaches_the_model_and_no_more_tokens_come(
    stack: Stack, sandbox: httpx.AsyncClient, run: Load
) -> None:
    await sandbox.put(
        "/sandbox/behaviour", json={"token_ms": 20, "answer_tokens": 3_000, "for_requests": "stream"}
    )
    await stack.staff(1)
    before = (await sandbox.get("/sandbox/requests")).json()["stream"]["closed_early"]
    job = await run.ask("페트병은 어떻게 버려?")
    await run.streaming(1)
    assert (await run.api.post(f"/api/v1/chat/{job.job_id}/cancel")).status_code == 202
    await run.ended(5)

    async def is_closed() -> bool:
        return (await sandbox.get("/sandbox/requests")).json()["stream"]["closed_early"] == before + 1

    await until(is_closed, 5)
    assert (await run.api.post(f"/api/v1/chat/{job.job_id}/cancel")).status_code == 200
    for viewer in job.viewers:
        assert (viewer.end, viewer.text) == ("cancelled", viewer.ended["answer"])
        assert viewer.ended["usage"]["estimated"]


async def test_a_model_that_always_breaks_off_ends_in_an_error_and_a_dead_letter(
    stack: Stack, sandbox: httpx.AsyncClient, run: Load
) -> None:
    await sandbox.put("/sandbox/behaviour", json={"break_after_tokens": 5, "for_requests": "stream"})
    await stack.staff(1)
    await stack.take_dead()
    job = await run.ask("페트병은 어떻게 버려?")
    await run.ended()
    for viewer in job.viewers:
        assert (viewer.end, viewer.ended["code"]) == ("error", "attempts_exhausted")
        assert len(viewer.all("reset")) == 2
        assert not viewer.is_doubled
    await until(lambda: _has_depth(stack, topology.DEAD, 1))
    assert await stack.depth(topology.JOBS) == 0

    await sandbox.put("/sandbox/behaviour", json=PACE)
    (replayed,) = await stack.dead_letters("replay", job.job_id)
    await until(lambda: _is_answered(stack, job.session_id, replayed["replayed_as"]))
    assert not await stack.take_dead()
    assert (await run.api.get(f"/api/v1/chat/{job.job_id}")).json()["status"] == "error"


async def _is_answered(stack: Stack, session_id: str, job_id: str) -> bool:
    async with httpx.AsyncClient(base_url=stack.api_url) as client:
        told = (await client.get(f"/api/v1/sessions/{session_id}/turns")).json()["turns"]
    return [(turn["job_id"], turn["status"]) for turn in told[1:]] == [(job_id, "done")]


async def _has_depth(stack: Stack, queue: str, depth: int) -> bool:
    await asyncio.sleep(0.1)
    return await stack.depth(queue) == depth
