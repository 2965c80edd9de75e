"""How a job stands, and how it is stopped, in each of its states."""

import asyncio

import pytest
from eco2_bus.events import START
from eco2_bus.log import Claim, TakeOverResult

from tests.api.services import begin_log, new_id
from tests.api.serving import Api
from tests.api.viewer import names
from tests.api.worker import SOURCE, USAGE, Worker, answer, take_over

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_job_that_nobody_has_begun_is_queued(shared_api: Api) -> None:
    queued = await shared_api.submit()

    response = await shared_api.status(queued["job_id"])
    assert response.status_code == 200
    assert response.json() == {
        "job_id": queued["job_id"],
        "session_id": queued["session_id"],
        "status": "queued",
        "events_url": queued["events_url"],
    }


async def test_a_job_that_a_worker_has_is_running_also_in_its_second_attempt(shared_api: Api) -> None:
    job_id = await shared_api.new_job()

    await (await Worker.begin(shared_api.log, job_id)).say("반쯤")
    assert (await shared_api.status(job_id)).json()["status"] == "running"
    await Worker.begin(shared_api.log, job_id, Claim.REDELIVERED)
    running = (await shared_api.status(job_id)).json()
    assert running["status"] == "running"
    assert "answer" not in running


@pytest.mark.parametrize("event", ["done", "cancelled"])
@pytest.mark.parametrize("has_log", [True, False])
async def test_a_job_that_has_ended_gives_its_answer_with_and_without_its_log(
    shared_api: Api, event: str, has_log: bool
) -> None:
    queued = await shared_api.submit()
    job_id = queued["job_id"]
    await answer(shared_api.log, job_id, "라벨을 ", "떼요.", event=event)
    if not has_log:
        await shared_api.log.discard(job_id)

    assert (await shared_api.status(job_id)).json() == {
        "job_id": job_id,
        "session_id": queued["session_id"],
        "status": event,
        "events_url": queued["events_url"],
        "answer": "라벨을 떼요.",
        "intents": ["waste"],
        "sources": [SOURCE.model_dump(exclude_none=True)],
        "usage": USAGE.model_dump(exclude_none=True),
        "attempts": 1,
        "duration_ms": 7,
        "sample_data": False,
    }


@pytest.mark.parametrize("has_log", [True, False])
async def test_a_job_that_failed_gives_its_problem(shared_api: Api, has_log: bool) -> None:
    job_id = await shared_api.new_job()
    await answer(shared_api.log, job_id, "반", event="error")
    if not has_log:
        await shared_api.log.discard(job_id)

    failed = (await shared_api.status(job_id)).json()
    assert failed["status"] == "error"
    assert failed["error"]["code"] == "job_failed"
    assert "answer" not in failed


async def test_status_and_cancel_of_an_unknown_job_are_not_found(shared_api: Api) -> None:
    for response in (await shared_api.status(new_id()), await shared_api.cancel(new_id())):
        assert response.status_code == 404
        assert response.json()["code"] == "job_not_found"


async def test_status_and_cancel_of_somebody_elses_job_are_not_found(shared_api: Api) -> None:
    job_id = await begin_log(shared_api.log, owner="somebody-else")

    assert (await shared_api.status(job_id)).status_code == 404
    assert (await shared_api.cancel(job_id)).status_code == 404
    assert (await take_over(shared_api.log, job_id)).result is TakeOverResult.OWNED


async def test_a_cancel_before_the_pickup_ends_the_job_at_once(shared_api: Api) -> None:
    queued = await shared_api.submit()
    job_id = queued["job_id"]
    async with await shared_api.events(job_id) as viewer:
        await viewer.event()

        response = await shared_api.cancel(job_id)

        assert (response.status_code, response.json()["status"]) == (202, "cancelled")
        last = await viewer.rest()
        assert names(last) == ["cancelled"]
    assert last[0].json()["answer"] == ""
    assert last[0].json()["trace_id"] == queued["trace_id"]
    assert (await take_over(shared_api.log, job_id)).result is TakeOverResult.ENDED
    assert (await take_over(shared_api.log, job_id, Claim.REDELIVERED)).result is TakeOverResult.ENDED


