"""The runs that LangSmith is sent, and that nobody notices when it does not take them."""

import asyncio
import logging
import threading
import time
from typing import Any

import pytest
from chat_worker.errors import ModelUnavailable
from chat_worker.telemetry.following import CLOSE_S
from chat_worker.telemetry.run_id import run_id_of
from eco2_bus.job import Location

from tests.worker.fakes import FakeModel
from tests.worker_telemetry.followed import KEY, MODEL, WITH_WEATHER, Followed, followed, native, otel
from tests.worker_telemetry.ingest import Ingest

LLM = f"chat {MODEL}"
QUESTION = "모르는 것과 날씨"
INTENTS = [("waste", "모르는 것"), ("weather", "오늘 날씨")]


def below(ingest: Ingest, parent: dict[str, Any]) -> list[dict[str, Any]]:
    return [run for run in ingest.runs if run.get("parent_run_id") == parent["id"]]


async def ask(work: Followed, question: str = QUESTION, **more: Any) -> str:
    """A question of two intents, answered; its job."""
    work.world.model.intents[QUESTION] = INTENTS
    job_id = await work.world.ask(question, **more)
    assert (await work.world.story(job_id)).end == "done"
    return job_id


@pytest.mark.parametrize("path", ["/runs/multipart", "/runs/batch"])
async def test_a_job_is_a_tree_of_runs_with_its_name_tags_and_metadata(ingest: Ingest, path: str) -> None:
    ingest.speaks_multipart = path == "/runs/multipart"
    async with followed(native(ingest)) as work:
        job_id = await ask(work)
        await asyncio.to_thread(ingest.wait_for_all, f"chat:{job_id}")

    root = ingest.one(f"chat:{job_id}")
    assert root["id"] == root["trace_id"] == str(run_id_of(job_id))
    assert root["session_name"] == "eco2-chat-worker"
    assert root["tags"] == ["env:test"]
    assert root["inputs"]["question"] == QUESTION
    known = {"job_id": job_id, "user_id": "someone", "session_id": "s1", "thread_id": "s1", "attempt": 1}
    assert root["extra"]["metadata"].items() >= known.items()
    assert [run["name"] for run in below(ingest, root)] == ["intent", "waste_rag", "weather", "answer"]
    assert {run["trace_id"] for run in ingest.runs} == {root["id"]}
    assert [run["name"] for run in ingest.runs if "env:test" in run["tags"]] == [root["name"]]
    assert {"intent:waste", "intent:weather"} <= set(ingest.one("intent")["tags"])
    assert not [run for run in ingest.runs if run["name"] != "intent" and "intent:waste" in run["tags"]]
    assert {key for _, _, key in ingest.requests} == {KEY}
    assert ingest.paths == {"/info", path}


async def test_each_subagent_has_a_run_of_its_own_also_within_anothers_branch(ingest: Ingest) -> None:
    async with followed(native(ingest)) as work:
        job_id = await ask(work)
        await asyncio.to_thread(ingest.wait_for_all, f"chat:{job_id}")

    tagged = {run["name"]: run["tags"] for run in ingest.runs if f"subagent:{run['name']}" in run["tags"]}
    assert set(tagged) == {"waste_rag", "weather", "feedback", "web_search"}
    chain = below(ingest, ingest.one("waste_rag"))
    assert [run["name"] for run in chain if run["run_type"] != "llm"] == ["feedback", "web_search"]
    # What else is the thing called? The chain's own question to the model.
    assert [run["run_type"] for run in chain].count("llm") == 1
    assert ingest.one("web_search")["error"] == "SubagentFailed"
    assert not ingest.one("feedback").get("error")
    assert ingest.one("feedback")["start_time"] >= ingest.one("waste_rag")["start_time"]


