"""After a session is erased, nothing of it is left anywhere."""

import asyncio
import base64
import time

import psycopg
import pytest
from chat_api.session_claims import Bid, new_eraser
from eco2_bus.events import to_json
from eco2_bus.log import KeptAnswer
from eco2_devservers import PostgresServer, RabbitServer, RedisServer
from eco2_history import HistoryUnavailable
from langgraph.checkpoint.base import empty_checkpoint
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver

from tests.api import documented
from tests.api.conversation import ANONYMOUS, CANARY, PNG, converse, everything, picture_of, turn
from tests.api.services import RealWorld, World, new_id
from tests.api.serving import QUESTION, Api, api_over
from tests.api.worker import Worker

PICTURE = "data:image/png;base64," + base64.b64encode(PNG).decode()


async def erase(api: Api, session_id: str) -> int:
    return (await api.client.delete(f"/api/v1/sessions/{session_id}")).status_code


async def test_nothing_of_an_erased_session_is_left(world: World, api: Api) -> None:
    gone, stays = new_id(), new_id()
    await api.post({"message": QUESTION, "session_id": stays})
    kept = await everything(world)
    jobs = [await converse(world, api, gone, image_url=PICTURE) for _ in range(3)]
    body = {"message": CANARY, "session_id": gone}
    jobs.append((await api.post(body, idempotency_key="key-1")).json()["job_id"])
    worker = await Worker.begin(world.log, jobs[-1])
    await world.log.request_cancel(jobs[-1])
    made = await picture_of(world, session_id=gone)
    await worker.end("cancelled")
    before = await everything(world)
    assert all(trace in before for trace in (CANARY, gone, made, *jobs))

    assert await erase(api, gone) == 204

    after = await everything(world)
    assert not [trace for trace in (CANARY, gone, made, *jobs) if trace in after]
    assert stays in kept
    assert stays in after
    for job_id in jobs:
        assert (await api.status(job_id)).status_code == 404
    assert (await api.client.get(f"/api/v1/images/{made}")).status_code == 404


async def test_the_memory_of_the_graph_goes_with_its_session(
    rabbit: RabbitServer, redis_server: RedisServer, postgres: PostgresServer
) -> None:
    world, session_id = RealWorld(rabbit, redis_server, database_url=postgres.url), new_id()
    async with api_over(world) as api, AsyncPostgresSaver.from_conn_string(postgres.url) as saver:
        await saver.setup()
        config = {"configurable": {"thread_id": session_id, "checkpoint_ns": ""}}
        memory = {
            **empty_checkpoint(),
            "channel_values": {"history": [CANARY]},
            "channel_versions": {"history": 1},
        }
        config = await saver.aput(config, memory, {"source": "loop", "step": 1}, {"history": 1})  # type: ignore[arg-type]
        await saver.aput_writes(config, [("findings", CANARY)], "task-1")
        await converse(world, api, session_id)
        assert session_id in await everything(world)

        assert await erase(api, session_id) == 204
        assert session_id not in await everything(world)
    await world.close()


async def test_an_erasure_can_be_repeated_by_its_owner_only(world: World, api: Api) -> None:
    session_id, foreign = new_id(), new_id()
    await converse(world, api, session_id)
    await world.made.claims.forget_session(foreign, "somebody")

    assert [await erase(api, session_id) for _ in range(3)] == [204, 204, 204]
    for unknown in (foreign, new_id(), "a:b", "a" * 65):
        assert await erase(api, unknown) == 404
    assert (await api.client.get(f"/api/v1/sessions/{session_id}/turns")).status_code == 404


async def test_an_erased_session_can_begin_anew(world: World, api: Api) -> None:
    session_id = new_id()
    await converse(world, api, session_id)
    await erase(api, session_id)
    job_id = await converse(world, api, session_id)

    told = (await api.client.get(f"/api/v1/sessions/{session_id}/turns")).json()["turns"]
    assert [one["job_id"] for one in told] == [job_id]


async def test_a_question_that_waits_is_cancelled_and_gone(world: World, api: Api) -> None:
    queued = await api.submit(session_id=(session_id := new_id()))

    assert await erase(api, session_id) == 204
    assert (await api.status(queued["job_id"])).status_code == 404
    assert session_id not in await everything(world)


async def test_a_running_answer_is_cancelled_and_waited_for(world: World, api: Api) -> None:
    session_id = new_id()
    job_id = (await api.submit(session_id=session_id))["job_id"]
    worker = await Worker.begin(world.log, job_id)
    await worker.say(CANARY)
    woken = asyncio.Event()

    with world.log.on_cancel(job_id, woken.set):
        erasing = asyncio.create_task(erase(api, session_id))
        await asyncio.wait_for(woken.wait(), 10)
        assert not erasing.done()
        refused = await api.post({"message": QUESTION, "session_id": session_id})
        assert refused.status_code == 409
        await worker.end("cancelled")
        assert await erasing == 204
    # What the worker does a moment later comes to nothing.
    await world.made.turns.save(turn(job_id=job_id, session_id=session_id, answer=CANARY))
    after = await everything(world)
    assert not [trace for trace in (CANARY, session_id, job_id) if trace in after]


async def test_what_a_worker_keeps_after_the_end_does_not_bring_an_erased_answer_back(
    world: World, api: Api
) -> None:
    queued = await api.submit(session_id=(session_id := new_id()))
    worker = await Worker.begin(world.log, queued["job_id"])
    await worker.say(CANARY)
    data = to_json(worker.ended())
    await worker.writer.end("done", data)

    assert await erase(api, session_id) == 204
    # The worker was paused in between, for as long as it likes.
    await world.log.keep_answer(queued["job_id"], KeptAnswer(ANONYMOUS, session_id, "done", data))
    assert (await api.status(queued["job_id"])).status_code == 404
    assert CANARY not in await everything(world)


