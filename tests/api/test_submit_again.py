"""A question that may be in the queue already, though its answer said that it is not."""

import base64

import httpx
import pytest
from chat_api.claims import PENDING_S, key_of
from chat_api.redis_claims import REPLY_TIMEOUT_S
from eco2_bus.job import ChatJob
from eco2_bus.log import LogUnavailable
from eco2_bus.pictures import referred_id
from eco2_bus.queue import JobQueue, QueueFull, QueueUnavailable
from eco2_bus.rabbitmq import CONFIRM_TIMEOUT_S, CONNECT_TIMEOUT_S

from tests.api.conversation import PNG
from tests.api.services import World, new_id, settings
from tests.api.serving import QUESTION, Api, client_of, serving
from tests.api.worker import answer

PICTURE = "data:image/png;base64," + base64.b64encode(PNG).decode()


async def ask(client: httpx.AsyncClient, key: str, **fields: str) -> httpx.Response:
    headers = {"Idempotency-Key": key} if key else {}
    return await client.post("/api/v1/chat", json={"message": QUESTION, **fields}, headers=headers)


async def unsure(queue: JobQueue, monkeypatch: pytest.MonkeyPatch, error: Exception, *, sends: bool) -> None:
    """Has the next publish fail, with the message in the queue or not."""
    publish = queue.publish

    async def fails(job: ChatJob, headers: dict[str, str], lane: str) -> None:
        monkeypatch.setattr(queue, "publish", publish)
        if sends:
            await publish(job, headers, lane)
        raise error

    monkeypatch.setattr(queue, "publish", fails)


async def test_a_message_that_was_never_confirmed_is_of_the_session_that_the_next_try_is_told(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = world.services()
    async with serving(services) as (url, _), client_of(url) as client:
        await unsure(services.queue, monkeypatch, QueueUnavailable("no confirmation"), sends=True)
        assert (await ask(client, "key", image_url=PICTURE)).status_code == 503
        again = await ask(client, "key", image_url=PICTURE)
        jobs = await world.waiting_jobs()

        # Whichever of the two a worker has first, it is of the session that can be read and deleted.
        assert again.status_code == 202
        told = {(job.job_id, job.session_id) for job in jobs}
        assert (len(jobs), told) == (2, {(again.json()["job_id"], again.json()["session_id"])})
        pictures = [await services.pictures.get(referred_id(job.image_url or "") or "") for job in jobs]
        assert [(one.data, one.session_id) for one in pictures] == [(PNG, again.json()["session_id"])] * 2


@pytest.mark.parametrize(
    ("key", "error"), [("key", QueueFull("full")), ("", QueueUnavailable("no confirmation"))]
)
async def test_a_picture_of_a_job_that_never_runs_is_not_kept(
    world: World, monkeypatch: pytest.MonkeyPatch, key: str, error: Exception
) -> None:
    services = world.services()
    async with serving(services) as (url, _), client_of(url) as client:
        before = world.keys()
        await unsure(services.queue, monkeypatch, error, sends=False)
        assert (await ask(client, key, image_url=PICTURE)).status_code == 503
        assert world.keys() == before


async def test_sessions_that_nobody_named_are_never_the_same(api: Api) -> None:
    asked = [await api.post(), await api.post(), await api.post(idempotency_key=new_id())]

    assert len({response.json()["session_id"] for response in asked}) == 3


async def refuse(*_: object) -> None:
    raise LogUnavailable("away")


async def test_a_question_that_left_its_log_has_its_session_to_itself_when_it_is_sent_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    services, session_id = world.services(), new_id()
    async with serving(services) as (url, _), client_of(url) as client:
        with monkeypatch.context() as patch:
            patch.setattr(services.log, "discard", refuse)
            await unsure(services.queue, monkeypatch, QueueUnavailable("no confirmation"), sends=True)
            assert (await ask(client, "key", session_id=session_id)).status_code == 503
        assert await services.claims.session_jobs(session_id) == {}

        again = await ask(client, "key", session_id=session_id)

        job_id = again.json()["job_id"]
        assert list(await services.claims.session_jobs(session_id)) == [job_id]
        refused = await ask(client, "other", session_id=session_id)
        assert (refused.status_code, refused.json()["job_id"]) == (409, job_id)
        await answer(world.log, job_id, "네.")
        await ask(client, "other", session_id=session_id)
        await services.claims.free_key(key_of("anonymous", "key"))
        # What has ended is told as it was, and neither waits for the session nor is asked again.
        await world.waiting_jobs()
        assert (await ask(client, "key", session_id=session_id)).json() == again.json()
        assert await world.waiting_jobs() == []


async def test_a_question_that_left_its_log_waits_its_turn_when_it_is_sent_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    services, session_id = world.services(), new_id()
    async with serving(services) as (url, _), client_of(url) as client:
        with monkeypatch.context() as patch:
            patch.setattr(services.log, "discard", refuse)
            await unsure(services.queue, monkeypatch, QueueUnavailable("down"), sends=False)
            assert (await ask(client, "key", session_id=session_id)).status_code == 503
        other = (await ask(client, "other", session_id=session_id)).json()["job_id"]

        refused = await ask(client, "key", session_id=session_id)
        assert (refused.status_code, refused.json()["job_id"]) == (409, other)
        await answer(world.log, other, "네.")
        assert (await ask(client, "key", session_id=session_id)).status_code == 202


REDIS_CALLS = 12
"""One after the other, of a question with a picture that interrupts another one."""


def test_nobody_else_gets_a_key_while_its_question_may_still_be_submitted() -> None:
    waits_s = settings(session_wait_s=5.0).session_wait_s + CONNECT_TIMEOUT_S + CONFIRM_TIMEOUT_S

    assert waits_s + REDIS_CALLS * REPLY_TIMEOUT_S < PENDING_S
