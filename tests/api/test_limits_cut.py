"""An answer that was cut at its limit says so in every protocol, beside the words in its text."""

import asyncio
from typing import Any

import pytest
from eco2_bus.events import to_json

from tests.api.services import MemoryWorld
from tests.api.serving import QUESTION, STREAM, Api
from tests.api.worker import Worker

OPENAI = {"model": "eco2-chat", "messages": [{"role": "user", "content": QUESTION}]}
UI_MESSAGE = {"id": "m-1", "role": "user", "parts": [{"type": "text", "text": QUESTION}]}


async def cut(world: MemoryWorld) -> None:
    """Answers the next job with an answer that was cut."""
    jobs: list[Any] = []
    async with asyncio.timeout(10):
        while not jobs:
            await asyncio.sleep(0.01)
            jobs = await world.waiting_jobs()
    worker = await Worker.begin(world.log, jobs[0].job_id)
    await worker.say("라벨을 (답변이 길어져 여기서 줄였어요.)")
    ended = worker.ended().model_copy(update={"finish_reason": "length"})
    await worker.writer.end("done", to_json(ended))


@pytest.mark.parametrize(
    ("path", "body", "told"),
    [
        ("/api/v1/chat", {"message": QUESTION}, '"finish_reason":"length"'),
        ("/v1/chat/completions", OPENAI, '"finish_reason":"length"'),
        ("/v1/chat/completions", {**OPENAI, "stream": True}, '"finish_reason":"length"'),
        ("/api/v1/ai-sdk/chat", {"id": "chat-1", "messages": [UI_MESSAGE]}, '"finishReason":"length"'),
    ],
)
async def test_a_cut_answer_says_so(
    memory_world: MemoryWorld, memory_api: Api, path: str, body: dict[str, Any], told: str
) -> None:
    async with asyncio.TaskGroup() as group:
        asking = group.create_task(memory_api.client.post(path, json=body, headers=STREAM))
        await cut(memory_world)

    text = asking.result().text
    assert text.count(told) == 1
    assert '"stop"' not in text
