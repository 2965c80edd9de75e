"""How many questions wait before one, as `queued` tells it."""

import asyncio
from collections.abc import Sequence
from typing import cast

import pytest
from chat_api import queue_depth
from chat_api.queue_depth import QueueDepth, QueuePlace
from eco2_bus import topology
from eco2_bus.queue import JobQueue, QueueUnavailable

from tests.api.services import World
from tests.api.serving import Api, api_over


class Counted:
    """A queue that counts how often it is asked for its depth."""

    def __init__(self) -> None:
        self.depths = {topology.JOBS: 7, topology.BURST: 100}
        self.taken = {topology.JOBS: 1, topology.BURST: 1}
        self.asked = 0
        self.is_away = False

    async def depth(self, queues: Sequence[str] = topology.LANES) -> int:
        self.asked += 1
        if self.is_away:
            raise QueueUnavailable("away")
        return sum(self.depths[queue] for queue in queues)

    async def consumers(self, queue: str) -> int:
        return self.taken[queue]


async def known(depth: QueueDepth, lane: str = topology.JOBS) -> QueuePlace:
    """The first answer that is one."""
    async with asyncio.timeout(20):
        while (place := depth.place(lane)).ahead is None:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
    return place


async def test_a_question_is_told_about_how_many_wait_before_it(world: World) -> None:
    async with api_over(world) as api:
        first = await api.submit()
        assert (first["position"], first["schema_version"]) == (None, 1)
        last = await _until_told(api)
        assert last["position"] <= await world.made.queue.depth()
        async with await api.events(last["job_id"]) as viewer:
            queued = await viewer.event()
        assert queued is not None
        assert queued.json() == last


async def _until_told(api: Api) -> dict[str, object]:
    async with asyncio.timeout(20):
        while not (told := await api.submit())["position"]:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    return told


async def test_where_nobody_waits_the_position_is_0(memory_world: World) -> None:
    async with api_over(memory_world) as api:
        await api.submit()
        await memory_world.waiting_jobs()
        async with asyncio.timeout(20):
            while (told := await api.submit())["position"] is None:
                await memory_world.waiting_jobs()
                await asyncio.sleep(0.01)
        assert told["position"] <= 1


async def test_who_is_in_a_burst_waits_behind_everybody() -> None:
    depth = QueueDepth(cast(JobQueue, queue := Counted()))
    assert await known(depth) == (topology.JOBS, 7)
    assert depth.place(topology.BURST) == (topology.BURST, 107)
    assert queue.asked == 2
    await depth.close()


@pytest.mark.parametrize(
    ("main", "burst", "lane"),
    [(1, 1, topology.BURST), (1, 0, topology.JOBS), (0, 0, topology.BURST), (0, 1, topology.BURST)],
)
async def test_a_burst_takes_the_main_lane_while_all_workers_know_only_that(
    main: int, burst: int, lane: str
) -> None:
    depth = QueueDepth(cast(JobQueue, queue := Counted()))
    queue.taken = {topology.JOBS: main, topology.BURST: burst}
    assert depth.place(topology.BURST) == (topology.BURST, None)
    assert await known(depth, topology.BURST) == (lane, 7 if lane == topology.JOBS else 107)
    await depth.close()


async def test_any_number_of_submits_cost_one_look_a_second() -> None:
    depth = QueueDepth(cast(JobQueue, queue := Counted()))
    await known(depth)
    for _ in range(500):
        assert depth.place(topology.JOBS).ahead == 7
        await asyncio.sleep(0)
    assert queue.asked <= 2 * len(topology.LANES)
    await depth.close()


async def test_without_submits_nobody_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue_depth, "LOOK_EVERY_S", 0.005)
    monkeypatch.setattr(queue_depth, "LOOKS_ON_FOR_S", 0.02)
    depth = QueueDepth(cast(JobQueue, queue := Counted()))
    await known(depth)
    looking = depth._looking
    assert looking is not None
    await asyncio.wait_for(looking, 20)
    asked = queue.asked
    assert depth.place(topology.JOBS) == (topology.JOBS, None)
    await known(depth)
    assert queue.asked > asked
    await depth.close()


async def test_while_the_broker_is_away_the_position_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue_depth, "LOOK_EVERY_S", 0.005)
    depth = QueueDepth(cast(JobQueue, queue := Counted()))
    await known(depth)
    queue.is_away = True
    async with asyncio.timeout(20):
        while depth.place(topology.JOBS).ahead is not None:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
    queue.is_away = False
    assert (await known(depth)).ahead == 7
    await depth.close()
