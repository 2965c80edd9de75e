"""What can go wrong, each as a context: it begins, lasts as long as the block, and ends."""

import asyncio
import contextlib
import random
import signal
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from chaos.crowd import Crowd, new_tag
from chaos.question import Question
from chaos.stage import APIS, WORKERS, Stage


@dataclass(frozen=True)
class Scene:
    """What a fault may reach for."""

    stage: Stage
    crowd: Crowd
    chance: random.Random


Begin = Callable[[Scene], AbstractAsyncContextManager[None]]


@dataclass(frozen=True)
class Fault:
    """One kind of fault. Recovery counts from its end, or from its begin where that is a kill."""

    name: str
    begin: Begin
    lasts_s: tuple[float, float]
    takes_s: float
    """How long it is expected to take with its begin, its end, and the pause behind it."""
    is_brief: bool = False
    """True for those that also a run of one minute has."""
    counts_from_begin: bool = False


@asynccontextmanager
async def _worker_killed(scene: Scene) -> AsyncGenerator[None]:
    name = scene.chance.choice(WORKERS)
    await asyncio.to_thread(scene.stage.programs[name].kill)
    yield
    await scene.stage.start(name)


@asynccontextmanager
async def _api_killed(scene: Scene) -> AsyncGenerator[None]:
    name = scene.chance.choice(APIS)
    await asyncio.to_thread(scene.stage.programs[name].kill)
    yield
    await scene.stage.start(name)


@asynccontextmanager
async def _worker_is_a_zombie(scene: Scene) -> AsyncGenerator[None]:
    """Frozen, and its lease ends at once: the broker sees the connection go."""
    name = scene.chance.choice(WORKERS)
    scene.stage.programs[name].signal(signal.SIGSTOP)
    try:
        scene.stage.to_rabbit(name).cut()
        yield
    finally:
        scene.stage.programs[name].signal(signal.SIGCONT)


@asynccontextmanager
async def _worker_frozen(scene: Scene) -> AsyncGenerator[None]:
    """Frozen for longer than the broker waits for its heartbeats."""
    program = scene.stage.programs[scene.chance.choice(WORKERS)]
    program.signal(signal.SIGSTOP)
    try:
        yield
    finally:
        program.signal(signal.SIGCONT)


@asynccontextmanager
async def _broker_stopped(scene: Scene) -> AsyncGenerator[None]:
    await asyncio.to_thread(scene.stage.rabbit.stop)
    yield
    await scene.stage.restarted(scene.stage.rabbit)


@asynccontextmanager
async def _broker_killed(scene: Scene) -> AsyncGenerator[None]:
    await asyncio.to_thread(scene.stage.rabbit.settle)
    await asyncio.to_thread(scene.stage.rabbit.kill)
    yield
    await scene.stage.restarted(scene.stage.rabbit)


@asynccontextmanager
async def _redis_killed(scene: Scene) -> AsyncGenerator[None]:
    await asyncio.to_thread(scene.stage.pair.primary.kill)
    yield
    await scene.stage.restarted(scene.stage.pair.primary)


@asynccontextmanager
async def _redis_failed_over(scene: Scene) -> AsyncGenerator[None]:
    killed_at = await scene.stage.pair.fail_over()
    scene.crowd.ledger.failovers.append(killed_at)
    yield
    await scene.stage.pair.rejoin()


@asynccontextmanager
async def _postgres_restarted(scene: Scene) -> AsyncGenerator[None]:
    server = scene.stage.postgres
    await asyncio.to_thread(scene.chance.choice((server.stop, server.kill)))
    yield
    await scene.stage.restarted(server)


def _partition(edge: str) -> Begin:
    @asynccontextmanager
    async def begin(scene: Scene) -> AsyncGenerator[None]:
        proxies = scene.stage.edges[edge]
        # One of several: the others are what clients and jobs turn to.
        proxy = scene.chance.choice(proxies)
        proxy.block()
        try:
            yield
        finally:
            proxy.unblock()

    return begin


@asynccontextmanager
async def _slow_network(scene: Scene) -> AsyncGenerator[None]:
    proxies = [proxy for proxies in scene.stage.edges.values() for proxy in proxies]
    for proxy in proxies:
        proxy.delay_s = scene.chance.uniform(0.01, 0.15)
    try:
        yield
    finally:
        for proxy in proxies:
            proxy.delay_s = 0


