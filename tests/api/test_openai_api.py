"""The official OpenAI client of Python against the façade."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import openai
import pytest
from chat_api.openai_api.answer import Envelope
from eco2_bus.events import Ended, Image, InputRequired, Queued, to_json
from eco2_bus.log import Claim
from eco2_bus.pictures import referred_id
from openai import AsyncOpenAI

from tests.api.conversation import PNG, turn
from tests.api.services import MemoryWorld, World
from tests.api.serving import QUESTION, Api, api_over
from tests.api.viewer import Viewer
from tests.api.worker import SOURCE, Worker, answer

ASKED: Any = [{"role": "user", "content": QUESTION}]
MODEL = "eco2-chat"
SOURCES = "\n\n---\n[1] 분리배출 안내 플라스틱 https://example.org/pet"


@pytest.fixture
async def client(api: Api) -> AsyncIterator[AsyncOpenAI]:
    async with sdk(api) as made:
        yield made


@pytest.fixture
async def quick(memory_api: Api) -> AsyncIterator[AsyncOpenAI]:
    async with sdk(memory_api) as made:
        yield made


def sdk(api: Api) -> AsyncOpenAI:
    return AsyncOpenAI(base_url=f"{api.url}/v1", api_key="any", max_retries=0)


async def next_job(world: World) -> Any:
    """The job that the client's call, still under way, has put into the queue."""
    jobs: list[Any] = []
    async with asyncio.timeout(10):
        while not jobs:
            jobs = await world.waiting_jobs()
            await asyncio.sleep(0.01)
    assert len(jobs) == 1
    return jobs[0]


async def answered(world: World, call: Any, *pieces: str, event: str = "done") -> tuple[Any, Any]:
    """What the call gives once a worker has answered, and the job."""
    async with asyncio.TaskGroup() as group:
        asking = group.create_task(call)
        job = await next_job(world)
        await answer(world.log, job.job_id, *pieces, event=event)
    return asking.result(), job


def text_of(chunks: list[Any]) -> str:
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)


async def test_an_answer_comes_whole_with_its_usage_and_sources(world: World, client: AsyncOpenAI) -> None:
    call = client.chat.completions.create(model=MODEL, messages=ASKED)

    completion, job = await answered(world, call, "라벨을 ", "떼요 [1].")

    assert job.message == QUESTION
    choice = completion.choices[0]
    assert (choice.message.role, choice.finish_reason) == ("assistant", "stop")
    assert choice.message.content == "라벨을 떼요 [1]." + SOURCES
    assert (completion.usage.prompt_tokens, completion.usage.completion_tokens) == (12, 34)
    assert completion.usage.total_tokens == 46
    assert completion.eco2["job_id"] == job.job_id == completion._request_id
    assert completion.eco2["sources"][0]["document"] == "분리배출 안내"


async def test_an_answer_streams_and_ends_with_the_usage_that_was_asked_for(
    world: World, client: AsyncOpenAI
) -> None:
    stream = await client.chat.completions.create(
        model=MODEL, messages=ASKED, stream=True, stream_options={"include_usage": True}
    )
    job = await next_job(world)
    first = await anext(stream)
    worker = await Worker.begin(world.log, job.job_id)
    await worker.say("라벨을 ")
    second = await anext(stream)
    await worker.everything_else()
    await worker.say("떼요.")
    await worker.end()
    rest = [chunk async for chunk in stream]

    assert first.choices[0].delta.role == "assistant"
    assert first.eco2["cancel_url"] == f"/api/v1/chat/{job.job_id}/cancel"
    assert second.choices[0].delta.content == "라벨을 "
    assert text_of([first, second, *rest]) == "라벨을 떼요." + SOURCES
    assert [chunk.choices[0].finish_reason for chunk in rest if chunk.choices][-1] == "stop"
    assert (rest[-1].choices, rest[-1].usage.total_tokens) == ([], 46)


