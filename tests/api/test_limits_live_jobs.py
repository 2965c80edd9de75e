"""How many questions of a user are answered at a time, whoever dies in between."""

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace

import pytest
from chat_api.limits import places
from chat_api.limits.live_jobs import LiveJobs, MemoryLiveJobs
from chat_api.limits.redis_stores import RedisLiveJobs
from chat_api.limits.submits import SubmitLimits
from eco2_bus.log import LogUnavailable
from eco2_bus.queue import QueueUnavailable
from eco2_bus.resp import RedisLink
from eco2_devservers import RedisServer

from tests.api import documented
from tests.api.services import RealWorld, World, begin_log, new_id
from tests.api.serving import Api, api_over
from tests.api.worker import answer

LIMIT = "limit_live_jobs_per_user"


async def assert_full(api: Api) -> None:
    refused = await api.post()
    problem = documented.problem_of(429, dict(refused.headers), refused.content)
    assert problem["code"] == "too_many_jobs"


@pytest.mark.parametrize("event", ["done", "error", "cancelled"])
async def test_a_question_too_many_waits_until_one_has_ended(world: World, event: str) -> None:
    async with api_over(world, **{LIMIT: 2}) as api:
        first, _ = await api.new_job(), await api.new_job()
        await assert_full(api)
        await assert_full(api)

        await answer(api.log, first, "하나", event=event)

        await api.new_job()
        await assert_full(api)


async def test_a_cancelled_question_makes_room_at_once(world: World) -> None:
    async with api_over(world, **{LIMIT: 1}) as api:
        job_id = await api.new_job()
        await assert_full(api)
        assert (await api.cancel(job_id)).status_code == 202
        await api.new_job()


@pytest.mark.parametrize("has_ended", [True, False])
async def test_a_session_that_is_deleted_makes_room_at_once(world: World, has_ended: bool) -> None:
    async with api_over(world, **{LIMIT: 1}) as api:
        queued = await api.submit()
        if has_ended:
            await answer(api.log, queued["job_id"], "하나")
        response = await api.client.delete(f"/api/v1/sessions/{queued['session_id']}")
        assert response.status_code == 204
        await api.new_job()


async def test_whoever_asks_one_after_the_other_never_meets_the_limit(world: World) -> None:
    async with api_over(world, **{LIMIT: 2}) as api:
        for _ in range(7):
            await answer(api.log, await api.new_job(), "하나")


async def test_no_more_than_the_limit_get_a_place_at_once(world: World) -> None:
    async with api_over(world, **{LIMIT: 3}) as api:
        answers = await asyncio.gather(*(api.post() for _ in range(10)))

    assert sorted(answer.status_code for answer in answers) == [202] * 3 + [429] * 7


async def test_every_replica_knows_the_places(real_world: RealWorld) -> None:
    one, other = (api_over(real_world, **{LIMIT: 1}) for _ in range(2))
    async with one as first, other as second:
        await first.new_job()
        await assert_full(second)


async def test_a_question_that_interrupts_comes_before_the_other_has_gone(world: World) -> None:
    async with api_over(world, **{LIMIT: 1}) as api:
        session = {"session_id": "s-1"}
        await api.submit(**session)
        await api.submit(**session, on_busy="interrupt")
        await assert_full(api)


