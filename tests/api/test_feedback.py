"""What users think of an answer: who may say so and when, what is counted, and what LangSmith is told."""

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
from chat_api.feedback import run_id_of
from eco2_bus.events import Ended, to_json
from eco2_bus.log import Claim, KeptAnswer

from tests.api.services import MemoryWorld, begin_log, new_id
from tests.api.serving import Api, api_over
from tests.api.test_metrics import Figures
from tests.api.test_waiting import waiting
from tests.api.worker import Worker, answer
from tests.worker_telemetry.ingest import Ingest, ingesting

KEY = "lsv2_pt_0123456789abcdef"


async def rate(api: Api, job_id: str, score: object = 1, **more: object) -> httpx.Response:
    return await api.client.post(f"/api/v1/chat/{job_id}/feedback", json={"score": score, **more})


async def answered(api: Api) -> str:
    job_id = await api.new_job()
    await answer(api.log, job_id, "라벨을 떼요.")
    return job_id


@pytest.fixture
def langsmith() -> Iterator[Ingest]:
    with ingesting() as ingest:
        yield ingest


def follows(langsmith: Ingest, **changes: str) -> dict[str, str]:
    """The settings of an API beside a worker that sends its runs there."""
    native = {"langchain_tracing_v2": "true", "langchain_api_key": KEY, "langchain_endpoint": langsmith.url}
    return {**native, **changes}


@pytest.fixture
async def telling_api(memory_world: MemoryWorld, langsmith: Ingest) -> AsyncIterator[Api]:
    async with api_over(memory_world, **follows(langsmith)) as api:
        yield api


@pytest.mark.parametrize("event", ["done", "error", "cancelled"])
@pytest.mark.parametrize("has_log", [True, False])
async def test_an_ended_job_can_be_rated_with_and_without_its_log(
    api: Api, event: str, has_log: bool
) -> None:
    job_id = await api.new_job()
    await answer(api.log, job_id, "라벨을 떼요.", event=event)
    if not has_log:
        await api.log.discard(job_id)

    response = await rate(api, job_id, 0, comment="틀렸어요")

    assert (response.status_code, response.content) == (204, b"")


async def test_ratings_are_counted_by_score(memory_api: Api) -> None:
    figures = Figures(memory_api)
    assert await figures.get("chat_feedback_total", score="0") == 0
    for score in (1, 0, 1):
        await rate(memory_api, await answered(memory_api), score)

    assert await figures.get("chat_feedback_total", score="1") == 2
    assert await figures.get("chat_feedback_total", score="0") == 1


@pytest.mark.parametrize("has_log", [True, False])
async def test_an_answer_is_counted_once_however_often_its_user_rates_it(api: Api, has_log: bool) -> None:
    figures, job_id = Figures(api), await answered(api)
    await rate(api, job_id, 1)
    if not has_log:
        await api.log.discard(job_id)
    for change in ({}, {"comment": "틀렸어요"}):
        assert (await rate(api, job_id, 0, **change)).status_code == 204

    assert await figures.get("chat_feedback_total", score="1") == 1
    assert await figures.get("chat_feedback_total", score="0") == 0


async def test_a_job_that_runs_cannot_be_rated_yet(memory_api: Api) -> None:
    figures, job_id = Figures(memory_api), await memory_api.new_job()
    queued = await rate(memory_api, job_id)
    await Worker.begin(memory_api.log, job_id)
    running = await rate(memory_api, job_id)

    assert [(one.status_code, one.json()["code"]) for one in (queued, running)] == [(409, "not_ended")] * 2
    assert await figures.get("chat_feedback_total", score="1") == 0


async def test_unknown_and_somebody_elses_jobs_are_not_found(memory_api: Api) -> None:
    others, kept = [await begin_log(memory_api.log, owner="somebody-else") for _ in range(2)]
    await answer(memory_api.log, others, "비밀")
    ended = to_json(Ended(answer="비밀", attempts=1, trace_id=""))
    await memory_api.log.keep_answer(kept, KeptAnswer("somebody-else", "s", "done", ended))
    await memory_api.log.discard(kept)

    for job_id in (new_id(), "no-id", others, kept):
        response = await rate(memory_api, job_id)
        assert (response.status_code, response.json()["code"]) == (404, "job_not_found")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"score": 2},
        {"score": -1},
        {"score": 0.5},
        {"score": True},
        {"score": "1"},
        {"score": None},
        {"score": 1, "comment": "가" * 1_001},
        {"score": 1, "comment": 7},
        {"score": 1, "comment": "\ud800"},
        {"score": 1, "extra": 1},
    ],
)
async def test_what_is_no_rating_is_refused_and_not_counted(memory_api: Api, body: dict[str, object]) -> None:
    figures, job_id = Figures(memory_api), await answered(memory_api)

    response = await memory_api.client.post(
        f"/api/v1/chat/{job_id}/feedback",
        content=json.dumps(body),
        headers={"Content-Type": "application/json"},
    )

    assert response.status_code == 422
    assert await figures.get("chat_feedback_total", score="1") == 0


