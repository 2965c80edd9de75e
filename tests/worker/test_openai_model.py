"""The model adapter against a real server, and against a server that misbehaves."""

import asyncio
from collections.abc import AsyncIterator, Callable

import orjson
import pytest
from chat_worker.adapters import completions
from chat_worker.adapters.openai_model import OpenAIModel
from chat_worker.domain import Message, Understanding
from chat_worker.errors import AnswerRefused, ModelRejected, ModelUnavailable
from chat_worker.graph.understand import SCHEMA
from chat_worker.quoting import quoted
from langchain_openai import ChatOpenAI
from opentelemetry.trace import NoOpTracer
from pydantic import SecretStr

from tests.worker import streams
from tests.worker.model_server import Sandbox, hangs_up, raw_server, running_sandbox, says_nothing, sends
from tests.worker.world import World, until

FINDINGS = [
    {
        "agent": "waste_rag",
        "status": "ok",
        "passages": [
            {
                "n": 1,
                "title": "페트병",
                "section": "배출",
                "text": "비우고 헹군 뒤 라벨을 떼요. ♻️ 찌그러뜨려요.",
            }
        ],
        "note": "",
    }
]
ASKED: list[Message] = [
    {"role": "system", "content": "Answer."},
    {"role": "user", "content": quoted("findings", FINDINGS) + "\n" + quoted("question", "페트병은?")},
]
MakeModel = Callable[..., OpenAIModel]


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with running_sandbox() as sandbox:
        yield sandbox


