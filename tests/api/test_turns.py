"""The conversation over HTTP, newest last, and to nobody but its owner."""

from typing import Any

import pytest
from chat_api.session_claims import Bid

from tests.api import documented
from tests.api.conversation import T0, turn
from tests.api.services import World, new_id
from tests.api.serving import QUESTION, Api
from tests.api.worker import SOURCE, USAGE

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def turns(api: Api, session_id: str, **query: Any) -> Any:
    return await api.client.get(f"/api/v1/sessions/{session_id}/turns", params=query)


async def test_a_turn_is_told_whole(shared_world: World, shared_api: Api) -> None:
    whole = turn(image_url="picture:0123456789abcdef0123456789abcdef", sample_data=True)
    await shared_world.made.turns.save(whole)

    response = await turns(shared_api, whole.session_id)

    assert response.status_code == 200
    assert response.headers["cache-control"] == "no-store"
    assert response.json() == {
        "session_id": whole.session_id,
        "turns": [
            {
                "job_id": whole.job_id,
                "question": QUESTION,
                "answer": "라벨을 떼요.",
                "status": "done",
                "intents": ["waste"],
                "sources": [SOURCE.model_dump()],
                "usage": USAGE.model_dump(),
                "attempts": 1,
                "trace_id": whole.trace_id,
                "sample_data": True,
                "image_url": "/api/v1/images/0123456789abcdef0123456789abcdef",
                "created_at_ms": T0,
                "ended_at_ms": T0 + 1_500,
                "error": None,
            }
        ],
        "before": None,
    }
    documented.validator("TurnPage").validate(response.json())


async def test_a_failure_and_a_cancel_are_turns_too(shared_world: World, shared_api: Api) -> None:
    session_id = new_id()
    problem = {"type": "about:blank", "title": "T", "status": 502, "detail": "D", "code": "c", "trace_id": ""}
    await shared_world.made.turns.save(turn(session_id=session_id, status="error", answer="", error=problem))
    await shared_world.made.turns.save(
        turn(
            session_id=session_id,
            status="cancelled",
            created_at_ms=T0 + 1,
            image_url="https://a.example/b.png",
        )
    )

    failed, cancelled = (await turns(shared_api, session_id)).json()["turns"]
    assert (failed["status"], failed["error"]) == ("error", problem)
    assert (cancelled["status"], cancelled["image_url"]) == ("cancelled", "https://a.example/b.png")


async def test_pages_lead_back_to_the_first_turn(shared_world: World, shared_api: Api) -> None:
    session_id = new_id()
    for number in range(7):
        await shared_world.made.turns.save(turn(session_id=session_id, created_at_ms=T0 + number))

    seen: list[int] = []
    query: dict[str, Any] = {"limit": 3}
    while True:
        page = (await turns(shared_api, session_id, **query)).json()
        seen = [one["created_at_ms"] - T0 for one in page["turns"]] + seen
        if page["before"] is None:
            break
        query["before"] = page["before"]
    assert seen == list(range(7))


async def test_a_cursor_that_was_never_given_is_refused(shared_world: World, shared_api: Api) -> None:
    mine, another, foreign = turn(), turn(), turn(owner="somebody")
    for one in (mine, another, foreign):
        await shared_world.made.turns.save(one)

    forged = (
        "",
        "0",
        "a" * 32,
        "\0",
        "'; DROP TABLE turns; --",
        "가",
        "a" * 5_000,
        another.job_id,
        foreign.job_id,
    )
    for cursor in forged:
        response = await turns(shared_api, mine.session_id, before=cursor)
        problem = documented.problem_of(400, dict(response.headers), response.content)
        assert problem["code"] == "malformed_cursor"


@pytest.mark.parametrize("limit", ["0", "101", "-1", "many", "1e9", ""])
async def test_a_limit_out_of_bounds_is_named(shared_world: World, shared_api: Api, limit: str) -> None:
    one = turn()
    await shared_world.made.turns.save(one)
    response = await turns(shared_api, one.session_id, limit=limit)

    problem = documented.problem_of(422, dict(response.headers), response.content)
    assert [error["field"] for error in problem["errors"]] == ["query.limit"]


@pytest.mark.parametrize("session_id", ["unknown", "a" * 65, "a:b", "세션", "%00", "..", "a%20b"])
async def test_a_session_that_never_was_is_not_found(shared_api: Api, session_id: str) -> None:
    response = await shared_api.client.get(f"/api/v1/sessions/{session_id}/turns")
    assert documented.problem_of(404, dict(response.headers), response.content)["code"] in (
        "session_not_found",
        "not_found",
    )


async def test_a_session_of_somebody_else_is_not_found(shared_world: World, shared_api: Api) -> None:
    stored, running = turn(owner="somebody"), new_id()
    await shared_world.made.turns.save(stored)
    await shared_world.made.claims.take_session(Bid(running, "somebody", new_id()), None)

    for session_id in (stored.session_id, running):
        told = await turns(shared_api, session_id)
        asked = await shared_api.post({"message": QUESTION, "session_id": session_id})
        erased = await shared_api.client.delete(f"/api/v1/sessions/{session_id}")
        for response in (told, asked, erased):
            problem = documented.problem_of(404, dict(response.headers), response.content)
            assert problem["code"] == "session_not_found"
    assert await shared_world.made.turns.answer_of(stored.job_id) == stored


async def test_a_session_that_is_in_use_has_no_turn_yet(shared_api: Api) -> None:
    queued = await shared_api.submit()
    response = await turns(shared_api, queued["session_id"])

    assert response.status_code == 200
    assert (response.json()["turns"], response.json()["before"]) == ([], None)


async def test_a_session_stays_its_owners_when_only_its_turns_are_left(
    shared_world: World, shared_api: Api
) -> None:
    one = turn()
    await shared_world.made.turns.save(one)

    assert (await shared_api.post({"message": QUESTION, "session_id": one.session_id})).status_code == 202


async def test_the_answer_of_a_job_is_told_from_its_turn_when_nothing_else_is_left(
    shared_world: World, shared_api: Api
) -> None:
    done, failed = (
        turn(sample_data=True, attempts=2),
        turn(status="error", error={"title": "T", "status": 502, "detail": "D", "code": "c"}),
    )
    foreign = turn(owner="somebody")
    for one in (done, failed, foreign):
        await shared_world.made.turns.save(one)

    told = (await shared_api.status(done.job_id)).json()
    assert (told["status"], told["answer"], told["session_id"]) == ("done", done.answer, done.session_id)
    assert (told["attempts"], told["duration_ms"], told["sample_data"]) == (2, 1_500, True)
    assert (await shared_api.status(failed.job_id)).json()["error"]["code"] == "c"
    assert (await shared_api.cancel(done.job_id)).status_code == 200

    events = await shared_api.client.get(f"/api/v1/chat/{done.job_id}/events")
    problem = documented.problem_of(410, dict(events.headers), events.content)
    assert problem["status_url"] == f"/api/v1/chat/{done.job_id}"
    assert events.headers["link"] == f'<{problem["status_url"]}>; rel="alternate"'
    assert (await shared_api.status(foreign.job_id)).status_code == 404
