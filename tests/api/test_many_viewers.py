"""Many viewers of one job: each has the exact text, and Redis does not notice how many they are."""

import asyncio

import pytest
from eco2_devservers import RabbitServer, RedisServer

from tests.api.process import ApiProcess, api_process
from tests.api.services import RealWorld
from tests.api.serving import Api
from tests.api.viewer import Viewer, text_of
from tests.api.worker import Worker

PIECES = [f"{number}번 조각, " for number in range(60)]


async def watch(api: Api, job_id: str) -> str:
    async with await api.events(job_id) as viewer:
        return text_of(await viewer.rest())


@pytest.mark.parametrize("viewers", [200])
async def test_every_one_of_many_viewers_gets_the_exact_text(api: Api, viewers: int) -> None:
    job_id = await api.new_job()
    early = [asyncio.create_task(watch(api, job_id)) for _ in range(viewers // 2)]
    worker = await Worker.begin(api.log, job_id)
    await worker.say(*PIECES[:30])
    late = [asyncio.create_task(watch(api, job_id)) for _ in range(viewers // 2)]
    await worker.say(*PIECES[30:])
    await worker.end()

    assert set(await asyncio.gather(*early, *late)) == {"".join(PIECES)}


def redis_connections(world: RealWorld, process: ApiProcess, redis_server: RedisServer) -> int:
    """How many of Redis's clients are this process."""
    mine = process.connections_to(redis_server.port)
    return len(mine & {client["addr"] for client in world.admin.client_list()})


async def test_a_process_keeps_its_redis_connections_however_many_watch(
    rabbit: RabbitServer, redis_server: RedisServer
) -> None:
    world = RealWorld(rabbit, redis_server)
    counts: dict[int, int] = {}
    async with api_process(world) as (api, process):
        # Brings up what is brought up on demand.
        await asyncio.gather(*(api.post() for _ in range(20)))
        watched = [await api.new_job() for _ in range(5)]
        workers = [await Worker.begin(world.log, job_id) for job_id in watched]
        watching: list[Viewer] = []
        for wanted in (1, 50, 500):
            missing = range(len(watching), wanted)
            watching += await asyncio.gather(*(api.events(watched[number % 5]) for number in missing))
            for worker in workers:
                await worker.say("조각")
            await asyncio.gather(*(viewer.until("token") for viewer in watching))
            counts[wanted] = redis_connections(world, process, redis_server)
        for worker in workers:
            await worker.end()
        texts = await asyncio.gather(*(viewer.rest() for viewer in watching))
        assert all(events[-1].event == "done" for events in texts)
        assert len(set(counts.values())) == 1, counts
        assert 0 < counts[500] <= 10
        for viewer in watching:
            await viewer.close()
    await world.close()