async def test_a_cancel_before_the_pickup_outlives_the_log(shared_api: Api) -> None:
    job_id = await shared_api.new_job()
    await shared_api.cancel(job_id)
    await shared_api.log.discard(job_id)

    assert (await shared_api.status(job_id)).json()["status"] == "cancelled"


async def test_a_cancel_of_a_running_job_wakes_its_worker(shared_api: Api) -> None:
    job_id = await shared_api.new_job()
    worker = await Worker.begin(shared_api.log, job_id)
    await worker.say("반쯤 ")
    woken = asyncio.Event()

    with shared_api.log.on_cancel(job_id, woken.set):
        response = await shared_api.cancel(job_id)
        assert (response.status_code, response.json()["status"]) == (202, "running")
        await asyncio.wait_for(woken.wait(), 10)
    assert await shared_api.log.is_cancel_requested(job_id)
    await worker.end("cancelled")

    ended = (await shared_api.status(job_id)).json()
    assert (ended["status"], ended["answer"]) == ("cancelled", "반쯤 ")


async def test_a_cancel_may_be_repeated(shared_api: Api) -> None:
    job_id = await shared_api.new_job()
    worker = await Worker.begin(shared_api.log, job_id)

    assert [(await shared_api.cancel(job_id)).status_code for _ in range(3)] == [202, 202, 202]
    await worker.end("cancelled")
    again = [await shared_api.cancel(job_id) for _ in range(3)]
    assert [response.status_code for response in again] == [200, 200, 200]
    assert again[0].json() == again[2].json() == (await shared_api.status(job_id)).json()
    async with await shared_api.events(job_id) as viewer:
        assert names(await viewer.rest()) == ["queued", "started", "cancelled"]


@pytest.mark.parametrize("event", ["done", "error", "cancelled"])
@pytest.mark.parametrize("has_log", [True, False])
async def test_a_cancel_after_the_end_changes_nothing(shared_api: Api, event: str, has_log: bool) -> None:
    job_id = await shared_api.new_job()
    await answer(shared_api.log, job_id, "다 됐어요.", event=event)
    if not has_log:
        await shared_api.log.discard(job_id)

    response = await shared_api.cancel(job_id)

    assert (response.status_code, response.json()["status"]) == (200, event)
    assert not await shared_api.log.is_cancel_requested(job_id)


async def test_many_cancels_at_once_make_one_end(shared_api: Api) -> None:
    job_id = await shared_api.new_job()

    responses = await asyncio.gather(*(shared_api.cancel(job_id) for _ in range(30)))

    assert {response.status_code for response in responses} <= {200, 202}
    assert {response.json()["status"] for response in responses} == {"cancelled"}
    async with await shared_api.events(job_id) as viewer:
        assert names(await viewer.rest()) == ["queued", "cancelled"]


RACES = 1_000
AT_ONCE = 20


async def test_a_cancel_that_races_the_pickup_ends_each_job_exactly_once(shared_api: Api) -> None:
    outcomes = {"cancelled before": 0, "picked up": 0}

    async def race(number: int) -> None:
        job_id = await begin_log(shared_api.log)
        # Different head starts, so that each side wins some of the races.
        cancel = asyncio.create_task(shared_api.cancel(job_id))
        for _ in range(number % 40):
            await asyncio.sleep(0)
        taken = await take_over(shared_api.log, job_id)
        response = await cancel
        assert response.status_code == (202 if taken.result is TakeOverResult.OWNED else response.status_code)
        if taken.result is TakeOverResult.OWNED:
            assert await shared_api.log.is_cancel_requested(job_id)
            assert (await shared_api.log.end(job_id, "cancelled", b"{}")).result is TakeOverResult.OWNED
            expected = ["queued", "started", "cancelled"]
            outcomes["picked up"] += 1
        else:
            assert taken.result is TakeOverResult.ENDED
            expected = ["queued", "cancelled"]
            outcomes["cancelled before"] += 1
        events = [e.event async for entries in shared_api.log.follow(job_id, START) for e in entries]
        assert events == expected

    for first in range(0, RACES, AT_ONCE):
        await asyncio.gather(*(race(number) for number in range(first, first + AT_ONCE)))
    assert sum(outcomes.values()) == RACES
    assert min(outcomes.values()) > RACES // 50, outcomes
