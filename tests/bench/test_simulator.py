"""The simulator's replies are what the official client takes for the real thing."""

import time
from collections.abc import AsyncIterator

import openai
import pytest

from bench import simulator
from bench.load_client import model_target, run_load
from bench.pace import Pace
from bench.verdict import judge

ASK = [{"role": "user", "content": "페트병은?"}]


@pytest.fixture
async def model_url() -> AsyncIterator[str]:
    server = await simulator.serve("127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"


@pytest.fixture
async def client(model_url: str) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(base_url=model_url, api_key="none", max_retries=0) as client:
        yield client


async def test_the_official_client_reads_every_token_and_the_usage(client: openai.AsyncOpenAI) -> None:
    stream = await client.chat.completions.create(
        model="sim-7-0-0", messages=ASK, stream=True, stream_options={"include_usage": True}
    )
    chunks = [chunk async for chunk in stream]
    choices = [chunk.choices[0] for chunk in chunks if chunk.choices]
    assert judge([(0, choice.delta.content or "") for choice in choices], expected=7).is_exact
    assert choices[0].delta.role == "assistant"
    assert [choice.finish_reason for choice in choices if choice.finish_reason] == ["stop"]
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens == 7


async def test_no_usage_is_sent_unasked(client: openai.AsyncOpenAI) -> None:
    stream = await client.chat.completions.create(model="sim-2-0-0", messages=ASK, stream=True)
    assert [chunk.usage async for chunk in stream if chunk.usage] == []


async def test_one_connection_serves_many_answers(client: openai.AsyncOpenAI) -> None:
    for _ in range(3):
        stream = await client.chat.completions.create(model="sim-3-0-0", messages=ASK, stream=True)
        assert judge([(0, c.choices[0].delta.content or "") async for c in stream], expected=3).is_exact


async def test_the_question_sets_the_pace_when_the_model_name_does_not(client: openai.AsyncOpenAI) -> None:
    ask = [{"role": "user", "content": f"페트병은? {Pace(4).name}"}]
    stream = await client.chat.completions.create(model="gpt", messages=ask, stream=True)
    texts = [(0, chunk.choices[0].delta.content or "") async for chunk in stream]
    assert judge(texts, expected=4).is_exact


async def test_tokens_keep_their_absolute_deadlines(model_url: str) -> None:
    pace = Pace(tokens=5, first_token_ms=40, token_ms=10)
    asked_ns = time.monotonic_ns()
    result = await run_load(model_target(model_url), pace, streams=3)
    for verdict in result.verdicts:
        assert verdict.is_exact
        assert min(verdict.delays_ns) >= 0
        due = [verdict.first_at_ns - verdict.delays_ns[0], verdict.last_at_ns - verdict.delays_ns[-1]]
        assert due[1] - due[0] == 4 * 10_000_000
        assert due[0] >= asked_ns + 40_000_000


async def test_understanding_repeats_the_question(client: openai.AsyncOpenAI) -> None:
    prompt = '오늘은 금요일.\n<question>\n"우유팩은 \\"종이\\"인가요?"\n</question>'
    reply = await client.chat.completions.create(
        model="sim",
        messages=[{"role": "system", "content": "분류"}, {"role": "user", "content": prompt}],
        response_format={
            "type": "json_schema",
            "json_schema": {"name": "Understanding", "schema": {"type": "object"}},
        },
    )
    content = reply.choices[0].message.content or ""
    assert '"intent":"waste"' in content
    assert '우유팩은 \\"종이\\"인가요?' in content


async def test_plain_completions_and_embeddings_are_understood(client: openai.AsyncOpenAI) -> None:
    reply = await client.chat.completions.create(model="sim", messages=ASK)
    assert reply.choices[0].message.content
    vectors = await client.embeddings.create(model="sim", input=["가", "나"], encoding_format="float")
    assert [vector.index for vector in vectors.data] == [0, 1]


async def test_an_unknown_path_is_not_found(client: openai.AsyncOpenAI) -> None:
    with pytest.raises(openai.NotFoundError):
        await client.models.list()
