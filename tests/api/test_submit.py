"""A question is taken: what comes back, what lies in the queue, and one trace id through all of it."""

import re
import time

import pytest
from eco2_bus.events import Queued
from eco2_bus.job import Location

from tests.api.services import World, new_id
from tests.api.serving import QUESTION, STREAM, Api
from tests.api.viewer import Viewer, names
from tests.api.worker import answer

pytestmark = pytest.mark.asyncio(loop_scope="module")

TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
TRACEPARENT = f"00-{TRACE_ID}-b7ad6b7169203331-01"


async def test_a_question_is_answered_with_its_addresses(shared_api: Api) -> None:
    response = await shared_api.post()

    assert response.status_code == 202
    body = response.json()
    queued = Queued.model_validate(body)
    assert re.fullmatch("[0-9a-f]{32}", queued.job_id)
    assert body["status"] == "queued"
    assert queued.status_url == f"/api/v1/chat/{queued.job_id}"
    assert queued.events_url == f"{queued.status_url}/events"
    assert queued.cancel_url == f"{queued.status_url}/cancel"
    assert response.headers["location"] == queued.status_url


async def test_the_addresses_work_as_they_are_given(shared_api: Api) -> None:
    queued = await shared_api.submit()
    await answer(shared_api.log, queued["job_id"], "라벨을 ", "떼고 버려요.")

    assert (await shared_api.client.get(queued["status_url"])).json()["answer"] == "라벨을 떼고 버려요."
    async with await Viewer.open(shared_api.url, queued["events_url"]) as viewer:
        assert (await viewer.rest())[-1].event == "done"
    assert (await shared_api.client.post(queued["cancel_url"])).status_code == 200


async def test_the_queued_event_is_the_202_again(shared_api: Api) -> None:
    queued = await shared_api.submit()

    async with await shared_api.events(queued["job_id"]) as viewer:
        first = await viewer.event()

    assert first is not None
    assert (first.event, first.id) == ("queued", "0-1")
    assert first.json() == queued


async def test_the_job_in_the_queue_carries_the_question_as_it_was_typed(
    shared_api: Api, shared_world: World
) -> None:
    session_id, before = new_id(), int(time.time() * 1000)
    queued = await shared_api.submit(
        message="이 👨‍👩‍👧 스티커는\n어디에?",
        session_id=session_id,
        image_url="https://example.org/a.png",
        location={"latitude": 37.5, "longitude": 127},
    )

    jobs = {job.job_id: job for job in await shared_world.waiting_jobs()}
    job = jobs[queued["job_id"]]
    assert job.message == "이 👨‍👩‍👧 스티커는\n어디에?"
    assert job.session_id == session_id == queued["session_id"]
    assert job.owner == "anonymous"
    assert job.image_url == "https://example.org/a.png"
    assert job.location == Location(latitude=37.5, longitude=127)
    assert before <= job.created_at_ms <= time.time() * 1000


async def test_a_question_without_a_session_begins_one_of_its_own(shared_api: Api) -> None:
    first, second = await shared_api.submit(), await shared_api.submit()

    assert first["session_id"] != second["session_id"]
    assert first["job_id"] != second["job_id"]


async def test_the_callers_trace_goes_on(shared_api: Api) -> None:
    response = await shared_api.post(traceparent=TRACEPARENT)

    assert response.json()["trace_id"] == TRACE_ID
    told = response.headers["server-timing"]
    assert re.fullmatch(rf'traceparent;desc="00-{TRACE_ID}-[0-9a-f]{{16}}-0[01]"', told)


async def test_without_a_callers_trace_a_new_one_begins(shared_api: Api) -> None:
    first, second = await shared_api.submit(), await shared_api.submit()

    assert re.fullmatch("[0-9a-f]{32}", first["trace_id"])
    assert first["trace_id"] != second["trace_id"]


@pytest.mark.parametrize("junk", ["", "junk", f"00-{'0' * 32}-b7ad6b7169203331-01", "00-é-é-01"])
async def test_a_malformed_trace_of_the_caller_is_not_used(shared_api: Api, junk: str) -> None:
    headers = {"traceparent": junk.encode()}
    response = await shared_api.client.post("/api/v1/chat", json={"message": QUESTION}, headers=headers)

    assert response.status_code == 202
    assert re.fullmatch("[0-9a-f]{32}", response.json()["trace_id"])
    assert set(response.json()["trace_id"]) != {"0"}


async def test_a_post_that_accepts_a_stream_gets_the_events_themselves(shared_api: Api) -> None:
    body = f'{{"message": "{QUESTION}"}}'.encode()
    headers = {**STREAM, "Content-Type": "application/json", "traceparent": TRACEPARENT}
    async with await Viewer.open(
        shared_api.url, "/api/v1/chat", method="POST", body=body, headers=headers
    ) as viewer:
        assert viewer.status == 200
        assert viewer.headers["content-type"].startswith("text/event-stream")
        first = await viewer.event()
        assert first is not None
        queued = Queued.model_validate(first.json())
        assert (first.event, first.id) == ("queued", "0-1")
        assert viewer.headers["location"] == queued.status_url
        assert TRACE_ID in viewer.headers["server-timing"]
        assert queued.trace_id == TRACE_ID

        await answer(shared_api.log, queued.job_id, "네.")
        assert names(await viewer.rest()) == ["started", "token", "done"]
        assert viewer.is_whole


async def test_a_post_that_accepts_a_stream_still_gets_its_errors_as_problems(shared_api: Api) -> None:
    response = await shared_api.client.post("/api/v1/chat", json={"message": " "}, headers=STREAM)

    assert response.status_code == 422
    assert response.json()["code"] == "invalid_fields"


@pytest.mark.parametrize("accept", ["*/*", "application/json", "text/html", ""])
async def test_every_other_accept_gets_json(standing_api: Api, accept: str) -> None:
    response = await standing_api.post(accept=accept)

    assert response.status_code == 202
    assert response.headers["content-type"] == "application/json"
