"""A question that cannot be taken: 503, and nothing of it is left."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
from chat_api import queue_depth
from eco2_bus.log import LogUnavailable
from eco2_devservers import RabbitServer, RedisServer, TcpProxy

from tests.api import documented
from tests.api.services import RealWorld, World, new_id
from tests.api.serving import QUESTION, Api, api_over

BODY = {"message": QUESTION, "session_id": "s-1"}


@contextlib.asynccontextmanager
async def cut_off_world(
    rabbit: RabbitServer, redis_server: RedisServer, broken: str
) -> AsyncIterator[tuple[RealWorld, TcpProxy]]:
    """Real servers, one of them behind a network that the test can break."""
    target = rabbit.port if broken == "broker" else redis_server.port
    with TcpProxy(target) as proxy:
        amqp_url = rabbit.url.replace(str(rabbit.port), str(proxy.port)) if broken == "broker" else None
        redis_url = f"redis://127.0.0.1:{proxy.port}/0" if broken == "redis" else None
        world = RealWorld(rabbit, redis_server, amqp_url=amqp_url, redis_url=redis_url)
        world.admin.flushall()
        yield world, proxy
        await world.close()


async def assert_refused(api: Api, world: World, code: str = "unavailable") -> None:
    """A submit gets 503 and leaves neither job nor session nor key."""
    before = world.keys()
    response = await api.post(BODY, idempotency_key="key-1")

    problem = documented.problem_of(503, dict(response.headers), response.content)
    assert problem["code"] == code
    assert 1 <= int(response.headers["retry-after"]) <= 10
    assert world.keys() == before


async def assert_taken(api: Api, world: World) -> None:
    """The same submit with the same key makes one job."""
    response = await api.post(BODY, idempotency_key="key-1")
    assert response.status_code == 202, response.text
    assert response.json()["job_id"] in [job.job_id for job in await world.waiting_jobs()]
    assert (await api.status(response.json()["job_id"])).json()["status"] == "queued"


@pytest.mark.parametrize("when", ["from the start", "later"])
async def test_a_question_is_refused_while_the_broker_is_down(
    rabbit: RabbitServer, redis_server: RedisServer, when: str
) -> None:
    async with cut_off_world(rabbit, redis_server, "broker") as (world, proxy), api_over(world) as api:
        if when == "later":
            await api.submit()
        proxy.close()
        await assert_refused(api, world)
        await assert_refused(api, world)
        proxy.start()
        await assert_taken(api, world)


async def test_a_question_is_refused_while_the_broker_does_not_answer(
    rabbit: RabbitServer, redis_server: RedisServer
) -> None:
    async with cut_off_world(rabbit, redis_server, "broker") as (world, proxy), api_over(world) as api:
        await api.submit()
        proxy.block()
        await assert_refused(api, world)
        proxy.unblock()
        await assert_taken(api, world)


async def test_many_questions_are_refused_together_while_the_broker_does_not_answer(
    rabbit: RabbitServer, redis_server: RedisServer
) -> None:
    async with cut_off_world(rabbit, redis_server, "broker") as (world, proxy), api_over(world) as api:
        proxy.block()
        # One after the other they would take a minute.
        async with asyncio.timeout(15):
            refused = await asyncio.gather(*(api.post({"message": "?"}) for _ in range(20)))
        assert {response.status_code for response in refused} == {503}
        proxy.unblock()
        await assert_taken(api, world)


async def test_a_question_whose_confirmation_is_cut_off_is_refused(
    rabbit: RabbitServer, redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The reply to a look at the queue would be cut off instead.
    monkeypatch.setattr(queue_depth, "LOOK_EVERY_S", 1_000)
    async with cut_off_world(rabbit, redis_server, "broker") as (world, proxy), api_over(world) as api:
        await api.submit()
        proxy.limit_replies(3)
        await assert_refused(api, world)
        # The broker has the message all the same; the worker that takes it finds no log and drops it.
        await assert_taken(api, world)


async def test_a_question_is_refused_while_the_queue_is_full(world: World) -> None:
    if isinstance(world, RealWorld):
        await world.remove_queue()
    async with api_over(world, queue_max_length=2) as api:
        taken = 0
        while (response := await api.post()).status_code == 202:
            taken += 1
            assert taken < 10
        assert response.json()["code"] == "queue_full"
        await assert_refused(api, world, "queue_full")
        assert len(await world.waiting_jobs()) == taken
        await assert_taken(api, world)
    if isinstance(world, RealWorld):
        await world.remove_queue()


@pytest.mark.parametrize("when", ["from the start", "later"])
async def test_a_question_is_refused_while_redis_is_down(
    rabbit: RabbitServer, redis_server: RedisServer, when: str
) -> None:
    async with cut_off_world(rabbit, redis_server, "redis") as (world, proxy), api_over(world) as api:
        job_id = new_id()
        if when == "later":
            job_id = await api.new_job()
        await world.waiting_jobs()
        proxy.close()
        await assert_refused(api, world)
        events = api.client.get(f"/api/v1/chat/{job_id}/events")
        for response in await asyncio.gather(api.post(), api.status(job_id), api.cancel(job_id), events):
            documented.problem_of(503, dict(response.headers), response.content)
        assert await world.waiting_jobs() == []
        proxy.start()
        await eventually_ready(api)
        await assert_taken(api, world)


async def test_a_question_is_refused_in_time_while_redis_does_not_answer(
    rabbit: RabbitServer, redis_server: RedisServer
) -> None:
    async with cut_off_world(rabbit, redis_server, "redis") as (world, proxy), api_over(world) as api:
        await api.submit()
        await world.waiting_jobs()
        proxy.block()
        async with asyncio.timeout(8):
            response = await api.post(BODY, idempotency_key="key-1")
        documented.problem_of(503, dict(response.headers), response.content)
        proxy.unblock()
        await eventually_ready(api)
        assert await world.waiting_jobs() == []


async def test_an_unexpected_error_is_a_problem_without_its_text(
    memory_api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> None:
        raise RuntimeError("Secret7f3a")

    monkeypatch.setattr(memory_api.log, "create", broken)
    response = await memory_api.post()
    problem = documented.problem_of(500, dict(response.headers), response.content)
    assert problem["code"] == "internal_error"
    assert "Secret7f3a" not in response.text

    async def away(*_: object) -> None:
        raise LogUnavailable("Secret7f3a")

    monkeypatch.setattr(memory_api.log, "create", away)
    response = await memory_api.post()
    documented.problem_of(503, dict(response.headers), response.content)
    assert "Secret7f3a" not in response.text


async def eventually_ready(api: Api) -> None:
    async with asyncio.timeout(20):
        while (await api.client.get("/readyz")).status_code != 200:
            pass