def test_of_many_sources_those_that_are_cited_are_appended() -> None:
    queued = Queued(job_id="j", session_id="s", status_url="", events_url="", cancel_url="", trace_id="")
    envelope = Envelope(queued, "http://here")
    image = Image(url="/api/v1/images/x", alt="그림")

    cited = envelope.appendix([image], Ended(answer="네 [2].", sources=[SOURCE] * 3))
    none_cited = envelope.appendix([], Ended(answer="네.", sources=[SOURCE] * 3))

    assert cited.startswith("\n\n![그림](http://here/api/v1/images/x)\n\n---\n[2] ")
    assert "[1]" not in cited
    assert none_cited.count("분리배출 안내") == 3


async def test_usage_does_not_come_unasked(memory_world: MemoryWorld, quick: AsyncOpenAI) -> None:
    stream = await quick.chat.completions.create(model=MODEL, messages=ASKED, stream=True)
    await answer(memory_world.log, (await next_job(memory_world)).job_id, "네.")

    assert all(chunk.usage is None and chunk.choices for chunk in [chunk async for chunk in stream])


async def test_the_models_can_be_listed_and_looked_up(quick: AsyncOpenAI) -> None:
    assert [model.id async for model in quick.models.list()] == [MODEL]
    assert (await quick.models.retrieve(MODEL)).owned_by == "eco2"
    with pytest.raises(openai.NotFoundError):
        await quick.models.retrieve("gpt-4o")


@pytest.mark.parametrize(
    ("body", "kind", "param"),
    [
        ({"messages": ASKED, "model": "gpt-4o"}, openai.NotFoundError, None),
        ({"messages": []}, openai.BadRequestError, "messages"),
        ({"messages": [{"role": "system", "content": "x"}]}, openai.BadRequestError, "messages"),
        ({"messages": [{"role": "user", "content": " "}]}, openai.BadRequestError, "messages"),
        ({"messages": [{"role": "user", "content": "x" * 8_001}]}, openai.BadRequestError, "messages"),
        ({"messages": ASKED, "n": 2}, openai.BadRequestError, "n"),
        (
            {"messages": ASKED, "response_format": {"type": "json_object"}},
            openai.BadRequestError,
            "response_format.type",
        ),
        (
            {"messages": ASKED, "metadata": {"session_id": "no such thing"}},
            openai.BadRequestError,
            "metadata.session_id",
        ),
        ({"messages": ASKED, "max_tokens": 8_000_000 * "1"}, openai.APIStatusError, None),
    ],
)
async def test_what_is_refused_is_an_error_of_that_api(
    quick: AsyncOpenAI, body: dict[str, Any], kind: type[openai.APIStatusError], param: str | None
) -> None:
    with pytest.raises(kind) as caught:
        await quick.chat.completions.create(**{"model": MODEL, **body})

    error = caught.value
    assert (error.type, error.param) == ("invalid_request_error", param)
    assert error.code in ("model_not_found", "invalid_fields", "body_too_large")
    assert error.response.headers["content-type"] == "application/json"


async def test_a_path_that_is_not_there_and_a_body_that_is_no_json_are_errors_of_that_api(
    memory_api: Api,
) -> None:
    async with httpx.AsyncClient(base_url=memory_api.url, trust_env=False) as plain:
        unknown = await plain.get("/v1/nothing")
        malformed = await plain.post(
            "/v1/chat/completions", content=b"{", headers={"content-type": "application/json"}
        )

    assert (unknown.status_code, unknown.json()["error"]["code"]) == (404, "not_found")
    assert (malformed.status_code, malformed.json()["error"]["code"]) == (400, "malformed_request")


