"""A job that waits for its user: how it is seen, answered, cancelled and left."""

import asyncio
from typing import Any

import httpx
import pytest
from eco2_bus.events import InputRequired, to_json
from eco2_bus.job import ChatJob
from eco2_bus.log import Claim, TakeOver, TakeOverResult

from tests.api.services import World, new_id
from tests.api.serving import Api
from tests.api.viewer import names
from tests.api.worker import Worker, answer

pytestmark = pytest.mark.asyncio(loop_scope="module")

HERE = {"latitude": 37.5665, "longitude": 126.978}


async def waiting(api: Api, **body: Any) -> str:
    """A job whose worker has asked for a place, as the worker leaves it."""
    queued = await api.submit(**body)
    job_id = queued["job_id"]
    worker = await Worker.begin(api.log, job_id)
    job = ChatJob(
        job_id=job_id,
        session_id=queued["session_id"],
        owner="anonymous",
        message="근처 수거함",
        created_at_ms=1,
    )
    await api.log.park_job(job_id, job.to_body())
    asked = InputRequired(kind="location", message="어디세요?", expires_in_s=120)
    worker.writer.event("input_required", to_json(asked))
    await worker.writer.flush()
    return job_id


async def give(api: Api, job_id: str, body: Any) -> httpx.Response:
    return await api.client.post(f"/api/v1/chat/{job_id}/input", json=body)


async def test_a_job_that_waits_says_so(shared_api: Api) -> None:
    job_id = await waiting(shared_api)
    assert (await shared_api.status(job_id)).json()["status"] == "waiting"


async def test_the_place_is_published_with_the_entry_that_asked_for_it(shared_api: Api) -> None:
    job_id = await waiting(shared_api)
    response = await give(shared_api, job_id, {"location": HERE})
    assert (response.status_code, response.json()["job_id"]) == (202, job_id)
    taken = await shared_api.log.take_over(
        job_id,
        Claim.RESUMED,
        poison_after=3,
        poison=b"{}",
        after=(await shared_api.log.summary(job_id)).last.id,
    )
    assert (taken.result, taken.first[0]) == (TakeOverResult.OWNED, "started")
    assert (await shared_api.status(job_id)).json()["status"] == "running"


async def test_an_answer_that_is_repeated_fills_no_queue(shared_api: Api, shared_world: World) -> None:
    job_id = await waiting(shared_api)
    await shared_world.waiting_jobs()
    for _ in range(5):
        assert (await give(shared_api, job_id, {"location": HERE})).status_code == 202
    assert [job.job_id for job in await shared_world.waiting_jobs()] == [job_id]


@pytest.mark.parametrize("state", ["queued", "running", "ended"])
async def test_input_that_nobody_asked_for_is_refused(shared_api: Api, state: str) -> None:
    job_id = await shared_api.new_job()
    if state == "running":
        await Worker.begin(shared_api.log, job_id)
    if state == "ended":
        await answer(shared_api.log, job_id, "답")
    response = await give(shared_api, job_id, {"location": HERE})
    assert (response.status_code, response.json()["code"]) == (409, "not_waiting")


async def test_input_for_an_unknown_job_is_not_found(shared_api: Api) -> None:
    assert (await give(shared_api, new_id(), {"location": HERE})).status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"location": None},
        {"location": {"latitude": 91, "longitude": 0}},
        {"location": {"latitude": 0}},
        {"location": HERE, "more": 1},
        [],
    ],
)
async def test_input_that_is_no_place_is_invalid(shared_api: Api, body: Any) -> None:
    job_id = await waiting(shared_api)
    response = await give(shared_api, job_id, body)
    assert response.status_code == 422
    assert (await shared_api.status(job_id)).json()["status"] == "waiting"


async def test_a_waiting_job_is_cancelled_at_once(shared_api: Api) -> None:
    job_id = await waiting(shared_api)
    assert (await shared_api.cancel(job_id)).json()["status"] == "cancelled"
    assert (await give(shared_api, job_id, {"location": HERE})).json()["code"] == "not_waiting"


@pytest.mark.parametrize("has_log", [True, False])
async def test_a_wait_that_was_cancelled_says_what_had_been_done(shared_api: Api, has_log: bool) -> None:
    job_id = await waiting(shared_api)
    await shared_api.cancel(job_id)
    async with await shared_api.events(job_id) as viewer:
        entries = await viewer.rest()
    if not has_log:
        await shared_api.log.discard(job_id)
    told = (await shared_api.status(job_id)).json()

    assert names(entries) == ["queued", "started", "input_required", "usage", "cancelled"]
    assert entries[-2].json()["estimated"]
    assert entries[-1].json()["usage"] == entries[-2].json()
    assert (told["status"], told["attempts"], told["usage"]["estimated"]) == ("cancelled", 1, True)
    assert told["duration_ms"] > 0


async def test_a_question_that_comes_with_the_answer_leaves_the_answered_job_alone(
    shared_api: Api, shared_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = f"s{new_id()}"
    job_id = await waiting(shared_api, session_id=session)
    log, ended = shared_world.made.log, shared_world.made.log.end

    async def answered_before(*args: Any, **options: Any) -> TakeOver:
        monkeypatch.setattr(log, "end", ended)
        after = (await log.summary(job_id)).last.id
        taken = await log.take_over(job_id, Claim.RESUMED, poison_after=3, poison=b"{}", after=after)
        assert taken.result is TakeOverResult.OWNED
        return await ended(*args, **options)

    monkeypatch.setattr(log, "end", answered_before)
    refused = await shared_api.post({"message": "다른 질문", "session_id": session})

    assert (refused.status_code, refused.json()["job_id"]) == (409, job_id)
    assert not await shared_api.log.is_cancel_requested(job_id)


async def test_a_new_question_discards_the_wait_of_its_session(shared_api: Api) -> None:
    session = f"s{new_id()}"
    job_id = await waiting(shared_api, session_id=session)
    next_job = await shared_api.submit(session_id=session)
    assert next_job["job_id"] != job_id
    assert (await shared_api.status(job_id)).json()["status"] == "cancelled"


async def test_a_session_that_waits_can_be_deleted(shared_api: Api) -> None:
    session = f"s{new_id()}"
    job_id = await waiting(shared_api, session_id=session)
    async with asyncio.timeout(5):
        response = await shared_api.client.delete(f"/api/v1/sessions/{session}")
    assert response.status_code == 204
    assert (await shared_api.status(job_id)).status_code == 404
    assert await shared_api.log.parked_job(job_id) is None
