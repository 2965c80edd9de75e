"""The same trace where all services share one process: each with its own name, over one connection."""

import asyncio
import json
import signal
import time
from pathlib import Path

import httpx
import pytest

from tests.telemetry.product import BRANCHES, all_in_one, ask, exporting_to, hear
from tests.telemetry.receiver import Receiver, orphans, outline
from tests.telemetry.tree import EVENTS, POST, Tree, overlap


@pytest.fixture
def telemetry(receiver: Receiver, tmp_path: Path) -> dict[str, str]:
    return exporting_to(receiver.url, tmp_path)


async def test_every_service_of_the_process_has_its_part_of_the_tree(
    receiver: Receiver, telemetry: dict[str, str], tmp_path: Path
) -> None:
    async with (
        all_in_one(tmp_path, telemetry) as (url, program),
        httpx.AsyncClient(base_url=url, timeout=30, trust_env=False) as api,
    ):
        asked = await ask(api)
        await hear(api, asked)
        tree = await asyncio.to_thread(Tree, receiver, asked.trace_id)
        program.signal(signal.SIGTERM)

    graph = tree.one("graph chat")
    assert tree.path(graph) == [
        f"chat-api {POST} SERVER",
        "chat-api publish chat.jobs PRODUCER",
        "chat-worker process chat.jobs CONSUMER",
        "chat-worker process_chat INTERNAL",
        "chat-worker graph chat INTERNAL",
    ]
    assert {span.name for span in tree.children(graph)} == {"intent", "answer", *BRANCHES}
    assert overlap([tree.one("weather"), tree.one("character")]), outline(tree.spans)
    server = next(span for span in tree.named("CharacterService/MatchCharacter") if span.kind == "SERVER")
    assert tree.path(server)[-3:] == [
        "chat-worker character INTERNAL",
        "chat-worker CharacterService/MatchCharacter CLIENT",
        "character CharacterService/MatchCharacter SERVER",
    ]
    assert {span.service for span in tree.spans} == {"chat-api", "chat-worker", "character"}
    assert {span.trace_id for span in tree.spans} == {asked.done["trace_id"]}
    assert orphans(receiver.spans) == []
    assert tree.one("publish chat.jobs").attributes["messaging.system"] == "memory"


async def test_a_viewer_who_leaves_in_mid_answer_is_no_error(
    receiver: Receiver, telemetry: dict[str, str], tmp_path: Path
) -> None:
    async with (
        all_in_one(tmp_path, telemetry) as (url, _),
        httpx.AsyncClient(base_url=url, timeout=30, trust_env=False) as api,
    ):
        asked = await ask(api)
        await hear(api, asked, until="token")
        receiver.wait(lambda: [span for span in receiver.spans if span.name == EVENTS])
        (left,) = [span for span in receiver.spans if span.name == EVENTS]
        asked.events.clear()
        await hear(api, asked)

    assert not left.is_error
    assert left.events == []
    assert 0 < left.attributes["events_sent"] < len(asked.events)
    assert left.links == [tuple(asked.traceparent.split("-")[1:3])]


async def test_a_job_that_waited_for_its_user_stays_in_its_trace(
    receiver: Receiver, telemetry: dict[str, str], tmp_path: Path
) -> None:
    async with (
        all_in_one(tmp_path, telemetry) as (url, _),
        httpx.AsyncClient(base_url=url, timeout=30, trust_env=False) as api,
    ):
        asked = await ask(api, question="오늘 날씨 어때?")
        await hear(api, asked, until="input_required")
        here = {"location": {"latitude": 37.5665, "longitude": 126.978}}
        given = await api.post(f"/api/v1/chat/{asked.job_id}/input", json=here)
        assert given.status_code == 202
        asked.events.clear()
        await hear(api, asked)
        tree = await asyncio.to_thread(Tree, receiver, asked.trace_id, attempts=2)

    assert asked.done["trace_id"] == asked.trace_id
    assert tree.one("weather").attributes.get("error.type") is None
    assert not [span for span in tree.spans if span.is_error], outline(tree.spans)
    (input_span,) = [span for span in receiver.spans if span.name == "POST /api/v1/chat/{job_id}/input"]
    assert input_span.trace_id != asked.trace_id
    resumed = [span for span in tree.named("publish chat.jobs") if span.links]
    assert [span.links for span in resumed] == [[(input_span.trace_id, input_span.span_id)]]
    assert {tree.parent(span).name for span in tree.named("publish chat.jobs")} == {POST}


async def test_log_lines_name_trace_and_job(
    receiver: Receiver, telemetry: dict[str, str], tmp_path: Path
) -> None:
    async with (
        all_in_one(tmp_path, telemetry, JOB_DEADLINE_S="0.01") as (url, program),
        httpx.AsyncClient(base_url=url, timeout=30, trust_env=False) as api,
    ):
        asked = await ask(api)
        await hear(api, asked)
        said = program.said()

    lines = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    (warning,) = [line for line in lines if "deadline" in line["message"] and line["level"] == "WARNING"]
    assert (warning["trace_id"], warning["job_id"]) == (asked.trace_id, asked.job_id)


async def test_a_collector_that_hangs_delays_neither_start_nor_answers_nor_exit(
    receiver: Receiver, telemetry: dict[str, str], tmp_path: Path
) -> None:
    receiver.hangs.set()
    async with (
        all_in_one(tmp_path, telemetry) as (url, program),
        httpx.AsyncClient(base_url=url, timeout=30, trust_env=False) as api,
    ):
        for place in ("서울", "부산", "대구"):
            asked = await ask(api, place)
            await hear(api, asked)
            assert asked.done["answer"]
        began = time.monotonic()
        program.signal(signal.SIGTERM)
        while program.is_running and time.monotonic() - began < 20:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        took_s = time.monotonic() - began

    assert program.exit_code == 0
    # Its own second for streams and jobs, and two for what is left to send.
    assert took_s < 5