async def test_a_fault_of_ours_is_an_error_of_that_api_and_tells_nothing(
    memory_api: Api, memory_world: MemoryWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def breaks(*_: Any) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr(memory_world.made.claims, "take_session", breaks)
    async with sdk(memory_api) as client:
        with pytest.raises(openai.InternalServerError) as caught:
            await client.chat.completions.create(model=MODEL, messages=ASKED)

    assert (caught.value.type, caught.value.code) == ("server_error", "internal_error")
    assert "secret" not in str(caught.value.body)


async def test_a_full_queue_is_an_error_that_the_client_may_try_again(memory_world: MemoryWorld) -> None:
    async with api_over(memory_world, queue_max_length=1) as api, sdk(api) as client:
        await api.submit()
        with pytest.raises(openai.InternalServerError) as caught:
            await client.chat.completions.create(model=MODEL, messages=ASKED)

    assert (caught.value.status_code, caught.value.code) == (503, "queue_full")
    assert int(caught.value.response.headers["retry-after"]) > 0


async def test_parameters_for_other_models_do_no_harm(memory_world: MemoryWorld, quick: AsyncOpenAI) -> None:
    call = quick.chat.completions.create(
        model=MODEL,
        messages=[{"role": "system", "content": "You are a pirate."}, *ASKED],
        temperature=0.1,
        seed=1,
        stop=["x"],
        max_tokens=5,
        tools=[{"type": "function", "function": {"name": "f", "parameters": {}}}],
        extra_body={"nobody_knows": {"this": 1}},
    )

    completion, job = await answered(memory_world, call, "네.")

    assert completion.choices[0].finish_reason == "stop"
    assert job.message == QUESTION


async def test_a_picture_goes_with_the_question(world: World, client: AsyncOpenAI) -> None:
    url = "data:image/png;base64," + base64.b64encode(PNG).decode()
    parts: Any = [{"type": "image_url", "image_url": {"url": url}}]
    call = client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": parts}])

    _, job = await answered(world, call, "네.")

    assert referred_id(job.image_url) is not None
    assert "사진" in job.message


@pytest.mark.parametrize(
    "url", ["http://example.org/a.png", "data:text/html;base64,AAAA", "file:///etc/passwd"]
)
async def test_a_picture_of_another_kind_is_refused(quick: AsyncOpenAI, url: str) -> None:
    parts: Any = [{"type": "text", "text": "?"}, {"type": "image_url", "image_url": {"url": url}}]

    with pytest.raises(openai.BadRequestError) as caught:
        await quick.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": parts}])

    assert caught.value.param == "messages"


@pytest.mark.parametrize(
    "named",
    [
        {"metadata": {"session_id": "s-1"}},
        {"extra_body": {"conversation": "s-1"}},
        {"extra_body": {"conversation": {"id": "s-1"}}, "user": "somebody"},
    ],
)
async def test_a_named_session_is_used(
    memory_world: MemoryWorld, quick: AsyncOpenAI, named: dict[str, Any]
) -> None:
    completion, job = await answered(
        memory_world, quick.chat.completions.create(model=MODEL, messages=ASKED, **named), "네."
    )

    assert job.session_id == completion.eco2["session_id"] == "s-1"


async def test_a_user_has_a_session_that_does_not_tell_who_it_is(
    memory_world: MemoryWorld, quick: AsyncOpenAI
) -> None:
    sessions = []
    for user in ("kim@example.org", "kim@example.org", "lee@example.org"):
        call = quick.chat.completions.create(model=MODEL, messages=ASKED, user=user)
        sessions.append((await answered(memory_world, call, "네."))[1].session_id)

    assert sessions[0] == sessions[1] != sessions[2]
    assert "kim" not in sessions[0]


HISTORY: Any = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "페트병은?"},
    {"role": "assistant", "content": "헹궈요."},
    {"role": "user", "content": "뚜껑은?"},
]


async def test_a_conversation_that_only_the_client_remembers_travels_with_the_question(
    memory_world: MemoryWorld, quick: AsyncOpenAI
) -> None:
    _, job = await answered(memory_world, quick.chat.completions.create(model=MODEL, messages=HISTORY), "네.")

    assert job.message.startswith("뚜껑은?")
    assert "User: 페트병은?\nAssistant: 헹궈요." in job.message
    assert "brief" not in job.message


async def test_a_long_conversation_keeps_its_newest_part_and_the_whole_question(
    memory_world: MemoryWorld, quick: AsyncOpenAI
) -> None:
    old = {"role": "user", "content": "가" * 7_990}

    _, job = await answered(
        memory_world, quick.chat.completions.create(model=MODEL, messages=[old, *HISTORY]), "네."
    )

    assert job.message.startswith("뚜껑은?")
    assert job.message.endswith("Assistant: 헹궈요.")
    assert "가가" not in job.message


