"""The runs as spans: in the job's trace, with constant names, and without what was said."""

import asyncio
from typing import Any

import pytest
from chat_worker.telemetry import run_spans
from eco2_telemetry import genai
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanKind, StatusCode

from tests.worker.world import until
from tests.worker_telemetry.followed import KEY, MODEL, WITH_WEATHER, Followed, followed, hybrid, otel
from tests.worker_telemetry.ingest import Ingest

QUESTION = "모르는 것과 날씨"
LLM = f"run chat {MODEL}"


async def ask(work: Followed, **more: Any) -> str:
    work.world.model.intents[QUESTION] = [("waste", "모르는 것"), ("weather", "오늘 날씨")]
    job_id = await work.world.ask(QUESTION, **more)
    assert (await work.world.story(job_id)).end == "done"
    return job_id


def one(spans: list[ReadableSpan]) -> ReadableSpan:
    (span,) = spans
    return span


def parent_of(work: Followed, span: ReadableSpan) -> str:
    assert span.parent is not None
    return one([s for s in work.spans if s.context and s.context.span_id == span.parent.span_id]).name


async def test_the_runs_hang_in_the_jobs_trace_below_the_graph(ingest: Ingest) -> None:
    async with followed(otel(ingest)) as work:
        job_id = await ask(work)

    root, graph = one(work.named("run chat")), one(work.named("graph chat"))
    assert root.parent is not None
    assert graph.context is not None
    assert root.parent.span_id == graph.context.span_id
    assert {span.context.trace_id for span in work.spans if span.context} == {graph.context.trace_id}
    assert work.orphans() == []
    for name in ("intent", "waste_rag", "weather", "answer"):
        assert parent_of(work, one(work.named(f"run {name}"))) == "run chat"
    askers = {parent_of(work, span) for span in work.named(LLM)}
    assert askers == {"run intent", "run waste_rag", "run answer"}
    assert {parent_of(work, span) for span in work.named("run feedback")} == {"run waste_rag"}
    assert not [span.name for span in work.spans if job_id in span.name]
    assert (root.attributes or {})["langsmith.metadata.job_id"] == job_id
    assert {span.kind for span in work.spans if span.name.startswith("run ")} == {SpanKind.INTERNAL}


async def test_tags_and_tokens_are_attributes(ingest: Ingest) -> None:
    async with followed(otel(ingest)) as work:
        await ask(work)

    tags = {
        span.name: str((span.attributes or {}).get("langsmith.span.tags", "")).split(", ")
        for span in work.spans
    }
    assert tags["run chat"] == ["env:test"]
    assert {"intent:waste", "intent:weather"} <= set(tags["run intent"])
    assert "subagent:weather" in tags["run weather"]
    assert "subagent:web_search" in tags["run web_search"]
    for span in work.named(LLM):
        assert (span.attributes or {})[genai.USAGE_INPUT_TOKENS] in (100, 200)
        assert (span.attributes or {})[genai.USAGE_OUTPUT_TOKENS]


async def test_nothing_that_was_said_and_no_variable_of_langsmiths_is_in_a_span(
    ingest: Ingest, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("LANGSMITH_API_KEY", KEY)
    environment.setenv("LANGCHAIN_REVISION_ID", "r-17")
    async with followed(otel(ingest)) as work:
        await ask(work)

    told = "".join(span.to_json() for span in work.spans)
    for said in (QUESTION, "모르는", "비우고", "findings", KEY, "LANGSMITH_", "LANGCHAIN_", "r-17"):
        assert said.encode("ascii", "backslashreplace").decode() not in told
        assert said not in told


async def test_what_was_said_is_kept_only_where_the_standard_switch_is_on(
    ingest: Ingest, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv(genai.CAPTURE_CONTENT, "true")
    async with followed(otel(ingest)) as work:
        await ask(work)

    (answered,) = [span for span in work.named(LLM) if parent_of(work, span) == "run answer"]
    assert "비우고" in str((answered.attributes or {})["gen_ai.completion"])
    assert QUESTION in str((answered.attributes or {})["gen_ai.prompt"])


@pytest.mark.usefixtures("quick_retries")
async def test_a_run_that_fails_late_is_an_error_of_which_only_the_type_is_told(ingest: Ingest) -> None:
    async with followed(otel(ingest)) as work:
        work.world.model.faults = [RuntimeError("비밀"), None]
        await ask(work)

    failed = [span for span in work.named("run answer") if span.status.status_code is StatusCode.ERROR]
    assert (one(failed).attributes or {})["error.type"] == "RuntimeError"
    assert one(failed).events == ()
    assert {span.status.status_code for span in work.named("run intent")} == {StatusCode.UNSET}
    assert len({span.context.span_id for span in work.named("run chat") if span.context}) == 2
    assert work.orphans() == []


async def test_cancelling_and_waiting_for_the_user_are_no_failures(ingest: Ingest) -> None:
    async with followed(otel(ingest), tools=WITH_WEATHER) as work:
        world = work.world
        world.model.intents["날씨"] = [("weather", "날씨")]
        waiting = await world.ask("날씨", session="waits")
        await world.input_wanted(waiting)
        world.model.hold_after = 4
        job_id = await world.ask()
        await world.model.held.wait()
        await world.cancel(job_id)
        assert (await world.story(job_id)).end == "cancelled"
        await until(lambda: len(work.named("run chat")) == 2)

    runs = [span for span in work.spans if span.name.startswith("run ")]
    assert {span.name for span in runs} >= {"run place", "run answer", LLM}
    assert [span.name for span in runs if span.status.status_code is StatusCode.ERROR] == []
    assert work.orphans() == []


async def test_jobs_at_once_stay_in_their_own_traces(ingest: Ingest) -> None:
    async with followed(otel(ingest)) as work:
        await asyncio.gather(*(ask(work, session=f"s{number}") for number in range(10)))

    assert work.orphans() == []
    by_trace: dict[int, set[str]] = {}
    for span in work.named("run chat") + work.named("run answer"):
        assert span.context is not None
        by_trace.setdefault(span.context.trace_id, set()).add(
            str((span.attributes or {})["langsmith.metadata.job_id"])
        )
    assert [len(jobs) for jobs in by_trace.values()] == [1] * 10


@pytest.mark.parametrize("trouble", ["hangs", "refuses"])
async def test_spans_come_at_once_though_langsmith_is_in_trouble(ingest: Ingest, trouble: str) -> None:
    getattr(ingest, trouble).set()
    async with followed(hybrid(ingest)) as work:
        await ask(work)
        async with asyncio.timeout(5):
            await until(lambda: work.named("run chat"))

    assert work.orphans() == []


async def test_both_get_the_same_runs_where_both_are_asked_for(ingest: Ingest) -> None:
    async with followed(hybrid(ingest)) as work:
        job_id = await ask(work)
        await asyncio.to_thread(ingest.wait_for_all, f"chat:{job_id}")

    sent = sorted(run_spans.span_name(run["name"]) for run in ingest.runs)
    assert sent == sorted(span.name for span in work.spans if span.name.startswith("run "))
    assert ingest.one(f"chat:{job_id}")["inputs"]["question"] == QUESTION
    assert "모르는" not in "".join(span.to_json() for span in work.spans)