async def test_model_calls_are_runs_with_their_tokens_and_text(ingest: Ingest) -> None:
    async with followed(native(ingest)) as work:
        job_id = await work.world.ask()
        story = await work.world.story(job_id)
        await asyncio.to_thread(ingest.wait_for_all, f"chat:{job_id}")

    (understood,) = below(ingest, ingest.one("intent"))
    (answered,) = below(ingest, ingest.one("answer"))
    assert [run["run_type"] for run in (understood, answered)] == ["llm", "llm"]
    assert [run["name"] for run in (understood, answered)] == [LLM, LLM]
    metadata = answered["extra"]["metadata"]
    used = {"input_tokens": 200, "output_tokens": story.ended["usage"]["output_tokens"] - 10}
    assert used["output_tokens"] > 0
    assert metadata["usage_metadata"].items() >= used.items()
    assert answered["outputs"]["usage_metadata"] == metadata["usage_metadata"]
    assert (metadata["ls_provider"], metadata["ls_model_name"]) == ("openai", MODEL)
    assert answered["outputs"]["content"] == story.ended["answer"]
    assert answered["inputs"]["messages"][-1]["role"] == "user"
    assert [event["name"] for event in answered["events"]] == ["new_token"]
    assert understood["extra"]["metadata"]["usage_metadata"]["total_tokens"] == 110


async def test_a_cancelled_answer_keeps_the_tokens_that_were_said_as_an_estimate(ingest: Ingest) -> None:
    async with followed(native(ingest)) as work:
        work.world.model.hold_after = 4
        job_id = await work.world.ask()
        await work.world.model.held.wait()
        await work.world.cancel(job_id)
        assert (await work.world.story(job_id)).end == "cancelled"
        await asyncio.to_thread(ingest.wait_for_all, f"chat:{job_id}")

    (answered,) = below(ingest, ingest.one("answer"))
    metadata = answered["extra"]["metadata"]
    assert (metadata["usage_metadata"]["output_tokens"], metadata["usage_estimated"]) == (4, True)
    assert answered["error"] == "CancelledError"


@pytest.mark.usefixtures("quick_retries")
async def test_attempts_are_runs_of_their_own_and_their_number_is_told(ingest: Ingest) -> None:
    async with followed(native(ingest)) as work:
        work.world.model.faults = [RuntimeError("비밀"), None]
        job_id = await work.world.ask()
        assert (await work.world.story(job_id)).end == "done"
        await asyncio.to_thread(ingest.wait, lambda: len(ingest.named(f"chat:{job_id}")) == 2)
        await asyncio.to_thread(ingest.wait_for_all, f"chat:{job_id}")

    roots = ingest.named(f"chat:{job_id}")
    assert [run["id"] for run in roots] == [str(run_id_of(job_id, attempt)) for attempt in (1, 2)]
    assert [run["extra"]["metadata"]["attempt"] for run in roots] == [1, 2]
    assert [bool(run.get("error")) for run in roots] == [True, False]


async def test_a_job_that_waits_for_its_user_goes_on_in_a_run_of_the_same_thread(ingest: Ingest) -> None:
    async with followed(native(ingest), tools=WITH_WEATHER) as work:
        world = work.world
        world.model.intents["날씨"] = [("weather", "날씨")]
        job_id = await world.ask("날씨")
        await world.input_wanted(job_id)
        await world.give(job_id, Location(latitude=37.5, longitude=127.0))
        await asyncio.to_thread(ingest.wait, lambda: len(ingest.named(f"chat:{job_id}")) == 2)

    roots = ingest.named(f"chat:{job_id}")
    assert {run["extra"]["metadata"]["thread_id"] for run in roots} == {"s1"}
    assert [run["id"] for run in roots] == [str(run_id_of(job_id, attempt)) for attempt in (1, 2)]


async def test_jobs_at_once_keep_their_runs_apart(ingest: Ingest) -> None:
    async with followed(native(ingest)) as work:
        jobs = await asyncio.gather(*(ask(work, session=f"s{number}") for number in range(8)))
        await asyncio.to_thread(ingest.wait, lambda: len(ingest.runs) == 8 * 10)

    for job_id in jobs:
        tree = [run for run in ingest.runs if run["trace_id"] == str(run_id_of(job_id))]
        assert len(tree) == 10
        assert {run["extra"]["metadata"]["job_id"] for run in tree} == {job_id}