async def test_langsmith_is_told_of_the_run_that_answered(telling_api: Api, langsmith: Ingest) -> None:
    job_id = await telling_api.new_job()
    await Worker.begin(telling_api.log, job_id)
    again = await Worker.begin(telling_api.log, job_id, Claim.REDELIVERED)
    await again.say("라벨을 떼요.")
    await again.end()

    assert (await rate(telling_api, job_id, 0, comment="가" * 1_000)).status_code == 204
    await asyncio.to_thread(langsmith.wait, lambda: langsmith.feedback)

    (told,) = langsmith.feedback
    assert told["run_id"] == told["trace_id"] == str(run_id_of(job_id, 2))
    assert (told["key"], told["score"], told["comment"]) == ("user_score", 0, "가" * 1_000)
    assert langsmith.requests == [("POST", "/feedback", KEY)]


async def test_feedback_reaches_the_run_also_when_only_its_answer_is_kept(
    telling_api: Api, langsmith: Ingest
) -> None:
    job_id = await answered(telling_api)
    await telling_api.log.discard(job_id)

    await rate(telling_api, job_id)
    await asyncio.to_thread(langsmith.wait, lambda: langsmith.feedback)

    assert langsmith.feedback[0]["run_id"] == str(run_id_of(job_id, 1))


async def test_the_run_that_asked_can_be_rated_when_its_wait_was_cancelled(
    telling_api: Api, langsmith: Ingest
) -> None:
    job_id = await waiting(telling_api)
    await telling_api.cancel(job_id)
    await rate(telling_api, job_id, 0)
    await asyncio.to_thread(langsmith.wait, lambda: langsmith.feedback)

    assert langsmith.feedback[0]["run_id"] == str(run_id_of(job_id, 1))


async def test_a_job_that_nobody_has_run_has_no_run_to_rate(telling_api: Api, langsmith: Ingest) -> None:
    never_run, run = await telling_api.new_job(), await answered(telling_api)
    await telling_api.cancel(never_run)

    assert (await rate(telling_api, never_run)).status_code == 204
    assert (await rate(telling_api, run)).status_code == 204
    await asyncio.to_thread(langsmith.wait, lambda: langsmith.feedback)

    assert [told["run_id"] for told in langsmith.feedback] == [str(run_id_of(run, 1))]


@pytest.mark.parametrize("trouble", ["hangs", "refuses", "down"])
async def test_langsmith_in_trouble_is_nobodys_error(
    memory_world: MemoryWorld, langsmith: Ingest, trouble: str, caplog: pytest.LogCaptureFixture
) -> None:
    changes = {"langchain_endpoint": "http://127.0.0.1:9"} if trouble == "down" else {}
    if trouble != "down":
        getattr(langsmith, trouble).set()
    with caplog.at_level(logging.WARNING):
        async with api_over(memory_world, **follows(langsmith, **changes)) as api:
            job_id = await answered(api)
            began = time.monotonic()
            for _ in range(20):
                assert (await rate(api, job_id, comment="칸막이")).status_code == 204
            took_s = time.monotonic() - began
            leaving = time.monotonic()

    assert took_s < 2
    assert time.monotonic() - leaving < 2
    assert KEY not in caplog.text
    assert "칸막이" not in caplog.text


@pytest.mark.parametrize(
    "changes",
    [
        {"langchain_tracing_v2": ""},
        {"langchain_tracing_v2": "false"},
        {"langchain_api_key": ""},
        {"langsmith_otel_enabled": "true"},
        {"langsmith_tracing_mode": "otel"},
        {"langchain_endpoint": "file:///etc/passwd"},
    ],
)
async def test_nothing_is_sent_where_no_runs_are(
    memory_world: MemoryWorld, langsmith: Ingest, changes: dict[str, str]
) -> None:
    async with api_over(memory_world, **follows(langsmith, **changes)) as api:
        assert (await rate(api, await answered(api))).status_code == 204

    assert langsmith.requests == []


@pytest.mark.parametrize(
    "changes",
    [
        {"langsmith_otel_enabled": "true", "langsmith_tracing_mode": "hybrid"},
        {"langchain_tracing_v2": "", "langsmith_tracing": "true"},
        {"langchain_api_key": "", "langsmith_api_key": KEY},
    ],
)
async def test_feedback_goes_where_the_runs_go(
    memory_world: MemoryWorld, langsmith: Ingest, changes: dict[str, str]
) -> None:
    async with api_over(memory_world, **follows(langsmith, **changes)) as api:
        await rate(api, await answered(api))
        await asyncio.to_thread(langsmith.wait, lambda: langsmith.feedback)

    assert langsmith.requests == [("POST", "/feedback", KEY)]