async def test_a_refused_question_has_no_place(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async with api_over(world, **{LIMIT: 1}) as api:
        with monkeypatch.context() as patch:

            async def is_down(*_: object) -> None:
                raise QueueUnavailable("down")

            patch.setattr(world.made.queue, "publish", is_down)
            for _ in range(3):
                assert (await api.post()).status_code == 503
        await api.new_job()


async def test_a_question_that_is_too_soon_has_no_place(world: World) -> None:
    services = world.services(limit_submits_per_user="1/hour", **{LIMIT: 2})
    limits = SubmitLimits(services.settings, services.limits, services.log)
    await limits.enter("kim", "", new_id())
    for _ in range(3):
        with pytest.raises(Exception, match="rate_limited"):
            await limits.enter("kim", "", new_id())

    assert await services.limits.live_jobs.enter(places.hidden("kim"), new_id(), 2, 60) is None
    await services.claims.close()


async def test_the_same_question_again_has_the_place_it_had(world: World) -> None:
    """A replica that died after the place was taken left it to the next try with the same key."""
    async with api_over(world, **{LIMIT: 1}) as api:
        services = world.made
        limits = SubmitLimits(services.settings, services.limits, services.log)
        job_id = new_id()
        await limits.enter("anonymous 127.0.0.1", "", job_id)
        await limits.enter("anonymous 127.0.0.1", "", job_id)
        await assert_full(api)


async def test_a_place_whose_replica_died_before_the_log_is_free_after_a_while(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = world.services(**{LIMIT: 1})
    limits = SubmitLimits(services.settings, services.limits, services.log)
    await limits.enter("kim", "", new_id())
    with pytest.raises(Exception, match="too_many_jobs"):
        await limits.enter("kim", "", new_id())
    monkeypatch.setattr(places, "BEGINS_WITHIN_S", 0.0)
    await limits.enter("kim", "", new_id())
    await services.claims.close()


async def test_a_job_that_has_its_log_keeps_its_place_however_long_it_takes(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "BEGINS_WITHIN_S", 0.0)
    services = world.services(**{LIMIT: 1})
    limits = SubmitLimits(services.settings, services.limits, services.log)
    await limits.enter("kim", "", await begin_log(services.log, "kim"))
    with pytest.raises(Exception, match="too_many_jobs"):
        await limits.enter("kim", "", new_id())
    await services.claims.close()
    await services.log.close()


async def test_a_place_that_cannot_be_given_back_says_why_the_question_failed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with api_over(world, **{LIMIT: 1}) as api:

        async def is_down(*_: object) -> None:
            raise LogUnavailable("down")

        monkeypatch.setattr(world.made.limits.live_jobs, "leave", is_down)
        session = {"message": "하나", "session_id": "s-1"}
        monkeypatch.setattr(world.made.queue, "publish", is_down)
        assert (await api.post(session)).json()["code"] == "unavailable"


@pytest.fixture(params=["memory", "real"])
async def live_jobs(request: pytest.FixtureRequest) -> AsyncIterator[LiveJobs]:
    if request.param == "memory":
        yield MemoryLiveJobs()
        return
    server: RedisServer = request.getfixturevalue("redis_server")
    link = RedisLink(server.url, name="claims")
    yield RedisLiveJobs(link)
    await link.close()


async def test_a_place_is_kept_for_as_long_as_it_is_told(live_jobs: LiveJobs) -> None:
    owner = new_id()
    assert await live_jobs.enter(owner, "old", 1, 3600) is None
    others = await live_jobs.enter(owner, "new", 1, 3600)
    assert others is not None
    assert list(others) == ["old"]
    assert 0 <= others["old"] < 60

    async with asyncio.timeout(10):
        while others is not None:
            await asyncio.sleep(0.1)
            others = await live_jobs.enter(owner, "new", 1, 1)


async def test_places_of_different_users_have_nothing_to_do_with_each_other(live_jobs: LiveJobs) -> None:
    kim, lee = new_id(), new_id()
    assert await live_jobs.enter(kim, "a", 1, 60) is None
    assert await live_jobs.enter(lee, "b", 1, 60) is None
    await live_jobs.leave(kim, "a", "b")
    assert await live_jobs.enter(lee, "c", 1, 60) is not None
    assert await live_jobs.enter(kim, "c", 1, 60) is None


async def test_users_who_never_come_back_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [1_000.0]
    monkeypatch.setattr("chat_api.limits.live_jobs.time", SimpleNamespace(monotonic=lambda: clock[0]))
    live_jobs = MemoryLiveJobs()
    for _ in range(5):
        await live_jobs.enter(new_id(), "a", 1, 60)
        clock[0] += 1
    clock[0] += 58
    assert await live_jobs.enter("kim", "b", 1, 60) is None
    # The newest two are not old enough yet.
    assert len(vars(live_jobs)["_places"]) == 2 + 1
    clock[0] += 61
    assert await live_jobs.enter("kim", "c", 1, 60) is None
    assert list(vars(live_jobs)["_places"]) == ["kim"]
