"""A request that died between its session's turn and the broker's confirmation, and what only looks so."""

import asyncio
import contextlib
import signal
import time

import httpx
import pytest
from chat_api import settings
from chat_api.session_claims import Bid
from eco2_bus.events import Queued, to_json
from eco2_bus.log import Claim, JobHead, TakeOverResult
from eco2_bus.redis_streams import log_key
from eco2_devservers import RabbitServer, RedisServer, TcpProxy

from tests.api import documented
from tests.api.process import api_process
from tests.api.services import RealWorld, World, new_id
from tests.api.serving import QUESTION, Api, api_over
from tests.api.worker import take_over

MAX_AGE_S = 300


async def unbegun(world: World, session_id: str, age_s: float) -> str:
    """What is in Redis of a job that nobody has begun: whether it is in the queue, cannot be seen."""
    job_id = new_id()
    url = f"/api/v1/chat/{job_id}"
    queued = Queued(
        job_id=job_id, session_id=session_id, status_url=url, events_url=url, cancel_url=url, trace_id=""
    )
    created_at_ms = round((time.time() - age_s) * 1000)
    await world.made.log.create(job_id, JobHead("anonymous", session_id, "", to_json(queued), created_at_ms))
    assert await world.made.claims.take_session(Bid(session_id, "anonymous", job_id), None) is None
    return job_id


async def ask(api: Api, session_id: str, on_busy: str = "reject") -> int:
    return (await api.post({"message": QUESTION, "session_id": session_id, "on_busy": on_busy})).status_code


async def test_a_session_is_not_held_for_ever_by_a_question_that_never_came_to_the_queue(
    world: World, api: Api
) -> None:
    await unbegun(world, session_id := new_id(), MAX_AGE_S + settings.CLOCKS_DIFFER_S + 10)

    assert await ask(api, session_id) == 202


@pytest.mark.parametrize(
    "how_long", ["as long as a question may wait", "as long as clocks may differ", "ever"]
)
async def test_a_question_that_may_wait_in_a_long_queue_holds_its_session(
    world: World, how_long: str
) -> None:
    begun_within_s = MAX_AGE_S + settings.CLOCKS_DIFFER_S
    ages = {"as long as a question may wait": MAX_AGE_S, "as long as clocks may differ": begun_within_s - 30}
    max_age_s = 0 if how_long == "ever" else MAX_AGE_S
    async with api_over(world, job_max_age_s=max_age_s) as api:
        job_id = await unbegun(world, session_id := new_id(), ages.get(how_long, 20 * 3600))

        response = await api.post({"message": QUESTION, "session_id": session_id})

        problem = documented.problem_of(409, dict(response.headers), response.content)
        assert problem["job_id"] == job_id
        assert (await take_over(world.log, job_id)).result is TakeOverResult.OWNED


@pytest.mark.parametrize("claim", [Claim.FRESH, Claim.REDELIVERED, Claim.HANDED_BACK])
async def test_a_question_that_was_in_the_queue_after_all_is_answered_though_it_lost_its_session(
    world: World, api: Api, claim: Claim
) -> None:
    job_id = await unbegun(world, session_id := new_id(), 20 * 3600)
    assert await ask(api, session_id) == 202

    assert (await api.status(job_id)).json()["status"] == "queued"
    assert not await world.log.is_cancel_requested(job_id)
    assert (await take_over(world.log, job_id, claim)).result is TakeOverResult.OWNED


async def test_a_question_that_somebody_has_begun_holds_its_session_however_old_it_is(
    world: World, api: Api
) -> None:
    job_id = await unbegun(world, session_id := new_id(), 20 * 3600)
    await take_over(world.log, job_id)

    assert await ask(api, session_id) == 409


async def test_who_interrupts_ends_what_may_be_in_the_queue(world: World, api: Api) -> None:
    job_id = await unbegun(world, session_id := new_id(), 20 * 3600)

    assert await ask(api, session_id, "interrupt") == 202
    assert (await api.status(job_id)).json()["status"] == "cancelled"


async def test_a_session_with_a_question_that_was_lost_can_be_deleted(world: World, api: Api) -> None:
    lost = await unbegun(world, session_id := new_id(), 20 * 3600)
    await ask(api, session_id)

    assert (await api.client.delete(f"/api/v1/sessions/{session_id}")).status_code == 204
    assert (await api.status(lost)).status_code == 404


@pytest.mark.parametrize(("max_age_s", "has_begun"), [(0.001, False), (0.001, True), (0, False)])
async def test_a_question_that_was_lost_keeps_nobodys_place(
    world: World, monkeypatch: pytest.MonkeyPatch, max_age_s: float, has_begun: bool
) -> None:
    # In Redis ages are whole seconds: even one of 0 is too old.
    monkeypatch.setattr(settings, "CLOCKS_DIFFER_S", -1.0)
    async with api_over(world, job_max_age_s=max_age_s, limit_live_jobs_per_user=1) as api:
        first = await api.new_job()
        if has_begun:
            await take_over(world.log, first)

        is_lost = max_age_s > 0 and not has_begun
        assert (await api.post()).status_code == (202 if is_lost else 429)


async def test_a_session_whose_api_was_killed_in_the_middle_of_a_submit_is_free_in_the_end(
    rabbit: RabbitServer, redis_server: RedisServer
) -> None:
    session_id, world = new_id(), RealWorld(rabbit, redis_server)
    claim, lost = f"chat:session:{session_id}:claim", None
    with TcpProxy(rabbit.port) as proxy:
        away = rabbit.url.replace(str(rabbit.port), str(proxy.port))
        cut_off = RealWorld(rabbit, redis_server, amqp_url=away)
        async with api_process(cut_off) as (api, process):
            await api.submit()
            proxy.block()
            submitting = asyncio.create_task(ask(api, session_id))
            async with asyncio.timeout(20):
                while lost is None:
                    lost = await asyncio.to_thread(world.admin.hget, claim, "holder")
            process.signal(signal.SIGKILL)
            with contextlib.suppress(httpx.TransportError):
                await submitting
                raise AssertionError("it was answered")
        await cut_off.close()
    async with api_over(world) as api:
        assert await ask(api, session_id) == 409
        _age(world, lost, MAX_AGE_S + settings.CLOCKS_DIFFER_S + 10)
        assert await ask(api, session_id) == 202
    await world.close()


def _age(world: RealWorld, job_id: str, by_s: float) -> None:
    """Has a log begun earlier."""
    [(id_, fields)] = world.admin.xrange(log_key(job_id))
    world.admin.delete(log_key(job_id))
    world.admin.xadd(log_key(job_id), {**fields, "at": int(fields["at"]) - round(by_s * 1000)}, id=id_)