@pytest.fixture
async def make_model(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[MakeModel]:
    monkeypatch.setattr(completions, "READ_TIMEOUT_S", 0.3)
    monkeypatch.setattr("openai._base_client.INITIAL_RETRY_DELAY", 0.01)
    made: list[OpenAIModel] = []

    def make(base_url: str, model: str = "eco2-sandbox") -> OpenAIModel:
        made.append(OpenAIModel(model, SecretStr("key"), base_url, NoOpTracer()))
        return made[-1]

    yield make
    for model in made:
        await model.close()


class Heard:
    """What a stream says, up to a limit of pieces."""

    def __init__(self, limit: int | None = None) -> None:
        self.pieces: list[str] = []
        self.tokens = 0
        self._limit = limit

    def __call__(self, text: str, tokens: int) -> bool:
        self.pieces.append(text)
        self.tokens += tokens
        return self._limit is None or len(self.pieces) < self._limit

    @property
    def text(self) -> str:
        return "".join(self.pieces)


async def test_text_and_usage_are_what_the_official_client_gives(
    sandbox: Sandbox, make_model: MakeModel
) -> None:
    heard = Heard()
    end = await make_model(sandbox.base_url).stream(ASKED, heard)
    official = ChatOpenAI(
        model="eco2-sandbox", base_url=sandbox.base_url, api_key=SecretStr("key"), stream_usage=True
    )
    chunks = [chunk async for chunk in official.astream([dict(message) for message in ASKED])]
    assert heard.text == "".join(str(chunk.content) for chunk in chunks)
    (usage,) = [chunk.usage_metadata for chunk in chunks if chunk.usage_metadata]
    assert end.usage == {
        "input_tokens": usage["input_tokens"],
        "output_tokens": usage["output_tokens"],
        "model": "eco2-sandbox",
    }
    assert heard.tokens == usage["output_tokens"]
    assert end.finish_reason == "stop"


async def test_a_question_is_understood_by_schema(sandbox: Sandbox, make_model: MakeModel) -> None:
    asked: list[Message] = [{"role": "user", "content": quoted("question", "페트병이랑 캔은 어떻게 버려?")}]
    reply, usage = await make_model(sandbox.base_url).structured(asked, "Understanding", SCHEMA)
    understanding = Understanding.model_validate_json(reply)
    assert [asked.intent for asked in understanding.intents] == ["waste", "waste"]
    assert usage["input_tokens"] > 0
    assert usage["output_tokens"] > 0


@pytest.mark.parametrize("status", [400, 401])
@pytest.mark.parametrize("call", ["stream", "structured"])
async def test_a_refusal_is_not_tried_again(
    sandbox: Sandbox, make_model: MakeModel, status: int, call: str
) -> None:
    sandbox.behave(fail={"status": status})
    with pytest.raises(ModelRejected) as raised:
        await _call(make_model(sandbox.base_url), call)
    assert "Incorrect" not in str(raised.value)
    assert sandbox.streams.failed + sandbox.plain.failed == 1


@pytest.mark.parametrize("call", ["stream", "structured"])
async def test_a_model_that_does_not_exist_is_a_refusal(
    sandbox: Sandbox, make_model: MakeModel, call: str
) -> None:
    with pytest.raises(ModelRejected):
        await _call(make_model(sandbox.base_url, "no-such-model"), call)


@pytest.mark.parametrize("status", [429, 500])
@pytest.mark.parametrize("call", ["stream", "structured"])
async def test_a_busy_or_broken_server_is_tried_again_and_then_unavailable(
    sandbox: Sandbox, make_model: MakeModel, status: int, call: str
) -> None:
    sandbox.behave(fail={"status": status})
    with pytest.raises(ModelUnavailable):
        await _call(make_model(sandbox.base_url), call)
    assert sandbox.streams.failed + sandbox.plain.failed == 3


@pytest.mark.parametrize("call", ["stream", "structured"])
async def test_a_server_that_recovers_is_not_noticed(
    sandbox: Sandbox, make_model: MakeModel, call: str
) -> None:
    sandbox.behave(fail={"status": 500, "times": 2})
    await _call(make_model(sandbox.base_url), call)
    await until(lambda: sandbox.streams.completed + sandbox.plain.completed == 1)


@pytest.mark.parametrize("call", ["stream", "structured"])
async def test_a_server_that_is_not_there_is_unavailable(make_model: MakeModel, call: str) -> None:
    async with raw_server(says_nothing) as server:
        gone = server.base_url
    with pytest.raises(ModelUnavailable):
        await _call(make_model(gone), call)


@pytest.mark.parametrize("call", ["stream", "structured"])
async def test_a_server_that_hangs_up_is_unavailable(make_model: MakeModel, call: str) -> None:
    async with raw_server(hangs_up) as server:
        with pytest.raises(ModelUnavailable):
            await _call(make_model(server.base_url), call)
    assert len(server.requests) == 3


async def test_a_server_that_never_answers_is_given_up(make_model: MakeModel) -> None:
    async with raw_server(says_nothing) as server:
        with pytest.raises(ModelUnavailable):
            await make_model(server.base_url).stream(ASKED, Heard())
        await until(lambda: server.clients_left == len(server.requests))


async def test_a_stream_that_falls_silent_is_given_up(make_model: MakeModel) -> None:
    heard = Heard()
    async with raw_server(sends(streams.OPENING, streams.says("비우고"), ends=False)) as server:
        with pytest.raises(ModelUnavailable):
            await make_model(server.base_url).stream(ASKED, heard)
        await until(lambda: server.clients_left == 1)
    assert heard.text == "비우고"
    assert len(server.requests) == 1


async def test_a_whole_answer_counts_although_the_server_keeps_the_response_open(
    make_model: MakeModel,
) -> None:
    heard = Heard()
    async with raw_server(sends(streams.says("비우고"), streams.FINISH, streams.DONE, ends=False)) as server:
        end = await make_model(server.base_url).stream(ASKED, heard)
    assert (heard.text, end.finish_reason) == ("비우고", "stop")
    assert len(server.requests) == 1


async def test_an_answer_without_a_word_is_no_answer(make_model: MakeModel) -> None:
    async with raw_server(sends(streams.OPENING, streams.FINISH, streams.DONE)) as server:
        with pytest.raises(ModelUnavailable, match="nothing"):
            await make_model(server.base_url).stream(ASKED, Heard())


async def test_a_proxy_of_the_environment_does_not_come_between_us_and_our_own_machine(
    make_model: MakeModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    heard = Heard()
    async with raw_server(sends(streams.RECORDED)) as server:
        await make_model(server.base_url).stream(ASKED, heard)
    assert heard.text == streams.TEXT


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:1080", "https://127.0.0.1:1080"])
async def test_a_proxy_that_cannot_be_used_is_the_operator_s_to_mend(
    make_model: MakeModel, monkeypatch: pytest.MonkeyPatch, proxy: str
) -> None:
    monkeypatch.setenv("https_proxy", proxy)
    monkeypatch.delenv("no_proxy", raising=False)
    with pytest.raises(ModelRejected, match="proxy"):
        await make_model("https://model.test/v1").stream(ASKED, Heard())


@pytest.mark.parametrize("resets", [True, False])
async def test_a_stream_that_breaks_off_is_unavailable_and_not_said_again(
    make_model: MakeModel, resets: bool
) -> None:
    heard = Heard()
    async with raw_server(sends(streams.says("비우고"), ends=not resets, resets=resets)) as server:
        with pytest.raises(ModelUnavailable):
            await make_model(server.base_url).stream(ASKED, heard)
    assert heard.text in ("비우고", "")
    assert len(server.requests) == 1


async def test_a_sandbox_that_breaks_off_is_unavailable(sandbox: Sandbox, make_model: MakeModel) -> None:
    sandbox.behave(break_after_tokens=3)
    heard = Heard()
    with pytest.raises(ModelUnavailable):
        await make_model(sandbox.base_url).stream(ASKED, heard)
    assert heard.tokens == 3
    assert sandbox.streams.started == 1


async def test_a_stream_cut_into_crumbs_by_the_network_gives_its_text(make_model: MakeModel) -> None:
    heard = Heard()
    parts = [streams.RECORDED[at : at + 5] for at in range(0, len(streams.RECORDED), 5)]
    async with raw_server(sends(*parts)) as server:
        end = await make_model(server.base_url).stream(ASKED, heard)
    assert heard.text == streams.TEXT
    assert end.usage["input_tokens"] == 321


async def test_a_refusal_in_mid_stream_refuses_the_answer(make_model: MakeModel) -> None:
    refusal = streams.chunk({"refusal": "I'm sorry"})
    async with raw_server(sends(streams.OPENING, refusal, streams.DONE)) as server:
        with pytest.raises(AnswerRefused):
            await make_model(server.base_url).stream(ASKED, Heard())


async def test_no_money_left_is_a_refusal(make_model: MakeModel) -> None:
    body = orjson.dumps({"error": {"message": "You exceeded your quota", "code": "insufficient_quota"}})
    async with raw_server(sends(body, status="429 Too Many Requests")) as server:
        with pytest.raises(ModelRejected):
            await make_model(server.base_url).stream(ASKED, Heard())
    assert len(server.requests) == 1


async def test_the_request_asks_for_usage_and_bounds_the_answer(make_model: MakeModel) -> None:
    async with raw_server(sends(streams.RECORDED)) as server:
        await make_model(server.base_url).stream(ASKED, Heard())
    sent = orjson.loads(server.requests[0])
    assert (sent["stream"], sent["stream_options"]) == (True, {"include_usage": True})
    assert sent["messages"] == [dict(message) for message in ASKED]
    assert sent["max_completion_tokens"] > 0


async def test_an_answer_that_is_long_enough_closes_the_connection(
    sandbox: Sandbox, make_model: MakeModel
) -> None:
    sandbox.behave(token_ms=5, answer_tokens=2_000)
    end = await make_model(sandbox.base_url).stream(ASKED, Heard(limit=3))
    assert end.finish_reason == "length"
    await until(lambda: sandbox.streams.closed_early == 1)


@pytest.mark.parametrize("call", ["stream", "structured"])
async def test_cancelling_closes_the_connection(sandbox: Sandbox, make_model: MakeModel, call: str) -> None:
    sandbox.behave(hang=True)
    calling = asyncio.create_task(_call(make_model(sandbox.base_url), call))
    await until(lambda: sandbox.streams.open + sandbox.plain.open)
    calling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await calling
    await until(lambda: sandbox.streams.closed_early + sandbox.plain.closed_early == 1)


async def test_cancelling_a_job_between_tokens_closes_the_connection_and_ends_it_once(
    sandbox: Sandbox, make_model: MakeModel
) -> None:
    sandbox.behave(token_ms=5, answer_tokens=2_000, for_requests="stream")
    async with World(model=make_model(sandbox.base_url)) as world:
        job_id = await world.ask("페트병은 어떻게 버려?")
        await until(lambda: world.log.steps.count("token") > 3)
        await world.cancel(job_id)
        story = await world.story(job_id)
        await until(lambda: sandbox.streams.closed_early == 1)
    assert story.end == "cancelled"
    assert 3 < story.ended["usage"]["output_tokens"] < 2_000
    assert story.ended["usage"]["estimated"]


async def test_a_refused_key_ends_the_job_with_one_plain_error(
    sandbox: Sandbox, make_model: MakeModel
) -> None:
    sandbox.behave(fail={"status": 401})
    async with World(model=make_model(sandbox.base_url)) as world:
        story = await world.answer("페트병은 어떻게 버려?")
        await world.settled()
    assert (story.end, story.ended["code"], story.ended["status"]) == ("error", "model_rejected", 502)
    assert "key" not in orjson.dumps(story.ended).decode().lower()
    assert not world.queue.dead


async def test_a_stream_that_breaks_every_time_ends_in_the_dead_letters(
    sandbox: Sandbox, make_model: MakeModel, quick_retries: None
) -> None:
    sandbox.behave(break_after_tokens=3, for_requests="stream")
    async with World(model=make_model(sandbox.base_url)) as world:
        story = await world.answer("페트병은 어떻게 버려?")
        await world.settled()
    assert story.ended["code"] == "attempts_exhausted"
    assert sandbox.streams.broken == 3
    assert len(world.queue.dead) == 1


async def _call(model: OpenAIModel, call: str) -> object:
    if call == "stream":
        return await model.stream(ASKED, Heard())
    asked: list[Message] = [{"role": "user", "content": quoted("question", "페트병은?")}]
    return await model.structured(asked, "Understanding", SCHEMA)
