"""Messages that nobody of ours has written: each is a dead letter, and the next question is answered."""

import asyncio
import uuid
from typing import Any

import orjson
from eco2_bus.job import ChatJob
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.worker.fakes import SpyQueue
from tests.worker.world import World

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)
FIELDS = st.sampled_from(
    ["schema", "job_id", "session_id", "owner", "message", "location", "resume", "image_url"]
)
GOOD = ChatJob(job_id="0" * 32, session_id="s", owner="someone", message="m", created_at_ms=1).to_body()
BODIES = (
    st.binary(max_size=300)
    | JSON.map(orjson.dumps)
    | st.integers(0, len(GOOD) - 1).map(lambda at: GOOD[:at])
    | st.builds(lambda name, value: orjson.dumps({**orjson.loads(GOOD), name: value}), FIELDS, JSON)
)


async def _survives(bodies: list[tuple[str, bytes]]) -> World:
    async with World(queue=SpyQueue(later_s=0), concurrency=2) as world:
        for job_id, body in bodies:
            world.queue.put_raw(job_id, body)
        assert (await world.answer()).end == "done"
        await world.settled()
    return world


@given(st.lists(st.tuples(st.sampled_from(["", "x", "0" * 32, "f" * 32]), BODIES), max_size=8))
@settings(max_examples=40, deadline=None)
@example(
    [("0" * 32, b"[" * 200_000), ("0" * 32, b'{"a":' * 100_000), ("", b"\xff\xfe"), ("x", b"9" * 10_000)]
)
@example([("0" * 32, b'{"schema":1,"message":"' + b"\\ud800" * 3 + b'"}'), ("0" * 32, b"x" * 8_000_000)])
def test_the_worker_goes_on_after_messages_of_any_kind(bodies: list[tuple[str, bytes]]) -> None:
    world = asyncio.run(_survives(bodies))
    dead = {body for _, body in world.queue.dead}
    for _, body in bodies:
        try:
            ChatJob.from_body(body)
        except ValueError:
            assert body in dead


@given(BODIES)
@settings(max_examples=25, deadline=None)
def test_whoever_waits_for_a_message_that_cannot_be_read_is_told(body: bytes) -> None:
    async def told() -> Any:
        async with World(queue=SpyQueue(later_s=0)) as world:
            job = await world.create()
            world.queue.put_raw(job.job_id, body)
            await world.settled()
            return (await world.log.summary(job.job_id)).last

    try:
        readable = ChatJob.from_body(body).job_id != uuid.uuid4().hex
    except ValueError:
        readable = False
    last = asyncio.run(told())
    assert last.event == ("queued" if readable else "error")
