"""The rest of what a client can do, and that its types are the API's."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from chat_api import openapi
from eco2_bus.events import Ended, Image, InputRequired, to_json
from eco2_bus.log import KeptAnswer
from eco2_chat import (
    AnswerFailed,
    ApiError,
    AsyncClient,
    Client,
    Event,
    Location,
    Question,
    events,
    picture,
)
from eco2_chat.attempts import Attempts
from eco2_chat.errors import NotOurStream
from eco2_chat.patience import Patience
from eco2_chat.sse import EVENT_MAX_CHARS, SseReader

from tests.api.conversation import PNG, turn
from tests.api.services import MemoryWorld, World
from tests.api.serving import Api
from tests.api.worker import SOURCE, USAGE, Worker, answer
from tests.client.asking import QUESTION, QUICK, next_job

HERE = Location(37.5, 127.0)


@pytest.fixture
async def client(api: Api) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(api.url, patience=QUICK) as made:
        yield made


@pytest.fixture
async def quick(memory_api: Api) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(memory_api.url, patience=QUICK) as made:
        yield made


async def test_an_answer_has_its_text_its_sources_and_its_usage(world: World, client: AsyncClient) -> None:
    asking = asyncio.create_task(client.ask(QUESTION, session_id="s-1"))
    job = await next_job(world)
    await answer(world.log, job.job_id, "라벨을 ", "떼요.")
    got = await asking

    assert (got.text, got.job_id, got.session_id) == ("라벨을 떼요.", job.job_id, "s-1")
    assert (got.sources[0].document, got.usage.output_tokens) == (SOURCE.document, USAGE.output_tokens)
    assert not got.is_cancelled


async def test_a_job_that_fails_raises_why(memory_world: MemoryWorld, quick: AsyncClient) -> None:
    asking = asyncio.create_task(quick.ask(QUESTION))
    job = await next_job(memory_world)
    await answer(memory_world.log, job.job_id, "반쯤", event="error")

    with pytest.raises(AnswerFailed) as caught:
        await asking
    assert (caught.value.job_id, caught.value.code) == (job.job_id, "job_failed")


async def test_a_job_can_be_cancelled_and_looked_at(world: World, client: AsyncClient) -> None:
    queued = await client.submit(QUESTION)
    before = await client.status(queued.job_id)
    cancelled = await client.cancel(queued.job_id)
    again = await client.cancel(queued.job_id)
    got = await _answer_of(client, queued.job_id)

    assert (before.status, before.end) == ("queued", None)
    assert cancelled.status == again.status == "cancelled"
    assert isinstance(got[-1], events.Cancelled)


async def _answer_of(client: AsyncClient, job_id: str) -> list[Event]:
    return [event async for event in client.events(job_id)]


async def test_a_place_that_is_asked_for_is_given(memory_world: MemoryWorld, quick: AsyncClient) -> None:
    queued = await quick.submit(QUESTION)
    job = await next_job(memory_world)
    await memory_world.log.park_job(queued.job_id, job.to_body())
    worker = await Worker.begin(memory_world.log, queued.job_id)
    wanted = InputRequired(kind="location", message="어디에 계세요?", expires_in_s=120)
    worker.writer.event("input_required", to_json(wanted))
    await worker.writer.flush()
    async for event in quick.events(queued.job_id):
        if isinstance(event, events.InputRequired):
            assert event.message == "어디에 계세요?"
            break
    await quick.give_input(queued.job_id, HERE)

    resumed = await next_job(memory_world)
    assert resumed.resume.location.model_dump() == HERE.body()


async def test_turns_are_paged_and_a_session_can_be_erased(
    memory_world: MemoryWorld, quick: AsyncClient
) -> None:
    saved = [turn(session_id="s-1", created_at_ms=1_700_000_000_000 + n) for n in range(3)]
    for one in saved:
        await memory_world.made.turns.save(one)

    newest = await quick.turns("s-1", limit=2)
    older = await quick.turns("s-1", before=newest.before)
    await quick.delete_session("s-1")

    assert [one.job_id for page in (older, newest) for one in page.turns] == [one.job_id for one in saved]
    assert newest.turns[0].sources[0].document == SOURCE.document
    assert older.before is None
    with pytest.raises(ApiError):
        await quick.turns("s-1")


async def test_the_waiting_client_has_the_same_verbs(memory_world: MemoryWorld, memory_api: Api) -> None:
    await memory_world.made.turns.save(turn(session_id="s-1"))

    def use() -> tuple[Any, ...]:
        with Client(memory_api.url, patience=QUICK) as client:
            queued = client.submit(Question(QUESTION, location=HERE))
            done = client.cancel(queued.job_id), client.status(queued.job_id), client.turns("s-1")
            client.delete_session("s-1")
            with pytest.raises(ApiError):
                client.give_input(queued.job_id, HERE)
            return done

    cancelled, status, page = await asyncio.to_thread(use)

    assert cancelled.status == status.status == "cancelled"
    assert len(page.turns) == 1


def public(kind: type) -> set[str]:
    return {name for name in vars(kind) if not name.startswith("_")}


def test_both_clients_offer_the_same() -> None:
    assert public(Client) == public(AsyncClient) >= {"ask", "stream", "events", "cancel", "turns"}


def test_every_event_of_the_api_has_a_type_with_its_fields() -> None:
    assert set(events._MAKERS) == set(openapi.EVENTS)
    for name, model in openapi.EVENTS.items():
        if name == "sources":
            continue
        empty: dict[str, Any] = dict.fromkeys(model.model_fields, "")
        empty |= {field: [] for field in ("intents", "sources") if field in empty}
        event = events.read(name, empty | ({"usage": {}} if "usage" in empty else {}), "1-1")
        told = {field.name for field in fields(event)}  # type: ignore[arg-type]
        missing = set(model.model_fields) - told - {"status", "status_url", "events_url", "cancel_url"}
        assert missing <= {"type", "node"}, f"{name} lacks {missing}"


def test_what_a_newer_server_adds_does_no_harm() -> None:
    assert events.read("never_heard_of", {}, "1-1") is None
    assert events.read("token", {"text": "네", "colour": "red"}, "1-1") == events.Token("네", "1-1")


STREAM = (
    ': 인사\r\n\r\nretry: 1500\nid: 1-1\nevent: token\ndata: {"text":"물"}\n\n'
    "id:1-2\revent:token\rdata:x\rdata: y\r\rdata: half"
)


@pytest.mark.parametrize("at", range(len(STREAM.encode())))
def test_a_stream_reads_the_same_wherever_it_is_split(at: int) -> None:
    data, reader = STREAM.encode(), SseReader()
    blocks = [*reader.feed(data[:at]), *reader.feed(data[at:])]

    assert [(block.event, block.id, block.data) for block in blocks] == [
        ("token", "1-1", '{"text":"물"}'),
        ("token", "1-2", "x\ny"),
    ]
    assert reader.retry_ms == 1_500


def test_a_stream_without_end_is_not_kept() -> None:
    reader = SseReader()

    reader.feed(b"data: " + b"x" * (EVENT_MAX_CHARS - 10))

    with pytest.raises(NotOurStream):
        reader.feed(b"x" * 10)


def test_waits_grow_are_spread_and_end() -> None:
    now = 0.0
    patience = Patience(first_s=1, longest_s=8)
    attempts = Attempts(patience, 100, lambda: now)
    delays = [attempts.failed(0, TimeoutError()) for _ in range(50)]
    asked_for = attempts.failed(20, TimeoutError())
    now = 99.9

    assert max(delays[:2]) <= 2
    assert max(delays) <= 8
    assert len(set(delays)) > 40
    assert asked_for >= 20
    with pytest.raises(TimeoutError):
        attempts.failed(1, TimeoutError())
    attempts.progressed()
    assert attempts.failed(1, TimeoutError()) >= 1


def test_a_picture_becomes_a_data_url_and_anything_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(PNG)
    (tmp_path / "b").write_bytes(b"GIF89a")
    (tmp_path / "c").write_bytes(b"%PDF")

    assert picture(tmp_path / "a").startswith("data:image/png;base64,")
    assert picture(tmp_path / "b").startswith("data:image/gif;base64,")
    with pytest.raises(ValueError, match="PNG"):
        picture(tmp_path / "c")


async def test_a_picture_of_the_answer_is_told(memory_world: MemoryWorld, quick: AsyncClient) -> None:
    queued = await quick.submit(QUESTION)
    worker = await Worker.begin(memory_world.log, queued.job_id)
    worker.writer.event("image", to_json(Image(url="/api/v1/images/x", alt="그림")))
    await worker.end("cancelled")
    got = await _answer_of(quick, queued.job_id)

    assert any(isinstance(event, events.Image) and event.alt == "그림" for event in got)


async def test_a_cancelled_job_whose_events_are_gone_is_still_cancelled(
    memory_world: MemoryWorld, quick: AsyncClient
) -> None:
    queued = await quick.submit(QUESTION)
    kept = KeptAnswer("anonymous", queued.session_id, "cancelled", to_json(Ended(answer="반")))
    await memory_world.log.keep_answer(queued.job_id, kept)
    await memory_world.log.discard(queued.job_id)
    got = await _answer_of(quick, queued.job_id)

    assert isinstance(got[-1], events.Cancelled)
