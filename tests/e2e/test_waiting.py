"""A question that needs a place waits for its user: in the broker and in PostgreSQL, in no worker."""

import asyncio
from typing import Any

import httpx

from tests.e2e.driver import Account, Job, Load
from tests.e2e.stack import INPUT_WAIT_S, Program, Stack, until
from tests.e2e.vendors import Vendors

QUESTION = "가까운 건전지 수거함 어디 있어?"
GANGNAM = {"latitude": 37.4979, "longitude": 127.0276}
WITHOUT_A_PLACE = "어느 지역인지 알려 주시면"
NODES = ["intent", "collection_point", "answer"]


async def waiting(run: Load, question: str = QUESTION, **body: Any) -> Job:
    """A job whose viewers have seen that it waits."""
    job = await run.ask(question, **body)

    async def is_so() -> bool:
        return all(viewer.all("input_required") for viewer in job.viewers)

    await until(is_so)
    for viewer in job.viewers:
        (wish,) = viewer.all("input_required")
        assert (wish["kind"], wish["expires_in_s"]) == ("location", int(INPUT_WAIT_S))
        assert wish["message"]
    assert (await run.api.get(f"/api/v1/chat/{job.job_id}")).json()["status"] == "waiting"
    return job


async def give(run: Load, job_id: str, location: Any = GANGNAM) -> httpx.Response:
    return await run.api.post(f"/api/v1/chat/{job_id}/input", json={"location": location})


async def one_slot(stack: Stack) -> Program:
    """The only worker there is, which has one job at a time."""
    await stack.staff(0)
    worker = stack.start_worker(WORKER_CONCURRENCY="1")
    await stack.until_consumers(1)
    return worker


def begun(job: Job) -> list[str]:
    """The nodes that have been begun, in order."""
    return [stage["node"] for stage in job.viewers[0].all("stage") if stage["status"] == "started"]


def log_of(stack: Stack, job: Job) -> Any:
    return stack.store.xrange(f"chat:{job.job_id}:events")


async def test_a_wait_takes_no_slot_outlives_its_worker_and_goes_on_with_the_place(
    stack: Stack, vendors: Vendors, run: Load
) -> None:
    worker = await one_slot(stack)
    before = (await vendors.asked())["plain"]
    job = await waiting(run)
    meanwhile = await run.ask("다 쓴 페트병은 어떻게 버려?", viewers=1)
    await until(lambda: _has_ended(meanwhile))
    assert not any(viewer.has_ended for viewer in job.viewers)
    await asyncio.to_thread(worker.kill)
    stack.start_worker(WORKER_CONCURRENCY="1")
    reply = await give(run, job.job_id)
    assert reply.status_code == 202, reply.text
    assert reply.json()["job_id"] == job.job_id
    await run.ended()
    await run.settle_up(lambda _: None)
    assert run.account == Account(accepted=2, completed=2)
    assert (await vendors.asked())["plain"] == before + 2
    for viewer in job.viewers:
        assert not viewer.all("reset")
        assert "강남구 예시로" in viewer.text
        assert WITHOUT_A_PLACE not in viewer.text
        assert viewer.ended["intents"] == ["collection_point"]
    assert begun(job) == NODES
    assert stack.failures(job.job_id) == 0
    assert (await give(run, job.job_id)).status_code == 409


async def _has_ended(job: Job) -> bool:
    return all(viewer.has_ended for viewer in job.viewers)


async def test_a_wait_ends_once_whoever_ends_it_and_by_itself_when_nobody_does(
    stack: Stack, vendors: Vendors, run: Load
) -> None:
    await stack.staff(1)
    both = "가까운 제로웨이스트샵 어디 있어? 페트 시세 알려줘"
    answered, cancelled, forgotten = await asyncio.gather(waiting(run), waiting(run), waiting(run, both))
    replies = await asyncio.gather(*(give(run, answered.job_id) for _ in range(2)))
    assert {reply.status_code for reply in replies} <= {202, 409}
    assert replies[0].status_code == 202 or replies[1].status_code == 202
    reply = await run.api.post(f"/api/v1/chat/{cancelled.job_id}/cancel")
    assert reply.status_code == 202
    await until(lambda: _has_ended(answered))
    await until(lambda: _has_ended(cancelled))
    assert not any(viewer.has_ended for viewer in forgotten.viewers)
    before = [log_of(stack, job) for job in (answered, cancelled)]
    await run.ended()
    await run.settle_up(lambda _: None)
    assert run.account == Account(accepted=3, completed=2, cancelled=1)
    for viewer in forgotten.viewers:
        assert "원/kg" in viewer.text
        assert viewer.ended["duration_ms"] / 1000 >= int(INPUT_WAIT_S)
    # The time-outs of all three have come by now: they waited in one line.
    assert [log_of(stack, job) for job in (answered, cancelled)] == before
    assert (await run.listed(cancelled))["status"] == "cancelled"
    for job in run.jobs:
        late = await give(run, job.job_id)
        assert (late.status_code, late.json()["code"]) == (409, "not_waiting")


async def test_a_new_question_takes_the_place_of_the_one_that_waits(
    stack: Stack, vendors: Vendors, run: Load
) -> None:
    await stack.staff(1)
    first = await waiting(run)
    second = await run.ask("다 쓴 페트병은 어떻게 버려?", session_id=first.session_id)
    await run.ended()
    await run.settle_up(lambda _: None)
    assert run.account == Account(accepted=2, completed=1, cancelled=1)
    assert {viewer.end for viewer in first.viewers} == {"cancelled"}
    for viewer in second.viewers:
        assert viewer.ended["intents"] == ["waste"]
        assert "라벨" in viewer.text
    assert (await give(run, first.job_id)).status_code == 409
    third = await run.ask("그럼 뚜껑은?", session_id=first.session_id)
    await run.ended()
    assert any("뚜껑" in source["title"] for source in third.viewers[0].ended["sources"])


async def test_input_for_a_job_that_does_not_wait_is_refused(
    stack: Stack, vendors: Vendors, run: Load
) -> None:
    await stack.staff(1)
    assert (await give(run, "0" * 32)).status_code == 404
    job = await run.ask("다 쓴 페트병은 어떻게 버려?", viewers=1)
    await run.ended()
    refused = await give(run, job.job_id)
    assert (refused.status_code, refused.json()["code"]) == (409, "not_waiting")
    waits = await waiting(run)
    assert (await give(run, waits.job_id, {"latitude": 91, "longitude": 0})).status_code == 422
    assert (await run.api.post(f"/api/v1/chat/{waits.job_id}/cancel")).status_code == 202
    await run.ended()
    assert {viewer.end for viewer in waits.viewers} == {"cancelled"}
