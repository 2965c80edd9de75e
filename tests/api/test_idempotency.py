"""One Idempotency-Key, one job, however often the question is sent."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio
from chat_api.claims import MemoryClaims, key_of
from chat_api.redis_claims import RedisClaims
from eco2_bus.job import ChatJob
from eco2_bus.log import KeptAnswer, LogUnavailable
from eco2_bus.queue import JobQueue, QueueUnavailable
from eco2_devservers import RabbitServer, RedisServer

from tests.api import documented
from tests.api.process import api_process
from tests.api.services import RealWorld, World, memory_services, new_id
from tests.api.serving import QUESTION, STREAM, Api, client_of, serving
from tests.api.viewer import Viewer
from tests.api.worker import answer

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_the_same_key_and_body_give_the_same_answer(shared_api: Api, shared_world: World) -> None:
    key = new_id()
    await shared_world.waiting_jobs()

    answers = [await shared_api.post(idempotency_key=key) for _ in range(3)]

    assert [response.status_code for response in answers] == [202] * 3
    assert answers[0].json() == answers[1].json() == answers[2].json()
    assert {response.headers["location"] for response in answers} == {answers[0].json()["status_url"]}
    assert [job.job_id for job in await shared_world.waiting_jobs()] == [answers[0].json()["job_id"]]


async def test_the_key_still_gives_its_job_after_the_end(shared_api: Api) -> None:
    key = new_id()
    first = await shared_api.post(idempotency_key=key)
    await answer(shared_api.log, first.json()["job_id"], "네.")

    assert (await shared_api.post(idempotency_key=key)).json() == first.json()


async def test_the_same_body_written_differently_is_the_same_body(shared_api: Api) -> None:
    key = new_id()
    first = await shared_api.post({"message": "a", "session_id": None}, idempotency_key=key)
    second = await shared_api.client.post(
        "/api/v1/chat",
        content=b'{ "on_busy":"reject", "message" : "\\u0061" }',
        headers={"Content-Type": "application/json", "Idempotency-Key": key},
    )

    assert second.json() == first.json()


@pytest.mark.parametrize(
    "other",
    [
        {"message": "다른 질문"},
        {"message": QUESTION, "session_id": "s"},
        {"message": QUESTION, "location": {"latitude": 1, "longitude": 1}},
    ],
)
async def test_another_body_with_the_key_is_refused(shared_api: Api, other: dict[str, object]) -> None:
    key = new_id()
    first = await shared_api.post(idempotency_key=key)

    response = await shared_api.post(other, idempotency_key=key)

    problem = documented.problem_of(422, dict(response.headers), response.content)
    assert problem["code"] == "idempotency_mismatch"
    assert (await shared_api.post(idempotency_key=key)).json() == first.json()


async def test_another_key_or_none_gives_another_job(shared_api: Api) -> None:
    jobs = [
        (await shared_api.post(idempotency_key=new_id())).json()["job_id"],
        (await shared_api.post(idempotency_key=new_id())).json()["job_id"],
        (await shared_api.post()).json()["job_id"],
    ]

    assert len(set(jobs)) == 3


async def test_a_stream_with_the_key_gives_the_events_of_the_same_job(shared_api: Api) -> None:
    key = new_id()
    queued = (await shared_api.post(idempotency_key=key)).json()
    headers = {**STREAM, "Content-Type": "application/json", "Idempotency-Key": key}
    body = f'{{"message": "{QUESTION}"}}'.encode()

    async with await Viewer.open(
        shared_api.url, "/api/v1/chat", method="POST", body=body, headers=headers
    ) as viewer:
        first = await viewer.event()
    assert first is not None
    assert first.json() == queued


async def test_a_refused_question_does_not_use_up_its_key(shared_api: Api) -> None:
    key, session_id = new_id(), new_id()
    body = {"message": QUESTION, "session_id": session_id}
    holder = await shared_api.submit(session_id=session_id)
    assert (await shared_api.post(body, idempotency_key=key)).status_code == 409
    await shared_api.cancel(holder["job_id"])

    assert (await shared_api.post(body, idempotency_key=key)).status_code == 202


class Gate:
    """Stands before a queue: holds every publish until it is opened, then fails as many as it has errors."""

    def __init__(self, queue: JobQueue) -> None:
        self.reached = asyncio.Event()
        self.opened = asyncio.Event()
        self.errors: list[Exception] = []
        self._publish = queue.publish

    async def publish(self, job: ChatJob, headers: dict[str, str], queue: str) -> None:
        self.reached.set()
        await self.opened.wait()
        if self.errors:
            raise self.errors.pop()
        await self._publish(job, headers, queue)


@pytest_asyncio.fixture(loop_scope="module")
async def gated(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Api, Gate]]:
    services = memory_services()
    gate = Gate(services.queue)
    monkeypatch.setattr(services.queue, "publish", gate.publish)
    async with serving(services) as (url, _), client_of(url) as client:
        yield Api(url, client, services.log), gate


async def test_a_second_call_waits_for_the_first_and_gets_its_answer(gated: tuple[Api, Gate]) -> None:
    api, gate = gated
    first = asyncio.create_task(api.post(idempotency_key="key"))
    await gate.reached.wait()
    second = asyncio.create_task(api.post(idempotency_key="key"))
    gate.opened.set()

    assert (await second).json() == (await first).json()
    assert (await first).status_code == 202


async def test_a_second_call_waits_in_vain_and_is_told_to_come_back(gated: tuple[Api, Gate]) -> None:
    api, gate = gated
    first = asyncio.create_task(api.post(idempotency_key="key"))
    await gate.reached.wait()

    second = await api.post(idempotency_key="key")

    problem = documented.problem_of(409, dict(second.headers), second.content)
    assert problem["code"] == "idempotency_in_flight"
    assert second.headers["retry-after"] == "1"
    gate.opened.set()
    assert (await api.post(idempotency_key="key")).json() == (await first).json()


async def test_another_body_is_refused_while_the_first_is_in_flight(gated: tuple[Api, Gate]) -> None:
    api, gate = gated
    first = asyncio.create_task(api.post(idempotency_key="key"))
    await gate.reached.wait()

    assert (await api.post({"message": "다른"}, idempotency_key="key")).status_code == 422
    gate.opened.set()
    assert (await first).status_code == 202


async def test_a_publish_that_fails_hands_the_key_to_the_one_who_waits(gated: tuple[Api, Gate]) -> None:
    api, gate = gated
    gate.errors = [QueueUnavailable("down")]
    first = asyncio.create_task(api.post(idempotency_key="key"))
    await gate.reached.wait()
    second = asyncio.create_task(api.post(idempotency_key="key"))
    gate.opened.set()

    assert (await first).status_code == 503
    assert (await second).status_code == 202
    assert (await api.post(idempotency_key="key")).json() == (await second).json()


PARALLEL = 50


async def test_fifty_parallel_posts_with_one_key_over_two_processes_make_one_job(
    rabbit: RabbitServer, redis_server: RedisServer
) -> None:
    world = RealWorld(rabbit, redis_server)
    async with api_process(world) as (here, _), api_process(world) as (there, _):
        for api in (here, there):
            await api.submit()
        await world.waiting_jobs()
        for key in (new_id(), new_id()):
            responses = await asyncio.gather(
                *((here, there)[number % 2].post(idempotency_key=key) for number in range(PARALLEL))
            )

            assert {response.status_code for response in responses} == {202}
            (body,) = {response.text for response in responses}
            assert [job.job_id for job in await world.waiting_jobs()] == [responses[0].json()["job_id"]]
            assert body
    await world.close()


async def test_a_job_whose_answer_was_lost_is_the_same_job_when_asked_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = new_id()

    async def lost(*_: object) -> None:
        raise LogUnavailable("gone between confirmation and answer")

    services = world.services()
    async with serving(services) as (url, _), client_of(url) as client:
        with monkeypatch.context() as patch:
            patch.setattr(MemoryClaims, "answer_key", lost)
            patch.setattr(RedisClaims, "answer_key", lost)
            first = await ask(client, key)
        # As when the claim of a request that died has run out.
        await services.claims.free_key(key_of("anonymous", key))
        again = await ask(client, key)
        waiting = {job.job_id for job in await world.waiting_jobs()}

    assert again.json() == first.json()
    assert waiting == {first.json()["job_id"]}


async def ask(client: httpx.AsyncClient, key: str) -> httpx.Response:
    return await client.post("/api/v1/chat", json={"message": QUESTION}, headers={"Idempotency-Key": key})


async def test_a_key_whose_events_have_expired_streams_nothing_but_says_where_the_answer_is(
    shared_api: Api,
) -> None:
    key = new_id()
    first = await shared_api.post(idempotency_key=key)
    job_id = first.json()["job_id"]
    await answer(shared_api.log, job_id, "네.")
    kept = KeptAnswer("anonymous", first.json()["session_id"], "done", b'{"answer":"x"}')
    await shared_api.log.keep_answer(job_id, kept)
    await shared_api.log.discard(job_id)

    response = await shared_api.client.post(
        "/api/v1/chat", json={"message": QUESTION}, headers={**STREAM, "Idempotency-Key": key}
    )

    problem = documented.problem_of(410, dict(response.headers), response.content)
    assert problem["status_url"] == first.json()["status_url"]
