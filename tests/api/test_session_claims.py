"""Whose a session is, kept by memory and by Redis alike."""

import asyncio
import time

import pytest
from chat_api.session_claims import Bid, SessionOfAnother, new_eraser

from tests.api.services import RealWorld, World, new_id
from tests.api.serving import api_over


async def test_of_many_who_use_a_new_session_at_once_one_owns_it(world: World) -> None:
    async with api_over(world):
        claims, session_id = world.made.claims, new_id()
        bids = [claims.take_session(Bid(session_id, f"user-{n}", new_id()), None) for n in range(10)]
        results = await asyncio.gather(*bids, return_exceptions=True)

        assert results.count(None) == 1
        assert sum(isinstance(result, SessionOfAnother) for result in results) == 9
        assert await claims.session_owner(session_id) == f"user-{results.index(None)}"


async def test_a_job_that_came_to_nothing_leaves_the_session_as_it_was(world: World) -> None:
    async with api_over(world):
        claims, session_id, first, second = world.made.claims, new_id(), new_id(), new_id()
        await claims.take_session(Bid(session_id, "user-1", first, key="k"), None)
        before = await claims.session_jobs(session_id)
        await claims.take_session(Bid(session_id, "user-1", second), first)
        await claims.free_session(session_id, second)

        assert await claims.session_jobs(session_id) == before == {first: "k"}
        assert await claims.take_session(Bid(session_id, "user-1", new_id()), None) is None
        await claims.free_session(session_id, new_id())
        assert await claims.session_owner(session_id) == "user-1"


async def test_a_session_whose_only_job_came_to_nothing_belongs_to_nobody(world: World) -> None:
    async with api_over(world):
        claims, session_id, job_id = world.made.claims, new_id(), new_id()
        before = world.keys()
        await claims.take_session(Bid(session_id, "user-1", job_id), None)
        await claims.free_session(session_id, job_id)

        assert await claims.session_owner(session_id) is None
        assert world.keys() == before


async def test_a_hold_ends_after_its_time(world: World) -> None:
    async with api_over(world):
        claims, session_id, held = world.made.claims, new_id(), new_id()
        await claims.take_session(Bid(session_id, "user-1", held, hold_s=1), None)
        waiting = Bid(session_id, "user-1", new_id())

        assert await claims.take_session(waiting, None) == held
        async with asyncio.timeout(10):
            while (holder := await claims.take_session(waiting, None)) is not None:
                assert holder == held
        assert await claims.take_session(Bid(session_id, "user-1", held), None) == waiting.job_id


async def test_a_long_session_does_not_keep_jobs_of_which_nothing_is_left(real_world: RealWorld) -> None:
    async with api_over(real_world):
        claims, session_id, holder = real_world.made.claims, new_id(), new_id()
        await claims.take_session(Bid(session_id, "user-1", holder), None)
        key, now = f"chat:session:{session_id}:claim", int(time.time())
        old = {f"job:{new_id()}": f"{now - 50 * 3600}:" for _ in range(400)}
        lately = {f"job:{new_id()}": f"{now - 48 * 3600}:" for _ in range(5)}
        real_world.admin.hset(key, mapping=old | lately)
        for _ in range(50):
            job_id = new_id()
            await claims.take_session(Bid(session_id, "user-1", job_id), holder)
            holder = job_id

        jobs = {f"job:{job_id}" for job_id in await claims.session_jobs(session_id)}
        assert not jobs & old.keys()
        assert lately.keys() <= jobs
        assert len(jobs) == 51 + 5


async def test_who_erases_a_session_is_none_of_its_jobs(world: World) -> None:
    async with api_over(world):
        claims, session_id, job_id = world.made.claims, new_id(), new_id()
        await claims.take_session(Bid(session_id, "user-1", job_id), None)
        await claims.take_session(Bid(session_id, "user-1", new_eraser()), job_id)

        assert await claims.session_jobs(session_id) == {job_id: ""}


async def test_a_job_is_rated_for_the_first_time_once(world: World) -> None:
    async with api_over(world):
        claims, session_id, job_id, other = world.made.claims, new_id(), new_id(), new_id()
        before = world.keys()
        await claims.take_session(Bid(session_id, "user-1", job_id), None)
        await claims.take_session(Bid(session_id, "user-1", other), job_id)
        ratings = await asyncio.gather(*(claims.claim_rating(session_id, job_id) for _ in range(10)))

        assert sorted(ratings) == [False] * 9 + [True]
        assert await claims.claim_rating(session_id, other)
        assert set(await claims.session_jobs(session_id)) == {job_id, other}
        await claims.forget_session(session_id, "user-1")
        assert await claims.claim_rating(session_id, job_id)
        assert len(world.keys() - before) == 1


async def test_the_last_who_took_a_session_holds_it(world: World) -> None:
    async with api_over(world):
        claims, session_id, first, second = world.made.claims, new_id(), new_id(), new_id()
        assert await claims.session_holder(session_id) is None
        await claims.take_session(Bid(session_id, "user-1", first), None)
        await claims.take_session(Bid(session_id, "user-1", second), None)
        assert await claims.session_holder(session_id) == first
        await claims.take_session(Bid(session_id, "user-1", second), first)
        assert await claims.session_holder(session_id) == second

        await claims.free_session(session_id, second)
        assert await claims.session_holder(session_id) is None
        await claims.forget_session(session_id, "user-1")
        assert await claims.session_holder(session_id) is None


@pytest.mark.parametrize("key", ["", "a" * 64])
async def test_the_idempotency_claim_of_each_job_is_known(world: World, key: str) -> None:
    async with api_over(world):
        claims, session_id, job_id = world.made.claims, new_id(), new_id()
        await claims.take_session(Bid(session_id, "user-1", job_id, key), None)

        assert await claims.session_jobs(session_id) == {job_id: key}
        assert await claims.session_jobs(new_id()) == {}
