"""Whatever workers and viewers do, in whatever order: every viewer sees every entry once."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from eco2_bus.events import EntryId, LogEntry
from eco2_bus.redis_streams import RedisEventLog
from eco2_devservers import RedisServer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.bus.schedules import SCHEDULES, play
from tests.bus.worlds import RedisWorld, World

Schedule = list[tuple[str, Any]]


def bounded(examples: int) -> Callable[[Any], Any]:
    """The logs may be shared by all examples: each plays a job of its own."""
    checks = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
    return settings(max_examples=examples, deadline=None, suppress_health_check=checks, database=None)


class TroubledLog(RedisEventLog):
    """Announcements are dropped, doubled, swapped and late, and the reader pauses at each join point."""

    chance: random.Random
    trouble = False

    def _announced(self, channel: bytes, message: bytes) -> None:
        what = self.chance.choice(["pass", "drop", "double", "late"]) if self.trouble else "pass"
        loop = asyncio.get_running_loop()
        if what in ("pass", "double"):
            super()._announced(channel, message)
        if what == "double":
            loop.call_soon(super()._announced, channel, message)
        if what == "late":
            loop.call_later(self.chance.uniform(0, 0.02), super()._announced, channel, message)

    async def _read(self, job_id: str, after: EntryId) -> list[LogEntry]:
        await self._pause()
        entries = await super()._read(job_id, after)
        await self._pause()
        return entries

    async def _pause(self) -> None:
        if self.trouble:
            await asyncio.sleep(self.chance.choice([0, 0, 0.001, 0.01]))


@pytest.fixture
async def troubled(redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[TroubledLog]:
    monkeypatch.setattr("eco2_bus.redis_streams.QUIET_CHECK_S", 0.02)
    # Small, so that long logs are read in several pages and fall out of the tail.
    monkeypatch.setattr("eco2_bus.redis_streams.PAGE_ENTRIES", 3)
    monkeypatch.setattr("eco2_bus.feed.TAIL_MAX_BYTES", 200)
    log = TroubledLog(redis_server.url)
    log.trouble = True
    yield log
    await log.close()


@bounded(80)
@given(schedule=SCHEDULES)
async def test_every_viewer_sees_every_entry_once(world: World, schedule: Schedule) -> None:
    await play(world.log, world.another_process(), schedule)


@bounded(80)
@given(schedule=SCHEDULES, chance=st.randoms(use_true_random=False))
async def test_lost_doubled_and_late_announcements_and_slow_reads_change_nothing(
    redis_world: RedisWorld, troubled: TroubledLog, schedule: Schedule, chance: random.Random
) -> None:
    troubled.chance = random.Random(chance.randint(0, 2**32))
    await play(redis_world.log, troubled, schedule)


@bounded(40)
@given(schedule=SCHEDULES, kills=st.lists(st.integers(0, 8), min_size=1, max_size=4))
async def test_feed_connections_that_are_killed_at_any_time_change_nothing(
    redis_world: RedisWorld, schedule: Schedule, kills: list[int]
) -> None:
    async def kill() -> None:
        for delay_ms in kills:
            await asyncio.sleep(delay_ms / 1_000)
            for client in redis_world.admin.client_list():
                if client["name"] == "eco2:feed":
                    redis_world.admin.client_kill_filter(_id=client["id"])

    killing = asyncio.create_task(kill())
    await play(redis_world.log, redis_world.log, schedule)
    await killing