async def test_a_session_that_we_remember_needs_no_history(
    memory_world: MemoryWorld, quick: AsyncOpenAI
) -> None:
    async def ask() -> str:
        call = quick.chat.completions.create(model=MODEL, messages=HISTORY, metadata={"session_id": "s-1"})
        return (await answered(memory_world, call, "네."))[1].message

    assert "User:" in await ask()
    assert await ask() == "뚜껑은?"


async def test_a_session_that_is_busy_is_a_conflict(memory_api: Api, quick: AsyncOpenAI) -> None:
    job_id = (await memory_api.submit(session_id="s-1"))["job_id"]

    with pytest.raises(openai.ConflictError) as caught:
        await quick.chat.completions.create(model=MODEL, messages=ASKED, metadata={"session_id": "s-1"})

    assert caught.value.code == "session_busy"
    assert caught.value.body["job_id"] == job_id  # type: ignore[index]


async def test_the_session_of_somebody_else_is_not_found(
    memory_world: MemoryWorld, quick: AsyncOpenAI
) -> None:
    await memory_world.made.turns.save(turn(session_id="s-1", owner="another"))

    with pytest.raises(openai.NotFoundError) as caught:
        await quick.chat.completions.create(model=MODEL, messages=HISTORY, metadata={"session_id": "s-1"})

    assert caught.value.code == "session_not_found"


async def ask_for_place(world: World, job_id: str) -> None:
    worker = await Worker.begin(world.log, job_id)
    wanted = InputRequired(kind="location", message="어디에 계세요?", expires_in_s=120)
    worker.writer.event("input_required", to_json(wanted))
    await worker.writer.flush()


async def test_a_question_to_the_user_is_an_answer(memory_world: MemoryWorld, quick: AsyncOpenAI) -> None:
    async with asyncio.TaskGroup() as group:
        asking = group.create_task(quick.chat.completions.create(model=MODEL, messages=ASKED))
        await ask_for_place(memory_world, (await next_job(memory_world)).job_id)

    completion = asking.result()
    assert completion.choices[0].message.content == "어디에 계세요?"
    assert (completion.choices[0].finish_reason, completion.usage) == ("stop", None)


async def test_a_question_to_the_user_ends_the_stream(memory_world: MemoryWorld, quick: AsyncOpenAI) -> None:
    stream = await quick.chat.completions.create(model=MODEL, messages=ASKED, stream=True)
    await ask_for_place(memory_world, (await next_job(memory_world)).job_id)

    chunks = [chunk async for chunk in stream]

    assert text_of(chunks) == "어디에 계세요?"
    assert chunks[-1].choices[0].finish_reason == "stop"


async def test_a_place_that_is_sent_along_reaches_the_job(
    memory_world: MemoryWorld, quick: AsyncOpenAI
) -> None:
    here = {"latitude": 37.5, "longitude": 127.0}
    call = quick.chat.completions.create(model=MODEL, messages=ASKED, extra_body={"location": here})

    _, job = await answered(memory_world, call, "네.")

    assert job.location.model_dump() == here


@pytest.mark.parametrize(
    ("event", "status", "code"), [("error", 500, "job_failed"), ("cancelled", 409, "cancelled")]
)
async def test_a_job_that_fails_is_an_error(
    memory_world: MemoryWorld, memory_api: Api, event: str, status: int, code: str
) -> None:
    async with AsyncOpenAI(base_url=f"{memory_api.url}/v1", api_key="any", max_retries=2) as client:
        asking = asyncio.create_task(client.chat.completions.create(model=MODEL, messages=ASKED))
        await answer(memory_world.log, (await next_job(memory_world)).job_id, "반쯤", event=event)
        with pytest.raises(openai.APIStatusError) as caught:
            await asking

    assert (caught.value.status_code, caught.value.code) == (status, code)
    assert await memory_world.waiting_jobs() == [], "the client asked again"


@pytest.mark.parametrize("event", ["error", "cancelled"])
async def test_a_stream_of_a_job_that_fails_ends_with_an_error(
    memory_world: MemoryWorld, quick: AsyncOpenAI, event: str
) -> None:
    stream = await quick.chat.completions.create(model=MODEL, messages=ASKED, stream=True)
    await answer(memory_world.log, (await next_job(memory_world)).job_id, "반쯤", event=event)

    with pytest.raises(openai.APIError) as caught:
        async for _ in stream:
            pass

    assert caught.value.code in ("job_failed", "cancelled")


