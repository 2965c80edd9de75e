"""Any pattern of late, early, many and interrupted viewers: each has the exact text, once."""

import asyncio
from dataclasses import dataclass

from eco2_bus.log import Claim
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.api.services import settle
from tests.api.serving import Api
from tests.api.viewer import Block, ids, text_of
from tests.api.worker import Worker

PIECE = st.text(min_size=1, max_size=6).filter(lambda text: text.isprintable() or "\n" in text)
STEPS = st.lists(st.one_of(PIECE, st.just(Claim.REDELIVERED), st.just(Claim.HANDED_BACK)), max_size=12)


@dataclass(frozen=True)
class Schedule:
    """When a viewer comes, in steps of the worker, and after how many events it leaves each time."""

    joins_at: int
    stays: list[int]
    by_query: bool


SCHEDULES = st.lists(
    st.builds(Schedule, st.integers(0, 14), st.lists(st.integers(0, 5), max_size=6), st.booleans()),
    min_size=1,
    max_size=6,
)


class Progress:
    """How far the worker is, for viewers that come late."""

    def __init__(self) -> None:
        self._steps = 0
        self._changed = asyncio.Condition()

    async def step(self) -> None:
        async with self._changed:
            self._steps += 1
            self._changed.notify_all()

    async def reaches(self, steps: int) -> None:
        async with self._changed:
            await self._changed.wait_for(lambda: self._steps >= steps)


async def watch(api: Api, job_id: str, progress: Progress, schedule: Schedule, steps: int) -> list[Block]:
    """All that one viewer gets over all its visits."""
    await progress.reaches(min(schedule.joins_at, steps))
    seen: list[Block] = []
    for stay in [*schedule.stays, 10_000]:
        last = seen[-1].id if seen else None
        in_query = schedule.by_query and last is not None
        async with await api.events(
            job_id, None if in_query else last, query=last if in_query else None
        ) as viewer:
            if viewer.status == 204:
                return seen
            for _ in range(stay):
                event = await viewer.event()
                if event is None:
                    return seen
                seen.append(event)
    return seen


async def play(api: Api, job_id: str, progress: Progress, steps: list[str | Claim]) -> str:
    worker = await Worker.begin(api.log, job_id)
    for step in steps:
        if isinstance(step, Claim):
            worker = await Worker.begin(api.log, job_id, step)
        else:
            await worker.say(step)
        await progress.step()
        await settle()
    await worker.end()
    await progress.step()
    return worker.text


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=STEPS, schedules=SCHEDULES)
async def test_any_schedule_of_visits_gives_the_exact_text_once(
    memory_api: Api, steps: list[str | Claim], schedules: list[Schedule]
) -> None:
    # Three failed attempts would end the job as poisoned.
    while steps.count(Claim.REDELIVERED) > 2:
        steps.remove(Claim.REDELIVERED)
    job_id = await memory_api.new_job()
    progress = Progress()

    async with asyncio.timeout(30):
        text, *visits = await asyncio.gather(
            play(memory_api, job_id, progress, steps),
            *(watch(memory_api, job_id, progress, schedule, len(steps) + 1) for schedule in schedules),
        )
    async with await memory_api.events(job_id) as viewer:
        log = await viewer.rest()

    for seen in visits:
        assert ids(seen) == ids(log)
        assert text_of(seen) == text == log[-1].json()["answer"]
