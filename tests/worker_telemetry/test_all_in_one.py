"""LangSmith switched on by its variables alone, in the whole product."""

import asyncio
import signal
import time
from pathlib import Path

import httpx
import pytest
from chat_worker.telemetry.run_id import run_id_of

from tests.telemetry.product import BRANCHES, QUESTION, all_in_one, ask, exporting_to, hear
from tests.telemetry.receiver import Receiver, orphans, outline
from tests.telemetry.tree import Tree, overlap
from tests.worker_telemetry.ingest import Ingest

KEY = "lsv2_pt_0123456789abcdef"
LLM = "run chat eco2-sandbox"


def variables(ingest: Ingest, **more: str) -> dict[str, str]:
    return {"LANGCHAIN_TRACING_V2": "true", "LANGCHAIN_ENDPOINT": ingest.url, "ENVIRONMENT": "test", **more}


def client(url: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=url, timeout=30, trust_env=False)


async def test_the_runs_are_spans_of_the_jobs_trace_beside_ours(
    receiver: Receiver, ingest: Ingest, tmp_path: Path
) -> None:
    env = variables(ingest, LANGSMITH_OTEL_ENABLED="true")
    async with (
        all_in_one(tmp_path, exporting_to(receiver.url, tmp_path), **env) as (url, _),
        client(url) as api,
    ):
        asked = await ask(api)
        await hear(api, asked)
        await asyncio.to_thread(receiver.wait, lambda: [s for s in receiver.spans if s.name == "run chat"])
        tree = await asyncio.to_thread(Tree, receiver, asked.trace_id)

    root = tree.one("run chat")
    assert tree.parent(root).name == "graph chat"
    assert {span.name for span in tree.children(root)} == {
        "run intent",
        "run answer",
        *(f"run {branch}" for branch in BRANCHES),
    }
    assert {span.name for span in tree.children(tree.one("graph chat"))} == {
        "intent",
        "answer",
        "run chat",
        *BRANCHES,
    }
    assert overlap([tree.one("run weather"), tree.one("run character")]), outline(tree.spans)
    assert orphans(receiver.spans) == []
    for parent in ("run intent", "run answer"):
        usage = tree.one(LLM, below=tree.one(parent)).attributes
        assert usage["gen_ai.usage.input_tokens"] > 0
        assert usage["gen_ai.usage.output_tokens"] > 0
    assert {span.service for span in tree.spans if span.name.startswith("run ")} == {"chat-worker"}
    assert not [span for span in tree.spans if span.is_error], outline(tree.spans)
    assert not [span.name for span in receiver.spans if asked.job_id in span.name]
    sent = b"".join(receiver.bodies)
    for said in (QUESTION[:5], asked.done["answer"][:10], "LANGSMITH_", "LANGCHAIN_"):
        assert said.encode() not in sent
    assert ingest.requests == []


async def test_what_was_said_is_in_the_spans_where_the_standard_switch_is_on(
    receiver: Receiver, ingest: Ingest, tmp_path: Path
) -> None:
    env = variables(
        ingest, LANGSMITH_OTEL_ENABLED="true", OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT="true"
    )
    async with (
        all_in_one(tmp_path, exporting_to(receiver.url, tmp_path), **env) as (url, _),
        client(url) as api,
    ):
        asked = await ask(api)
        await hear(api, asked)
        await asyncio.to_thread(receiver.wait, lambda: [s for s in receiver.spans if s.name == "run chat"])

    (answer,) = [span for span in receiver.trace(asked.trace_id) if span.name == "run answer"]
    assert asked.done["answer"][:10] in answer.attributes["gen_ai.completion"]


async def test_runs_and_feedback_reach_langsmith_under_one_id(ingest: Ingest, tmp_path: Path) -> None:
    env = variables(ingest, LANGCHAIN_API_KEY=KEY, LANGCHAIN_PROJECT="eco2-test")
    async with all_in_one(tmp_path, {}, **env) as (url, program), client(url) as api:
        asked = await ask(api)
        await hear(api, asked)
        rated = await api.post(
            f"/api/v1/chat/{asked.job_id}/feedback", json={"score": 1, "comment": "좋아요"}
        )
        assert rated.status_code == 204
        await asyncio.to_thread(ingest.wait_for_all, f"chat:{asked.job_id}")
        await asyncio.to_thread(ingest.wait, lambda: ingest.feedback)
        assert KEY not in program.said()

    root = ingest.one(f"chat:{asked.job_id}")
    assert root["id"] == ingest.feedback[0]["run_id"] == str(run_id_of(asked.job_id))
    assert (root["session_name"], root["tags"]) == ("eco2-test", ["env:test"])
    answered = [run for run in ingest.named("chat eco2-sandbox") if run["events"]]
    assert [run["extra"]["metadata"]["usage_metadata"]["output_tokens"] > 0 for run in answered] == [True]


@pytest.mark.parametrize("otel", ["false", "true"])
@pytest.mark.parametrize("trouble", ["hangs", "refuses"])
async def test_langsmith_in_trouble_delays_neither_answers_nor_exit(
    ingest: Ingest, receiver: Receiver, tmp_path: Path, otel: str, trouble: str
) -> None:
    getattr(ingest, trouble).set()
    mode = {"LANGSMITH_OTEL_ENABLED": otel, "LANGSMITH_TRACING_MODE": "hybrid" if otel == "true" else ""}
    env = variables(ingest, LANGCHAIN_API_KEY=KEY, **mode)
    async with (
        all_in_one(tmp_path, exporting_to(receiver.url, tmp_path), **env) as (url, program),
        client(url) as api,
    ):
        for place in ("서울", "부산", "대구"):
            asked = await ask(api, place)
            await hear(api, asked)
            assert asked.done["answer"]
        await asyncio.to_thread(ingest.wait, lambda: ingest.requests)
        began = time.monotonic()
        program.signal(signal.SIGTERM)
        while program.is_running and time.monotonic() - began < 20:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        took_s = time.monotonic() - began
        assert KEY not in program.said()

    print(f"left within {took_s:.1f} s")
    assert program.exit_code == 0
    # Its own second for streams and jobs, and two for what is left to send.
    assert took_s < 5
