"""What a viewer gets for every kind of Last-Event-ID, in every state of a job."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from eco2_bus.log import Claim

from tests.api import documented
from tests.api.services import begin_log, new_id
from tests.api.serving import Api
from tests.api.viewer import Viewer, ids, names, text_of
from tests.api.worker import Worker, answer

pytestmark = pytest.mark.asyncio(loop_scope="module")

PIECES = ["라벨을 ", "떼고 ", "헹군 뒤 ", "버려요."]
WHOLE = ["0-1", "1-1", "1-2", "1-3", "1-4", "1-5", "1-6"]
"""queued, started, four pieces of text, done."""

MALFORMED = {
    "-1": "-1",
    "0-0": "0-0",
    "empty": "",
    "junk": "junk",
    "a number": "1",
    "three parts": "1-2-3",
    "no attempt": "-2",
    "no sequence": "1-",
    "leading zero": "01-1",
    "signs": "+1-+1",
    "space": "1 - 1",
    "the end of a range": "+",
    "an open range": "(1-1",
    "dollar": "$",
    "star": "*",
    "20 digits": f"{'9' * 20}-1",
    "1,000 digits": f"1-{'9' * 1_000}",
    "Arabic digits": "١-١",
    "Korean": "마지막",
    "emoji": "😀",
}
FOREIGN = {
    "the future of this attempt": "1-999",
    "a future attempt": "9-1",
    "the largest": f"{'9' * 19}-{'9' * 19}",
    "another job's": "2-1",
}
BY = ["header", "query"]


@asynccontextmanager
async def resumed(shared_api: Api, job_id: str, event_id: str, by: str) -> AsyncIterator[Viewer]:
    path = f"/api/v1/chat/{job_id}/events"
    headers: dict[str, str] = {}
    if by == "header":
        headers["Last-Event-ID"] = event_id
    else:
        path += "?last_event_id=" + "".join(f"%{byte:02x}" for byte in event_id.encode())
    async with await Viewer.open(shared_api.url, path, headers=headers) as viewer:
        yield viewer


@pytest.mark.parametrize("by", BY)
async def test_a_viewer_resumes_exactly_after_every_entry_of_an_ended_job(shared_api: Api, by: str) -> None:
    job_id = await shared_api.new_job()
    await answer(shared_api.log, job_id, *PIECES)

    for position, last in enumerate(WHOLE[:-1], 1):
        async with resumed(shared_api, job_id, last, by) as viewer:
            assert ids(await viewer.rest()) == WHOLE[position:]
            assert viewer.is_whole


@pytest.mark.parametrize("by", BY)
async def test_a_viewer_resumes_exactly_after_every_entry_of_a_running_job(shared_api: Api, by: str) -> None:
    job_id = await shared_api.new_job()
    worker = await Worker.begin(shared_api.log, job_id)
    await worker.say(*PIECES)

    for position, last in enumerate(WHOLE[:-1], 1):
        async with resumed(shared_api, job_id, last, by) as viewer:
            if position < len(WHOLE) - 1:
                assert ids(await viewer.until("1-5")) == WHOLE[position:-1]
    async with (
        resumed(shared_api, job_id, "1-5", by) as newest,
        resumed(shared_api, job_id, "0-1", by) as oldest,
    ):
        await worker.end()
        assert ids(await newest.rest()) == ["1-6"]
        assert ids(await oldest.rest()) == WHOLE[1:]


async def test_a_viewer_who_has_seen_queued_waits_for_the_worker(shared_api: Api) -> None:
    job_id = await shared_api.new_job()

    async with await shared_api.events(job_id, "0-1") as viewer:
        assert viewer.status == 200
        await answer(shared_api.log, job_id, *PIECES)
        assert ids(await viewer.rest()) == WHOLE[1:]


@pytest.mark.parametrize("state", ["queued", "running", "ended"])
async def test_without_an_id_the_whole_log_is_replayed_and_followed(shared_api: Api, state: str) -> None:
    job_id = await shared_api.new_job()
    worker = await Worker.begin(shared_api.log, job_id) if state != "queued" else None
    if worker is not None:
        await worker.say(*PIECES[:2])
    if state == "ended" and worker is not None:
        await worker.say(*PIECES[2:])
        await worker.end()

    async with await shared_api.events(job_id) as viewer:
        first = await viewer.event()
        if state == "queued":
            worker = await Worker.begin(shared_api.log, job_id)
            await worker.say(*PIECES)
            await worker.end()
        elif state == "running" and worker is not None:
            await worker.say(*PIECES[2:])
            await worker.end()
        rest = await viewer.rest()
    assert first is not None
    assert [first.id, *ids(rest)] == WHOLE
    assert text_of(rest) == "".join(PIECES)


@pytest.mark.parametrize("by", BY)
@pytest.mark.parametrize("event", ["done", "error", "cancelled"])
async def test_after_the_end_there_is_nothing_more(shared_api: Api, event: str, by: str) -> None:
    job_id = await shared_api.new_job()
    await answer(shared_api.log, job_id, *PIECES, event=event)

    async with resumed(shared_api, job_id, "1-6", by) as viewer:
        assert viewer.status == 204
        assert "content-type" not in viewer.headers
        assert await viewer.rest() == []


@pytest.mark.parametrize("state", ["queued", "running", "ended"])
@pytest.mark.parametrize("foreign", FOREIGN)
async def test_an_id_that_is_not_in_the_log_gets_a_gap_and_the_whole_log(
    shared_api: Api, foreign: str, state: str
) -> None:
    job_id = await shared_api.new_job()
    if state == "ended":
        await answer(shared_api.log, job_id, *PIECES)
    elif state == "running":
        await (await Worker.begin(shared_api.log, job_id)).say(*PIECES)
    there = {"queued": WHOLE[:1], "running": WHOLE[:-1], "ended": WHOLE}[state]

    async with resumed(shared_api, job_id, FOREIGN[foreign], "header") as viewer:
        gap = await viewer.event()
        assert gap is not None
        assert (gap.event, gap.id) == ("gap", None)
        assert gap.json() == {"requested": FOREIGN[foreign], "resumed_from": "0-1"}
        assert ids(await viewer.until(there[-1])) == there


async def test_the_gap_is_told_by_the_query_as_well(standing_api: Api) -> None:
    job_id = await standing_api.new_job()

    async with resumed(standing_api, job_id, "7-7", "query") as viewer:
        assert names(await viewer.until("0-1")) == ["gap", "queued"]


async def test_an_id_of_an_attempt_that_was_lost_resumes_there_with_the_reset_to_come(
    shared_api: Api,
) -> None:
    job_id = await shared_api.new_job()
    first = await Worker.begin(shared_api.log, job_id)
    await first.say("잃을 ", "글")
    second = await Worker.begin(shared_api.log, job_id, Claim.REDELIVERED)
    await second.say(*PIECES)
    await second.end()

    async with await shared_api.events(job_id, "1-2") as viewer:
        events = await viewer.rest()
    assert ids(events) == ["1-3", "2-1", "2-2", "2-3", "2-4", "2-5", "2-6"]
    assert names(events)[:3] == ["token", "reset", "token"]
    assert text_of(events) == "".join(PIECES)


async def test_an_id_that_a_lost_attempt_never_reached_gets_a_gap(shared_api: Api) -> None:
    job_id = await shared_api.new_job()
    await (await Worker.begin(shared_api.log, job_id)).say("잃을 글")
    second = await Worker.begin(shared_api.log, job_id, Claim.REDELIVERED)
    await second.say(*PIECES)
    await second.end()

    async with await shared_api.events(job_id, "1-3") as viewer:
        events = await viewer.rest()
    assert names(events)[:4] == ["gap", "queued", "started", "token"]
    assert text_of(events) == "".join(PIECES)


@pytest.mark.parametrize("by", BY)
@pytest.mark.parametrize("malformed", MALFORMED)
async def test_what_is_no_id_is_refused(standing_api: Api, malformed: str, by: str) -> None:
    job_id = await standing_api.new_job()

    async with resumed(standing_api, job_id, MALFORMED[malformed], by) as viewer:
        problem = documented.problem_of(viewer.status, viewer.headers, await viewer.body())
    assert (viewer.status, problem["code"]) == (400, "malformed_event_id")
    assert len(MALFORMED[malformed]) < 2 or MALFORMED[malformed] not in problem["detail"]


@pytest.mark.parametrize("state", ["queued", "running", "ended"])
async def test_what_is_no_id_is_refused_in_every_state(shared_api: Api, state: str) -> None:
    job_id = await shared_api.new_job()
    if state == "running":
        await Worker.begin(shared_api.log, job_id)
    elif state == "ended":
        await answer(shared_api.log, job_id)

    async with await shared_api.events(job_id, "-1") as viewer:
        assert viewer.status == 400


async def test_the_header_wins_over_the_query(shared_api: Api) -> None:
    job_id = await shared_api.new_job()
    await answer(shared_api.log, job_id, *PIECES)

    async with await shared_api.events(job_id, "1-4", query="1-1") as viewer:
        assert ids(await viewer.rest()) == WHOLE[5:]
    async with await shared_api.events(job_id, "1-6", query="1-1") as viewer:
        assert viewer.status == 204


@pytest.mark.parametrize("last", [None, "0-1", "1-3", "1-6", "9-9"])
async def test_expired_events_point_to_the_answer(shared_api: Api, last: str | None) -> None:
    job_id = await shared_api.new_job()
    await answer(shared_api.log, job_id, *PIECES)
    await shared_api.log.discard(job_id)

    async with await shared_api.events(job_id, last) as viewer:
        problem = documented.problem_of(viewer.status, viewer.headers, await viewer.body())
    assert (viewer.status, problem["code"]) == (410, "events_expired")
    assert viewer.headers["link"] == f'<{problem["status_url"]}>; rel="alternate"'
    kept = (await shared_api.client.get(problem["status_url"])).json()
    assert (kept["status"], kept["answer"]) == ("done", "".join(PIECES))


@pytest.mark.parametrize("last", [None, "0-1", "1-6", "9-9"])
async def test_the_events_of_an_unknown_job_are_not_found(shared_api: Api, last: str | None) -> None:
    async with await shared_api.events(new_id(), last) as viewer:
        problem = documented.problem_of(viewer.status, viewer.headers, await viewer.body())

    assert (viewer.status, problem["code"]) == (404, "job_not_found")


@pytest.mark.parametrize("last", [None, "0-1", "9-9"])
async def test_the_events_of_somebody_elses_job_are_not_found(shared_api: Api, last: str | None) -> None:
    job_id = await begin_log(shared_api.log, owner="somebody-else")

    async with await shared_api.events(job_id, last) as viewer:
        assert viewer.status == 404


@pytest.mark.parametrize(("header", "query"), [("1-1", "-1"), ("-1", "1-1")])
async def test_a_malformed_id_is_refused_though_there_is_a_good_one(
    shared_api: Api, header: str, query: str
) -> None:
    job_id = await shared_api.new_job()
    async with await shared_api.events(job_id, header, query=query) as viewer:
        assert viewer.status == 400
