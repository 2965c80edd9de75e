"""The model says the one right answer, and never ends one that is poison."""

from collections.abc import AsyncIterator

import openai
import pytest

from bench import simulator
from chaos.model import Connection
from chaos.question import Question


@pytest.fixture
async def client() -> AsyncIterator[openai.AsyncOpenAI]:
    server = await simulator.serve("127.0.0.1", 0, Connection)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    async with server, openai.AsyncOpenAI(base_url=url, api_key="none", max_retries=0) as client:
        yield client


async def said(client: openai.AsyncOpenAI, question: Question) -> tuple[str, str | None]:
    """All text of the answer, and how it ended."""
    asked = [{"role": "user", "content": question.message}]
    stream = await client.chat.completions.create(model="chaos", messages=asked, stream=True)
    text, end = "", None
    async for chunk in stream:
        text += chunk.choices[0].delta.content or ""
        end = chunk.choices[0].finish_reason or end
    return text, end


async def test_the_answer_is_the_question_s_own_word_by_word(client: openai.AsyncOpenAI) -> None:
    question = Question("a1", 12, first_word_ms=1, word_ms=1, padding=3)
    assert await said(client, question) == (question.answer, "stop")


async def test_poison_is_begun_and_never_ended(client: openai.AsyncOpenAI) -> None:
    question = Question("a1", 12, first_word_ms=1, word_ms=1, kind="poison")
    text, end = await said(client, question)
    assert question.answer.startswith(text)
    assert (len(text) < len(question.answer), end) == (True, None)