async def test_an_attempt_that_begins_anew_is_an_error_once_text_was_shown(
    world: World, client: AsyncOpenAI
) -> None:
    stream = await client.chat.completions.create(model=MODEL, messages=ASKED, stream=True)
    job_id = (await next_job(world)).job_id
    await (await Worker.begin(world.log, job_id)).say("절반")
    second = await Worker.begin(world.log, job_id, Claim.REDELIVERED)
    await second.say("처음부터")
    await second.end()

    with pytest.raises(openai.APIError) as caught:
        async for _ in stream:
            pass

    assert caught.value.code == "answer_restarted"


async def test_an_attempt_that_begins_anew_before_any_text_is_not_noticed(
    memory_world: MemoryWorld, quick: AsyncOpenAI
) -> None:
    stream = await quick.chat.completions.create(model=MODEL, messages=ASKED, stream=True)
    job_id = (await next_job(memory_world)).job_id
    await Worker.begin(memory_world.log, job_id)
    second = await Worker.begin(memory_world.log, job_id, Claim.REDELIVERED)
    await second.say("라벨을 떼요.")
    await second.end()

    assert text_of([chunk async for chunk in stream]) == "라벨을 떼요." + SOURCES


async def test_a_whole_answer_holds_the_last_attempt_only(world: World, client: AsyncOpenAI) -> None:
    asking = asyncio.create_task(client.chat.completions.create(model=MODEL, messages=ASKED))
    job_id = (await next_job(world)).job_id
    await (await Worker.begin(world.log, job_id)).say("절반")
    second = await Worker.begin(world.log, job_id, Claim.REDELIVERED)
    await second.say("처음부터")
    await second.end()

    assert (await asking).choices[0].message.content == "처음부터" + SOURCES


async def test_a_client_that_leaves_does_not_cancel(world: World, api: Api, client: AsyncOpenAI) -> None:
    stream = await client.chat.completions.create(model=MODEL, messages=ASKED, stream=True)
    job_id = (await next_job(world)).job_id
    await anext(stream)
    await stream.close()
    await answer(world.log, job_id, "라벨을 떼요.")

    assert not await world.log.is_cancel_requested(job_id)
    assert (await api.status(job_id)).json()["answer"] == "라벨을 떼요."


async def test_a_process_that_leaves_ends_its_streams_with_an_error(
    memory_world: MemoryWorld, memory_api: Api, quick: AsyncOpenAI
) -> None:
    stream = await quick.chat.completions.create(model=MODEL, messages=ASKED, stream=True)
    await anext(stream)
    memory_world.log.stop_following()

    with pytest.raises(openai.APIError) as caught:
        await anext(stream)

    assert caught.value.code == "stream_broken_off"


async def test_silence_is_kept_alive_by_comments_that_the_client_does_not_see(
    memory_world: MemoryWorld,
) -> None:
    body = json.dumps({"model": MODEL, "messages": ASKED, "stream": True}).encode()
    async with api_over(memory_world, heartbeat_s=0.05) as api:
        headers = {"Content-Type": "application/json"}
        path = "/v1/chat/completions"
        async with await Viewer.open(api.url, path, method="POST", headers=headers, body=body) as viewer:
            assert viewer.headers["content-type"].startswith("text/event-stream")
            assert viewer.headers["x-accel-buffering"] == "no"
            while (block := await viewer.block()) is not None and block.comment != "heartbeat":
                pass
        assert block is not None

        async with sdk(api) as client:
            await memory_world.waiting_jobs()
            stream = await client.chat.completions.create(model=MODEL, messages=ASKED, stream=True)
            job_id = (await next_job(memory_world)).job_id
            async with await api.events(job_id) as beside:
                while (block := await beside.block()) is not None and block.comment != "heartbeat":
                    pass
            await answer(memory_world.log, job_id, "네.")
            assert text_of([chunk async for chunk in stream]) == "네." + SOURCES
