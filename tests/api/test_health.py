"""Whether the process lives, what it lacks, and what it counts."""

import asyncio
import statistics
import time

import pytest
from eco2_devservers import RabbitServer, RedisServer, TcpProxy

from tests.api.services import RealWorld, World
from tests.api.serving import Api, api_over
from tests.api.worker import answer


async def test_with_everything_there_it_is_live_and_ready(world: World) -> None:
    async with api_over(world) as api:
        live, ready = await api.client.get("/livez"), await api.client.get("/readyz")

    assert (live.status_code, live.json()) == (200, {"status": "ok"})
    assert (ready.status_code, ready.json()["status"]) == (200, "ok")
    assert ready.json()["dependencies"] == {"queue": "ok", "log": "ok", "turns": "ok"}


@pytest.mark.parametrize("how", ["down", "silent"])
@pytest.mark.parametrize("broken", ["queue", "log"])
async def test_readiness_names_what_is_missing_and_liveness_does_not_care(
    rabbit: RabbitServer, redis_server: RedisServer, broken: str, how: str
) -> None:
    with TcpProxy(rabbit.port) as to_rabbit, TcpProxy(redis_server.port) as to_redis:
        world = RealWorld(
            rabbit,
            redis_server,
            amqp_url=rabbit.url.replace(str(rabbit.port), str(to_rabbit.port)),
            redis_url=f"redis://127.0.0.1:{to_redis.port}/0",
        )
        proxy = to_rabbit if broken == "queue" else to_redis
        async with api_over(world) as api:
            if how == "down":
                assert (await api.client.get("/readyz")).status_code == 200
                proxy.close()
            else:
                proxy.block()
            async with asyncio.timeout(15):
                while (ready := await api.client.get("/readyz")).status_code == 200:
                    pass
            assert (ready.status_code, ready.json()["status"]) == (503, "unavailable")
            assert ready.json()["dependencies"] == {"queue": "ok", "log": "ok", "turns": "ok"} | {
                broken: "down"
            }
            assert (await api.client.get("/livez")).status_code == 200

            proxy.start() if how == "down" else proxy.unblock()
            async with asyncio.timeout(15):
                while (await api.client.get("/readyz")).status_code != 200:
                    pass
        await world.close()


async def test_the_metrics_come_as_text_and_as_openmetrics(memory_api: Api) -> None:
    await answer(memory_api.log, await memory_api.new_job(), "네.")

    text = await memory_api.client.get("/metrics")
    assert text.status_code == 200
    assert text.headers["content-type"].startswith("text/plain; version=")
    assert 'handler="/api/v1/chat"' in text.text
    accept = {"Accept": "application/openmetrics-text; version=1.0.0"}
    modern = await memory_api.client.get("/metrics", headers=accept)
    assert modern.headers["content-type"].startswith("application/openmetrics-text")
    assert modern.text.endswith("# EOF\n")


async def test_job_ids_and_unknown_paths_do_not_multiply_the_metrics(memory_api: Api) -> None:
    first = await memory_api.client.get("/metrics")
    for _ in range(5):
        await memory_api.status(await memory_api.new_job())
        await memory_api.client.get(f"/nothing/{await memory_api.new_job()}")
    once = (await memory_api.client.get("/metrics")).text.count("\n")
    for _ in range(20):
        await memory_api.status(await memory_api.new_job())
        await memory_api.client.get(f"/nothing/{await memory_api.new_job()}")

    assert (await memory_api.client.get("/metrics")).text.count("\n") == once
    assert first.status_code == 200


async def test_an_answer_does_not_wait_for_the_last_one_to_be_acknowledged(memory_api: Api) -> None:
    waits: list[float] = []
    for _ in range(40):
        began = time.perf_counter()
        await memory_api.client.get("/livez")
        waits.append(time.perf_counter() - began)

    # Nagle's algorithm holds the second part of each answer back for 40 ms.
    assert statistics.median(waits) < 0.03
