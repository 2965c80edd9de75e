"""What is somebody else's is as if it were not there."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest
import pytest_asyncio
from eco2_bus.events import InputRequired, to_json

from tests.api.conversation import PNG, converse, picture_of, turn
from tests.api.credentials import ALICE, BOB, guarded, known_as
from tests.api.services import World, new_id
from tests.api.serving import QUESTION, Api
from tests.api.worker import Worker, answer

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def api(shared_world: World) -> AsyncIterator[Api]:
    async with guarded(shared_world) as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def alice(api: Api) -> AsyncIterator[Api]:
    async with known_as(api, ALICE) as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bob(api: Api) -> AsyncIterator[Api]:
    async with known_as(api, BOB) as made:
        yield made


PLACE = {"location": {"latitude": 37.5, "longitude": 127.0}}
OF_JOB: dict[str, Callable[[httpx.AsyncClient, str], Awaitable[httpx.Response]]] = {
    "status": lambda client, url: client.get(url),
    "events": lambda client, url: client.get(f"{url}/events"),
    "resume": lambda client, url: client.get(f"{url}/events", headers={"Last-Event-ID": "0-1"}),
    "cancel": lambda client, url: client.post(f"{url}/cancel"),
    "input": lambda client, url: client.post(f"{url}/input", json=PLACE),
    "feedback": lambda client, url: client.post(f"{url}/feedback", json={"score": 1}),
}


@pytest.mark.parametrize("state", ["queued", "waiting", "done", "kept"])
@pytest.mark.parametrize("call", OF_JOB)
async def test_somebody_elses_job_is_not_found_in_any_state(
    alice: Api, bob: Api, call: str, state: str
) -> None:
    job_id = await alice.new_job()
    if state == "waiting":
        worker = await Worker.begin(alice.log, job_id)
        asked = InputRequired(kind="location", message="어디세요?", expires_in_s=120)
        worker.writer.event("input_required", to_json(asked))
        await worker.writer.flush()
    elif state != "queued":
        await answer(alice.log, job_id, "떼요")
    if state == "kept":
        await alice.log.discard(job_id)
    before = (await alice.status(job_id)).json()["status"]

    response = await OF_JOB[call](bob.client, f"/api/v1/chat/{job_id}")
    never_was = await OF_JOB[call](bob.client, f"/api/v1/chat/{new_id()}")

    assert response.status_code == never_was.status_code == 404
    told, of_none = (dict(one.json(), trace_id="") for one in (response, never_was))
    assert told == of_none
    assert (await alice.status(job_id)).json()["status"] == before


async def test_somebody_elses_session_is_not_found(shared_world: World, alice: Api, bob: Api) -> None:
    session_id = new_id()
    await converse(shared_world, alice, session_id)
    await shared_world.made.turns.save(turn(session_id=session_id, owner="key:alice"))
    url = f"/api/v1/sessions/{session_id}"

    for response in (
        await bob.client.get(f"{url}/turns"),
        await bob.client.delete(url),
        await bob.post({"message": QUESTION, "session_id": session_id}),
        await bob.post({"message": QUESTION, "session_id": session_id, "on_busy": "interrupt"}),
        await bob.client.get(f"/api/v1/ai-sdk/chat/{session_id}/stream"),
    ):
        assert (response.status_code, response.json()["code"]) == (404, "session_not_found")
    assert (await alice.client.get(f"{url}/turns")).json()["turns"]


async def test_a_session_is_of_who_used_it_first_also_once_only_its_turns_are_left(
    shared_world: World, bob: Api
) -> None:
    await shared_world.made.turns.save(turn(session_id=(session_id := new_id()), owner="key:alice"))

    response = await bob.post({"message": QUESTION, "session_id": session_id})

    assert (response.status_code, response.json()["code"]) == (404, "session_not_found")


async def test_somebody_elses_picture_is_not_found(shared_world: World, alice: Api, bob: Api) -> None:
    url = f"/api/v1/images/{await picture_of(shared_world, 'key:alice')}"

    assert (await alice.client.get(url)).content == PNG
    response = await bob.client.get(url)
    assert (response.status_code, response.json()["code"]) == (404, "image_not_found")


async def test_one_idempotency_key_of_two_callers_is_two_jobs(alice: Api, bob: Api) -> None:
    key = new_id()

    mine = (await alice.post(Idempotency_Key=key)).json()
    theirs = (await bob.post(Idempotency_Key=key)).json()

    assert mine["job_id"] != theirs["job_id"]
    assert (await alice.post(Idempotency_Key=key)).json()["job_id"] == mine["job_id"]
    assert (await alice.status(theirs["job_id"])).status_code == 404


async def test_a_user_of_one_caller_is_not_the_user_of_another(alice: Api, bob: Api) -> None:
    """The OpenAI API's `user` names a session of the caller's, however short the name is."""
    asked = {
        "model": "eco2-chat",
        "stream": True,
        "user": f"1-{new_id()}",
        "messages": [{"role": "user", "content": QUESTION}],
    }
    for caller in (alice, bob):
        async with caller.client.stream("POST", "/v1/chat/completions", json=asked) as response:
            assert response.status_code == 200
            await answer(caller.log, response.headers["location"].rpartition("/")[2], "떼요")
            assert "[DONE]" in (await response.aread()).decode()


async def test_what_was_asked_before_there_were_keys_is_nobodys_now(shared_world: World, alice: Api) -> None:
    """A key that happens to be called like the one caller that `none` knows has none of its jobs."""
    await shared_world.made.turns.save(turn(session_id=(session_id := new_id())))

    assert (await alice.client.get(f"/api/v1/sessions/{session_id}/turns")).status_code == 404


async def test_the_worker_is_told_whose_a_job_is(shared_world: World, alice: Api) -> None:
    await shared_world.waiting_jobs()
    job_id = await alice.new_job()

    jobs: Any = [job for job in await shared_world.waiting_jobs() if job.job_id == job_id]

    assert [job.owner for job in jobs] == ["key:alice"]