async def test_no_key_is_in_what_is_sent(ingest: Ingest, environment: pytest.MonkeyPatch) -> None:
    environment.setenv("LANGSMITH_API_KEY", KEY)
    environment.setenv("LANGCHAIN_API_KEY", KEY)
    async with followed(native(ingest)) as work:
        job_id = await ask(work)
        await asyncio.to_thread(ingest.wait_for_all, f"chat:{job_id}")

    assert KEY not in str(ingest.runs)


@pytest.mark.parametrize("trouble", ["hangs", "refuses", "down"])
@pytest.mark.parametrize("from_the_start", [True, False])
async def test_langsmith_in_trouble_changes_nothing_for_users(
    ingest: Ingest, trouble: str, from_the_start: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """Anything that waited for it would wait for 2 s at least."""
    switches = native(ingest, **({"langchain_endpoint": "http://127.0.0.1:9"} if trouble == "down" else {}))
    answers: list[str] = []
    async with followed(switches) as work:
        if not from_the_start and trouble != "down":
            await work.world.answer()
            await asyncio.to_thread(ingest.wait, lambda: ingest.runs)
        if trouble != "down":
            getattr(ingest, trouble).set()
        began = time.monotonic()
        for number in range(10):
            story = await work.world.answer(session=f"t{number}")
            answers.append(story.ended["answer"])
        took_s = time.monotonic() - began
        leaving = time.monotonic()
    left_s = time.monotonic() - leaving

    assert len(set(answers)) == 1
    assert "비우고" in answers[0]
    assert took_s < 2
    assert left_s < CLOSE_S + 1
    assert KEY not in caplog.text
    assert not [
        thread.name for thread in threading.enumerate() if "tracing" in thread.name and not thread.daemon
    ]


async def test_a_langsmith_that_is_away_is_complained_of_once(
    ingest: Ingest, caplog: pytest.LogCaptureFixture
) -> None:
    ingest.refuses.set()
    with caplog.at_level(logging.WARNING):
        async with followed(native(ingest)) as work:
            for number in range(5):
                await work.world.answer(session=f"t{number}")
                sent = len(ingest.requests)
                await asyncio.to_thread(ingest.wait, lambda sent=sent: len(ingest.requests) > sent)

    complaints = [record for record in caplog.records if record.name.startswith("langsmith")]
    assert len({(record.name, record.lineno) for record in complaints}) == len(complaints)
    assert not [record for record in complaints if record.exc_info]
    assert "lsv2_" not in caplog.text


async def test_a_client_that_breaks_is_nobodys_error(ingest: Ingest, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(*_args: object, **_kwargs: object) -> None:
        raise RuntimeError("broken")

    async with followed(native(ingest)) as work:
        monkeypatch.setattr("langsmith.Client.create_run", breaks)
        monkeypatch.setattr("langsmith.Client.update_run", breaks)
        await ask(work)


async def test_what_the_model_fails_with_is_what_the_user_is_told(ingest: Ingest) -> None:
    model = FakeModel()
    model.faults = [ModelUnavailable("HTTP 500 비밀")] * 3
    async with followed(native(ingest), model=model, poison_after=1) as work:
        job_id = await work.world.ask()
        assert (await work.world.story(job_id)).end == "error"
        await asyncio.to_thread(ingest.wait_for_all, f"chat:{job_id}")

    (answered,) = below(ingest, ingest.one("answer"))
    assert answered["error"] == "ModelUnavailable"


async def test_switched_off_nothing_is_sent_and_no_thread_is_started(
    ingest: Ingest, environment: pytest.MonkeyPatch
) -> None:
    # The library by itself would trace now.
    environment.setenv("LANGSMITH_TRACING", "true")
    environment.setenv("LANGCHAIN_ENDPOINT", ingest.url)
    before = set(threading.enumerate())
    async with followed(native(ingest, langchain_api_key="")) as work:
        await ask(work)
        began = [thread.name for thread in set(threading.enumerate()) - before]

    assert not [name for name in began if "tracing" in name or "langsmith" in name]
    assert ingest.requests == []


async def test_into_the_traces_nothing_is_sent_to_langsmith(ingest: Ingest) -> None:
    async with followed(otel(ingest)) as work:
        await ask(work)

    assert ingest.requests == []
    assert work.named("run chat")