async def test_a_running_answer_that_does_not_end_is_told(world: World, api: Api) -> None:
    session_id = new_id()
    job_id = await converse(world, api, session_id)
    running = (await api.submit(session_id=session_id))["job_id"]
    await Worker.begin(world.log, running)
    began = time.monotonic()
    response = await api.client.delete(f"/api/v1/sessions/{session_id}")

    problem = documented.problem_of(409, dict(response.headers), response.content)
    assert (problem["code"], problem["job_id"]) == ("session_busy", running)
    assert int(response.headers["retry-after"]) > 0
    assert time.monotonic() - began < 10
    assert await world.log.is_cancel_requested(running)
    assert (await api.status(job_id)).status_code == 200


async def test_no_question_comes_in_while_its_session_is_erased(world: World, api: Api) -> None:
    session_id = new_id()
    await converse(world, api, session_id)
    eraser = new_eraser()
    await world.made.claims.take_session(
        Bid(session_id, ANONYMOUS, eraser), await last_job(world, session_id)
    )

    for on_busy in ("reject", "interrupt"):
        response = await api.post({"message": QUESTION, "session_id": session_id, "on_busy": on_busy})
        problem = documented.problem_of(409, dict(response.headers), response.content)
        assert "job_id" not in problem
    assert await erase(api, session_id) == 409
    await world.made.claims.free_session(session_id, eraser)
    assert await erase(api, session_id) == 204


async def last_job(world: World, session_id: str) -> str:
    return list(await world.made.claims.session_jobs(session_id))[-1]


async def test_many_erasures_at_once_are_as_good_as_one(world: World, api: Api) -> None:
    session_id = new_id()
    await converse(world, api, session_id)

    codes = await asyncio.gather(*(erase(api, session_id) for _ in range(5)))
    assert set(codes) == {204}
    assert session_id not in await everything(world)


async def test_an_erasure_that_fails_half_way_is_finished_by_the_next(
    world: World, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    session_id = new_id()
    await converse(world, api, session_id, image_url=PICTURE)
    with monkeypatch.context() as patch:
        patch.setattr(world.made.turns, "erase", _away)
        response = await api.client.delete(f"/api/v1/sessions/{session_id}")
        documented.problem_of(503, dict(response.headers), response.content)

    assert await erase(api, session_id) == 204
    after = await everything(world)
    assert not [trace for trace in (CANARY, session_id) if trace in after]


async def _away(*_: object, **__: object) -> None:
    raise HistoryUnavailable("Secret7f3a")


async def test_turns_that_cannot_be_reached_are_told_and_questions_are_taken(
    rabbit: RabbitServer, redis_server: RedisServer
) -> None:
    world = RealWorld(rabbit, redis_server, database_url="postgresql://user:Secret7f3a@127.0.0.1:1/none")
    async with api_over(world) as api:
        queued = await api.submit()
        session_id = queued["session_id"]
        for response in (
            await api.client.get(f"/api/v1/sessions/{session_id}/turns"),
            await api.client.delete(f"/api/v1/sessions/{session_id}"),
            await api.status(new_id()),
        ):
            documented.problem_of(503, dict(response.headers), response.content)
            assert "Secret7f3a" not in response.text
        assert (await api.status(queued["job_id"])).status_code == 200
        ready = await api.client.get("/readyz")
        assert ready.json()["dependencies"] == {"queue": "ok", "log": "ok", "turns": "down"}
    await world.close()


async def test_turns_that_take_no_writes_are_unavailable_and_lose_nothing(
    rabbit: RabbitServer, redis_server: RedisServer, postgres: PostgresServer
) -> None:
    world, session_id = RealWorld(rabbit, redis_server, database_url=postgres.url), new_id()
    async with (
        api_over(world) as api,
        await psycopg.AsyncConnection.connect(postgres.url, autocommit=True) as admin,
    ):

        async def until_turns_are(state: str) -> None:
            await admin.execute("SELECT pg_reload_conf()")
            async with asyncio.timeout(30):
                while (await api.client.get("/readyz")).json()["dependencies"]["turns"] != state:
                    pass

        await world.made.turns.save(turn(session_id=session_id, owner=ANONYMOUS))
        # As a failover does, which leaves a replica behind.
        await admin.execute("ALTER SYSTEM SET default_transaction_read_only = on")
        try:
            await until_turns_are("down")
            response = await api.client.delete(f"/api/v1/sessions/{session_id}")
            documented.problem_of(503, dict(response.headers), response.content)
        finally:
            await admin.execute("ALTER SYSTEM RESET default_transaction_read_only")
            await until_turns_are("ok")
        assert await erase(api, session_id) == 204
    await world.close()


async def test_turns_of_somebody_else_stay_when_the_claims_no_longer_tell(world: World, api: Api) -> None:
    session_id = new_id()
    await converse(world, api, session_id)
    theirs = turn(session_id=session_id, owner="user-2")
    await world.made.turns.save(theirs)

    response = await api.client.delete(f"/api/v1/sessions/{session_id}")
    assert documented.problem_of(404, dict(response.headers), response.content)["code"] == "session_not_found"
    assert await world.made.turns.answer_of(theirs.job_id) == theirs
