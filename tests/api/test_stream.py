"""The form of an event stream: its headers, its first byte, its pulse, its end."""

import json

import pytest
from eco2_bus.events import Image, InputRequired, to_json
from eco2_bus.log import Claim

from tests.api import documented
from tests.api.serving import QUESTION, STREAM, Api
from tests.api.viewer import Block, Viewer, ids, names
from tests.api.worker import Worker, answer

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_the_first_bytes_come_at_once_and_set_the_pace_of_reconnects(shared_api: Api) -> None:
    job_id = await shared_api.new_job()

    async with await shared_api.events(job_id) as viewer:
        assert await viewer.block(within_s=2) == Block(retry=2_000, comment="stream")


async def test_a_viewer_who_has_nothing_to_read_yet_gets_the_first_bytes_too(shared_api: Api) -> None:
    job_id = await shared_api.new_job()

    async with await shared_api.events(job_id, "0-1") as viewer:
        assert await viewer.block(within_s=2) == Block(retry=2_000, comment="stream")


async def test_nothing_on_the_way_may_keep_or_hold_back_a_stream(shared_api: Api) -> None:
    job_id = await shared_api.new_job()

    async with await shared_api.events(job_id) as viewer:
        assert viewer.status == 200
        assert viewer.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert viewer.headers["cache-control"] == "no-store, no-transform"
        assert viewer.headers["x-accel-buffering"] == "no"
        assert "content-encoding" not in viewer.headers


async def test_the_stream_of_a_post_is_resumed_by_a_get(shared_api: Api) -> None:
    body = json.dumps({"message": QUESTION}).encode()
    headers = {**STREAM, "Content-Type": "application/json"}
    viewer = await Viewer.open(shared_api.url, "/api/v1/chat", method="POST", body=body, headers=headers)
    first = await viewer.event()
    assert first is not None
    worker = await Worker.begin(shared_api.log, first.json()["job_id"])
    await worker.say("하나 ", "둘 ", "셋")
    seen = await viewer.until("1-3")
    await viewer.close()
    await worker.end()

    async with await Viewer.open(
        shared_api.url, first.json()["events_url"], headers={"Last-Event-ID": seen[-1].id or ""}
    ) as again:
        assert ids(await again.rest()) == ["1-4", "1-5"]


async def test_a_viewer_who_leaves_does_not_cancel_the_job(shared_api: Api) -> None:
    job_id = await shared_api.new_job()
    viewer = await shared_api.events(job_id)
    await viewer.event()
    await viewer.close()

    worker = await answer(shared_api.log, job_id, "다 ", "들려요")
    assert not await shared_api.log.is_cancel_requested(job_id)
    assert (await shared_api.status(job_id)).json()["answer"] == worker.text


async def test_a_log_that_expires_under_a_viewer_ends_the_stream(standing_api: Api) -> None:
    job_id = await standing_api.new_job()
    async with await standing_api.events(job_id) as viewer:
        await viewer.event()
        await standing_api.log.discard(job_id)

        assert await viewer.rest() == []
        assert viewer.is_whole
    async with await standing_api.events(job_id, "0-1") as again:
        assert again.status == 404


async def test_every_event_is_as_the_document_describes_it(standing_api: Api) -> None:
    job_id = await standing_api.new_job()
    await (await Worker.begin(standing_api.log, job_id)).say("잃을 글")
    second = await Worker.begin(standing_api.log, job_id, Claim.REDELIVERED)
    await second.everything_else()
    second.writer.event("image", to_json(Image(url="/api/v1/images/1", alt="페트병")))
    asked = InputRequired(kind="location", message="어디세요?", expires_in_s=120)
    second.writer.event("input_required", to_json(asked))
    await second.say("답")
    await second.end()
    async with await standing_api.events(job_id, "9-9") as viewer:
        events = await viewer.rest()
    failed = await standing_api.new_job()
    await answer(standing_api.log, failed, event="error")
    async with await standing_api.events(failed) as viewer:
        events += await viewer.rest()
    cancelled = await standing_api.new_job()
    await answer(standing_api.log, cancelled, "반", event="cancelled")
    async with await standing_api.events(cancelled) as viewer:
        events += await viewer.rest()

    # The one that is missing takes a credential that ends: test_auth_tokens.py.
    assert {event.event for event in events} == set(documented.events()) - {"credential_expired"}
    for event in events:
        documented.check_event(event.event, event.json())


async def test_line_breaks_and_odd_characters_arrive_as_they_were_written(shared_api: Api) -> None:
    pieces = ["한 줄\n\n", "data: 가짜\n\nevent: done\n", "\r\n\u2028\u2029\x00\x1f", "👨‍👩‍👧", "</script>"]
    job_id = await shared_api.new_job()
    await answer(shared_api.log, job_id, *pieces)

    async with await shared_api.events(job_id) as viewer:
        events = await viewer.rest()
    assert [event.json()["text"] for event in events if event.event == "token"] == pieces
    assert names(events) == ["queued", "started", *["token"] * len(pieces), "done"]
