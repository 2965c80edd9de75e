"""One run from its first process to its verdicts."""

import asyncio
import contextlib
import os
import random
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aio_pika
from eco2_bus import topology

from chaos.crowd import Crowd
from chaos.faults import Happened, let_happen
from chaos.ledger import Asked, Ledger
from chaos.scene import Scene
from chaos.schedule import faults_in_order
from chaos.stage import Stage
from chaos.verdict import Verdict, judge
from chaos.waiting import came_true

USERS = 24
WARM_UP_JOBS = 3
SETTLES_WITHIN_S = 90.0
"""After the last fault: an AMQP lease of up to 30 s, three attempts, and the longest answer."""
_RECOVERS_WITHIN_S = 45.0
_AT_ONCE = 16


@dataclass
class Drill:
    """What a run is, and what came of it."""

    seed: int
    minutes: float
    folder: Path
    previous: Path | None
    ledger: Ledger = field(default_factory=Ledger)
    happened: list[Happened] = field(default_factory=list[Happened])
    verdicts: list[tuple[Asked, Verdict]] = field(default_factory=list[tuple[Asked, Verdict]])

    async def run(self) -> None:
        """Raise the stage, break it for the time that is asked for, heal it, and judge every job."""
        async with _raised(Stage(self.folder, self.previous)) as stage:
            chance = random.Random(self.seed)
            async with contextlib.AsyncExitStack() as stack:
                crowd = Crowd(stage.doors, stage.back_doors, self.ledger, random.Random(chance.random()))
                stack.push_async_callback(crowd.close)
                crowd.come(USERS)
                await self._break(Scene(stage, crowd, chance))
                _say("healing, and waiting for all that is under way")
                stage.heal()
                crowd.stop_asking()
                await crowd.settle(SETTLES_WITHIN_S)
                await self._look_back(stage, crowd)
        self.verdicts = [(job, judge(job, self.ledger.failovers)) for job in self.ledger.accepted]

    async def _break(self, scene: Scene) -> None:
        await came_true(lambda: self._have_ended(WARM_UP_JOBS), _RECOVERS_WITHIN_S)
        ends_at = time.monotonic() + self.minutes * 60
        faults = faults_in_order(
            self.minutes,
            scene.chance,
            lambda: ends_at - time.monotonic(),
            has_previous=self.previous is not None,
        )
        for fault in faults:
            _say(f"{ends_at - time.monotonic():5.0f} s left, load {os.getloadavg()[0]:4.1f}: {fault.name}")
            one = await let_happen(fault, scene)
            self.happened.append(one)
            # What does not recover is found when all are judged.
            await came_true(lambda since=one.since: self._have_ended(1, since), _RECOVERS_WITHIN_S)
            await asyncio.sleep(scene.chance.uniform(0.2, 1.0))
        await asyncio.sleep(max(0.0, ends_at - time.monotonic()))

    def _have_ended(self, jobs: int, since: float = 0.0) -> bool:
        return sum(job.ended_at > since for job in self.ledger.asked) >= jobs

    async def _look_back(self, stage: Stage, crowd: Crowd) -> None:
        turn = asyncio.Semaphore(_AT_ONCE)

        async def look(job: Asked) -> None:
            async with turn:
                await crowd.look_back(job)

        await asyncio.gather(*(look(job) for job in self.ledger.accepted))
        dead = await _dead_letters(stage.rabbit.url)
        for job in self.ledger.accepted:
            job.is_dead_letter = job.job_id in dead


@asynccontextmanager
async def _raised(stage: Stage) -> AsyncGenerator[Stage]:
    try:
        _say("starting RabbitMQ, Redis, PostgreSQL, 2 APIs and 3 workers")
        await stage.open()
        yield stage
    finally:
        stage.close()


async def _dead_letters(amqp_url: str) -> set[str]:
    """The job ids of all dead letters."""
    found: set[str] = set()
    async with await aio_pika.connect(amqp_url) as connection:
        queue = await (await connection.channel()).get_queue(topology.DEAD)
        while (message := await queue.get(fail=False)) is not None:
            found.add(message.message_id or "")
    return found


def _say(progress: str) -> None:
    print(progress, flush=True)
