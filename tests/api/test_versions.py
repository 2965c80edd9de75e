"""What a newer worker says reaches viewers as it is, and does the façades no harm."""

import orjson
import pytest
from eco2_bus.job import ChatJob

from tests.api.services import World
from tests.api.serving import Api
from tests.api.worker import Worker

NEWER = orjson.dumps({"colour": "green", "deep": [[{"a": None}]], "글": "새로운"})


async def told(worker: Worker) -> None:
    """An answer of a later version: events and fields that this one does not know."""
    worker.writer.event("confetti", NEWER)
    await worker.say("라벨을 ")
    worker.writer.event("stage", orjson.dumps({"node": "dream", "status": "started", "depth": 3}))
    worker.writer.event("confetti", b"[]")
    await worker.say("떼요.")
    await worker.writer.end("done", orjson.dumps({**worker.ended().model_dump(), "mood": "good"}))


async def worker_of(world: World) -> Worker:
    (job,) = await world.waiting_jobs()
    assert isinstance(job, ChatJob)
    return await Worker.begin(world.log, job.job_id)


async def test_viewers_get_unknown_events_and_fields_byte_for_byte(world: World, api: Api) -> None:
    job_id = await api.new_job()
    async with await api.events(job_id) as viewer:
        await told(await worker_of(world))
        blocks = await viewer.rest()
    confetti = [block for block in blocks if block.event == "confetti"]
    assert [block.data.encode() for block in confetti] == [NEWER, b"[]"]
    assert [block.id for block in confetti] == ["1-2", "1-5"]
    assert blocks[-1].json()["mood"] == "good"


async def test_the_status_of_such_a_job_is_what_this_version_knows(world: World, api: Api) -> None:
    job_id = await api.new_job()
    await told(await worker_of(world))
    status = (await api.status(job_id)).json()
    assert (status["status"], status["answer"]) == ("done", "라벨을 떼요.")


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/api/v1/ai-sdk/chat"])
async def test_the_facades_let_unknown_events_pass(world: World, api: Api, path: str) -> None:
    asked = "페트병은?"
    part = {"role": "user", "content": asked, "parts": [{"type": "text", "text": asked}], "id": "m"}
    body = {
        "model": "eco2-chat",
        "messages": [part],
        "stream": True,
        "id": "chat-1",
        "trigger": "submit-message",
    }
    async with api.client.stream("POST", path, json=body) as response:
        assert response.status_code == 200
        await told(await worker_of(world))
        text = "".join([piece async for piece in response.aiter_text()])
    assert "라벨을 " in text
    assert "떼요." in text
    assert "confetti" not in text
