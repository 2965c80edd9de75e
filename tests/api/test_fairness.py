"""Whose many questions stand back behind the first ones of others."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any, cast

import aio_pika
import pytest
from chat_api.limits.fairness import Fairness
from chat_api.limits.live_jobs import LiveJobs
from chat_api.limits.rates import Windows
from chat_api.limits.stores import LimitStores
from eco2_bus import topology
from eco2_bus.log import LogUnavailable

from tests.api.services import MemoryWorld, RealWorld, World, new_id, settings
from tests.api.serving import Api, api_over
from tests.api.worker import answer

PROXY = {"trusted_proxies": "127.0.0.1"}
KIM, LEE = {"x_forwarded_for": "203.0.113.1"}, {"x_forwarded_for": "203.0.113.2"}


async def lanes(world: World) -> tuple[int, int]:
    """How many jobs wait in the main lane, and in that of bursts."""
    queue = world.made.queue
    return await queue.depth([topology.JOBS]), await queue.depth([topology.BURST])


async def ask_many(api: Api, who: dict[str, str], count: int) -> list[str]:
    answers = [await api.post(**who) for _ in range(count)]
    assert {answer.status_code for answer in answers} == {202}
    return [answer.json()["job_id"] for answer in answers]


async def test_beyond_a_users_share_questions_take_the_lane_of_bursts(world: World) -> None:
    async with api_over(world, **PROXY, fair_share=3) as api:
        await ask_many(api, KIM, 10)
        assert await lanes(world) == (3, 7)
        await ask_many(api, LEE, 2)
        assert await lanes(world) == (5, 7)


@pytest.mark.parametrize("event", ["done", "error", "cancelled"])
async def test_a_question_that_has_ended_makes_room_in_the_main_lane(world: World, event: str) -> None:
    async with api_over(world, **PROXY, fair_share=2) as api:
        first, *_ = await ask_many(api, KIM, 3)
        assert await lanes(world) == (2, 1)
        await answer(api.log, first, "하나", event=event)
        await ask_many(api, KIM, 2)
        assert await lanes(world) == (3, 2)


async def test_whoever_asks_one_after_the_other_stays_in_the_main_lane(world: World) -> None:
    async with api_over(world, **PROXY, fair_share=1) as api:
        for _ in range(4):
            (job_id,) = await ask_many(api, KIM, 1)
            await answer(api.log, job_id, "하나")
        assert await lanes(world) == (4, 0)


@pytest.mark.parametrize(("who", "share"), [({}, 2), (KIM, 0)], ids=["from this machine", "no share is set"])
async def test_who_is_no_user_of_its_own_takes_the_main_lane(
    memory_world: MemoryWorld, who: dict[str, str], share: int
) -> None:
    async with api_over(memory_world, **PROXY, fair_share=share) as api:
        await ask_many(api, who, 5)
        assert await lanes(memory_world) == (5, 0)


async def test_a_question_that_was_refused_keeps_no_place(memory_world: MemoryWorld) -> None:
    async with api_over(memory_world, **PROXY, fair_share=2) as api:
        session = {"message": "페트병은?", "session_id": new_id()}
        assert (await api.post(session, **KIM)).status_code == 202
        for _ in range(3):
            assert (await api.post(session, **KIM)).status_code == 409
        await ask_many(api, KIM, 1)
        assert await lanes(memory_world) == (2, 0)


async def test_a_question_that_is_too_soon_keeps_no_place(memory_world: MemoryWorld) -> None:
    async with api_over(memory_world, **PROXY, fair_share=4, limit_submits_per_address="1/hour") as api:
        (job_id,) = await ask_many(api, LEE, 1)
        assert (await api.post(**LEE)).status_code == 429
        (places,) = vars(memory_world.made.limits.live_jobs)["_places"].values()
        assert list(places) == [job_id]


async def test_a_burst_fills_its_own_lane_and_not_that_of_others(memory_world: MemoryWorld) -> None:
    async with api_over(memory_world, **PROXY, fair_share=1, queue_max_length=3) as api:
        await ask_many(api, KIM, 4)
        refused = await api.post(**KIM)
        assert (refused.status_code, refused.json()["code"]) == (503, "queue_full")
        await ask_many(api, LEE, 1)


async def test_the_same_request_again_is_the_same_job_in_the_same_lane(memory_world: MemoryWorld) -> None:
    async with api_over(memory_world, **PROXY, fair_share=1) as api:
        first, second = [(await api.post(**KIM, idempotency_key="same")).json()["job_id"] for _ in range(2)]
        assert first == second
        assert await lanes(memory_world) == (1, 0)


async def test_nobody_is_refused_because_places_cannot_be_counted(memory_world: MemoryWorld) -> None:
    class Away:
        async def enter(self, *_: object) -> None:
            raise LogUnavailable("away")

        leave = enter

    stores = LimitStores(cast(Windows, None), cast(LiveJobs, Away()))
    fairness = Fairness(settings(fair_share=1), stores, memory_world.log)
    assert await fairness.lane_of("kim", new_id()) == topology.JOBS
    await fairness.leave("kim", new_id())


async def test_a_users_lane_costs_one_round_trip_and_none_for_nobody(memory_world: MemoryWorld) -> None:
    class Counting:
        calls = 0

        async def enter(self, *_: object) -> None:
            self.calls += 1

    counting = Counting()
    stores = LimitStores(cast(Windows, None), cast(Any, counting))
    fairness = Fairness(settings(fair_share=1), stores, memory_world.log)
    for tenant, calls in (("kim", 1), ("", 1)):
        assert await fairness.lane_of(tenant, new_id()) == topology.JOBS
        assert counting.calls == calls


@contextlib.asynccontextmanager
async def worker_of(world: RealWorld, *lanes: str) -> AsyncIterator[None]:
    """Takes a job of each of these lanes, and keeps it."""
    async with await aio_pika.connect(world.amqp_url) as connection:
        channel = await connection.channel()
        await channel.set_qos(prefetch_count=1)
        for lane in lanes:
            await (await channel.get_queue(lane)).consume(_keep)
        yield


async def _keep(_: object) -> None:
    return None


async def test_a_burst_waits_in_no_lane_that_nobody_takes_jobs_from(real_world: RealWorld) -> None:
    async with api_over(real_world, **PROXY, fair_share=1) as api, asyncio.timeout(60):
        await ask_many(api, KIM, 1)
        async with worker_of(real_world, topology.JOBS):
            while (before := await lanes(real_world))[1] < (await _lanes_after_one_more(api, real_world))[1]:
                pass
            await ask_many(api, KIM, 3)
            assert (await lanes(real_world))[1] == before[1]
        async with worker_of(real_world, *topology.LANES):
            while (await lanes(real_world))[1] >= (await _lanes_after_one_more(api, real_world))[1]:
                pass


async def _lanes_after_one_more(api: Api, world: World) -> tuple[int, int]:
    await ask_many(api, KIM, 1)
    return await lanes(world)