@asynccontextmanager
async def _resets(scene: Scene) -> AsyncGenerator[None]:
    async def keep_cutting() -> None:
        # The model's edge is left alone: three broken streams are three failed attempts, which end a job.
        edges = [proxies for name, proxies in scene.stage.edges.items() if name != "worker - model"]
        while True:
            for proxy in scene.chance.choice(edges):
                proxy.cut()
            await asyncio.sleep(scene.chance.uniform(0.2, 0.6))

    cutting = asyncio.create_task(keep_cutting())
    try:
        yield
    finally:
        cutting.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await cutting


@asynccontextmanager
async def _slow_readers(scene: Scene) -> AsyncGenerator[None]:
    for _ in range(2):
        question = Question(new_tag(scene.chance), words=400, word_ms=3, padding=600)
        scene.crowd.ask_aside(question, slow_for_s=8)
    yield


@asynccontextmanager
async def _cancel_storm(scene: Scene) -> AsyncGenerator[None]:
    await scene.crowd.cancel_storm(0.7)
    yield
    await scene.crowd.cancel_storm(0.3)


@asynccontextmanager
async def _poison(scene: Scene) -> AsyncGenerator[None]:
    for _ in range(2):
        scene.crowd.ask_aside(Question(new_tag(scene.chance), words=50, kind="poison"))
    yield


@asynccontextmanager
async def _duplicates(scene: Scene) -> AsyncGenerator[None]:
    for _ in range(3):
        scene.crowd.ask_aside(Question(new_tag(scene.chance), words=120), copies=4)
    yield


# What is restarted together; the second API stays, so that versions meet in every combination.
_WAVES = (("worker-1", "api-1"), ("worker-2", "worker-3"))


@asynccontextmanager
async def _rolling_restart(scene: Scene) -> AsyncGenerator[None]:
    """Wave after wave becomes the version before this one, and then this one again."""
    await _roll(scene.stage, scene.stage.previous)
    yield
    await _roll(scene.stage, None)


async def _roll(stage: Stage, tree: Path | None) -> None:
    async def replace(name: str) -> None:
        await stage.leave(name)
        stage.use(name, tree)
        await stage.start(name)

    for wave in _WAVES:
        await asyncio.gather(*(replace(name) for name in wave))


_EDGES = (
    *("client - API", "API - Redis", "API - RabbitMQ", "API - PostgreSQL"),
    *("worker - Redis", "worker - RabbitMQ", "worker - PostgreSQL", "worker - model"),
)

FAULTS: tuple[Fault, ...] = (
    Fault("worker kill -9", _worker_killed, (0.5, 2), 5, is_brief=True, counts_from_begin=True),
    Fault("API kill -9", _api_killed, (0.5, 2), 5, is_brief=True, counts_from_begin=True),
    Fault("worker SIGSTOP, lease cut", _worker_is_a_zombie, (3, 6), 6, is_brief=True),
    Fault("worker SIGSTOP past its lease", _worker_frozen, (31, 34), 34),
    Fault("RabbitMQ stop, start", _broker_stopped, (0, 1), 14, is_brief=True),
    Fault("RabbitMQ kill -9, start", _broker_killed, (0, 1), 12),
    Fault("Redis kill -9, start (AOF)", _redis_killed, (0.5, 2), 3, is_brief=True),
    Fault("Redis failover, replica lags", _redis_failed_over, (0.5, 2), 5, True, counts_from_begin=True),
    Fault("PostgreSQL restart", _postgres_restarted, (0.5, 2), 4),
    *(Fault(f"partition {edge}", _partition(edge), (2, 5), 5, edge == "worker - Redis") for edge in _EDGES),
    Fault("latency on every edge", _slow_network, (4, 6), 6),
    Fault("resets on every edge", _resets, (3, 5), 6),
    Fault("slow readers", _slow_readers, (3, 5), 5),
    Fault("cancel storm", _cancel_storm, (0.3, 1), 2, is_brief=True),
    Fault("poison jobs", _poison, (0.2, 0.5), 1, is_brief=True),
    Fault("duplicate submits", _duplicates, (0.2, 1), 2, is_brief=True),
    Fault("rolling restart, previous version", _rolling_restart, (1, 3), 45),
)


@dataclass(frozen=True)
class Happened:
    """One fault that has been: its kind, and when what it broke could begin to recover."""

    fault: Fault
    since: float


async def let_happen(fault: Fault, scene: Scene) -> Happened:
    """Have a fault begin, last and end."""
    async with fault.begin(scene):
        began = time.monotonic()
        await asyncio.sleep(scene.chance.uniform(*fault.lasts_s))
    return Happened(fault, began if fault.counts_from_begin else time.monotonic())
