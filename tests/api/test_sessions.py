"""One question at a time in a session."""

import asyncio

import pytest
from eco2_bus.log import JobHead
from eco2_devservers import RabbitServer, RedisServer

from tests.api import documented
from tests.api.services import MemoryWorld, RealWorld, World, new_id
from tests.api.serving import QUESTION, Api, api_over
from tests.api.viewer import names
from tests.api.worker import Worker, answer

pytestmark = pytest.mark.asyncio(loop_scope="module")


def ask(session_id: str, **fields: str) -> dict[str, str]:
    return {"message": QUESTION, "session_id": session_id, **fields}


@pytest.mark.parametrize("is_running", [False, True])
async def test_a_second_question_in_a_busy_session_is_refused_with_the_job_that_has_it(
    shared_api: Api, is_running: bool
) -> None:
    session_id = new_id()
    first = await shared_api.submit(session_id=session_id)
    if is_running:
        await Worker.begin(shared_api.log, first["job_id"])

    response = await shared_api.post(ask(session_id))

    problem = documented.problem_of(409, dict(response.headers), response.content)
    assert (problem["code"], problem["job_id"]) == ("session_busy", first["job_id"])
    assert (await shared_api.post(ask(session_id, on_busy="reject"))).status_code == 409


@pytest.mark.parametrize("event", ["done", "error", "cancelled"])
async def test_the_end_of_an_answer_frees_its_session(shared_api: Api, event: str) -> None:
    session_id = new_id()
    first = await shared_api.submit(session_id=session_id)
    await answer(shared_api.log, first["job_id"], "네.", event=event)

    second = await shared_api.submit(session_id=session_id)
    assert second["job_id"] != first["job_id"]
    assert (await shared_api.post(ask(session_id))).json()["job_id"] == second["job_id"]


async def test_a_job_whose_log_has_expired_does_not_hold_its_session(shared_api: Api) -> None:
    session_id = new_id()
    first = await shared_api.submit(session_id=session_id)
    await shared_api.log.discard(first["job_id"])

    await shared_api.submit(session_id=session_id)


async def test_sessions_do_not_disturb_each_other(shared_api: Api) -> None:
    for _ in range(3):
        await shared_api.submit(session_id=new_id())


async def test_a_cancel_before_the_pickup_frees_the_session(shared_api: Api) -> None:
    session_id = new_id()
    first = await shared_api.submit(session_id=session_id)
    await shared_api.cancel(first["job_id"])

    await shared_api.submit(session_id=session_id)


async def test_an_interrupt_of_a_waiting_question_ends_it_and_goes_on(shared_api: Api) -> None:
    session_id = new_id()
    first = await shared_api.submit(session_id=session_id)

    response = await shared_api.post(ask(session_id, on_busy="interrupt"))

    assert response.status_code == 202
    async with await shared_api.events(first["job_id"]) as viewer:
        assert names(await viewer.rest()) == ["queued", "cancelled"]


async def test_an_interrupt_of_a_running_answer_waits_for_its_end(shared_api: Api) -> None:
    session_id = new_id()
    first = await shared_api.submit(session_id=session_id)
    worker = await Worker.begin(shared_api.log, first["job_id"])
    woken = asyncio.Event()

    with shared_api.log.on_cancel(first["job_id"], woken.set):
        second = asyncio.create_task(shared_api.post(ask(session_id, on_busy="interrupt")))
        await asyncio.wait_for(woken.wait(), 10)
        assert not second.done()
        await worker.end("cancelled")
        response = await second
    assert response.status_code == 202
    assert response.json()["session_id"] == session_id


async def test_an_interrupt_of_an_answer_that_does_not_end_is_refused(shared_api: Api) -> None:
    session_id = new_id()
    first = await shared_api.submit(session_id=session_id)
    await Worker.begin(shared_api.log, first["job_id"])

    response = await shared_api.post(ask(session_id, on_busy="interrupt"))

    assert (response.status_code, response.json()["job_id"]) == (409, first["job_id"])
    assert await shared_api.log.is_cancel_requested(first["job_id"])


async def test_of_many_questions_at_once_one_gets_the_session(shared_api: Api) -> None:
    for _ in range(5):
        session_id = new_id()
        responses = await asyncio.gather(*(shared_api.post(ask(session_id)) for _ in range(10)))

        assert sorted(response.status_code for response in responses) == [202] + [409] * 9
        (taken,) = [response.json() for response in responses if response.status_code == 202]
        refused = {response.json()["job_id"] for response in responses if response.status_code == 409}
        assert refused == {taken["job_id"]}


async def test_a_refused_question_leaves_nothing_behind(shared_world: World, shared_api: Api) -> None:
    session_id = new_id()
    await shared_api.submit(session_id=session_id)
    await shared_world.waiting_jobs()
    before = shared_world.keys()

    assert (await shared_api.post(ask(session_id))).status_code == 409

    assert await shared_world.waiting_jobs() == []
    assert shared_world.keys() == before


async def test_a_session_is_busy_for_every_process(rabbit: RabbitServer, redis_server: RedisServer) -> None:
    world = RealWorld(rabbit, redis_server)
    session_id = new_id()
    async with api_over(world) as here, api_over(world) as there:
        first = await here.submit(session_id=session_id)
        refused = await there.post(ask(session_id))
        assert (refused.status_code, refused.json()["job_id"]) == (409, first["job_id"])

        taken = await there.post(ask(session_id, on_busy="interrupt"))
        assert taken.status_code == 202
        assert (await here.status(first["job_id"])).json()["status"] == "cancelled"

        new = new_id()
        both = await asyncio.gather(*(api.post(ask(new)) for api in (here, there) * 5))
        assert sorted(response.status_code for response in both) == [202] + [409] * 9
    await world.close()


async def test_a_question_whose_log_is_late_does_not_let_a_second_one_in(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world, begun, may_go_on = MemoryWorld(), asyncio.Event(), asyncio.Event()
    async with api_over(world) as api:
        create = world.log.create

        async def late(job_id: str, head: JobHead) -> None:
            if not begun.is_set():
                begun.set()
                await may_go_on.wait()
            await create(job_id, head)

        monkeypatch.setattr(world.log, "create", late)
        session_id = new_id()
        first = asyncio.create_task(api.post(ask(session_id)))
        await begun.wait()
        second = await api.post(ask(session_id))
        may_go_on.set()
        assert sorted([second.status_code, (await first).status_code]) == [202, 409]
