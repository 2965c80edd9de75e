"""Processes of ours that are killed, frozen, replaced."""

import asyncio
import signal
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from chaos.scene import Scene
from chaos.stage import APIS, WORKERS, Stage


@asynccontextmanager
async def worker_killed(scene: Scene) -> AsyncGenerator[None]:
    """One worker dies; the others get its jobs, and it is started again."""
    name = scene.chance.choice(WORKERS)
    await asyncio.to_thread(scene.stage.programs[name].kill)
    yield
    await scene.stage.start(name)


@asynccontextmanager
async def api_killed(scene: Scene) -> AsyncGenerator[None]:
    """One API dies with all its streams, and is started again."""
    name = scene.chance.choice(APIS)
    await asyncio.to_thread(scene.stage.programs[name].kill)
    yield
    await scene.stage.start(name)


@asynccontextmanager
async def worker_is_a_zombie(scene: Scene) -> AsyncGenerator[None]:
    """Frozen, and its lease ends at once: the broker sees the connection go."""
    name = scene.chance.choice(WORKERS)
    scene.stage.programs[name].signal(signal.SIGSTOP)
    try:
        scene.stage.to_rabbit(name).cut()
        yield
    finally:
        scene.stage.programs[name].signal(signal.SIGCONT)


@asynccontextmanager
async def worker_frozen(scene: Scene) -> AsyncGenerator[None]:
    """Frozen for longer than the broker waits for its heartbeats."""
    program = scene.stage.programs[scene.chance.choice(WORKERS)]
    program.signal(signal.SIGSTOP)
    try:
        yield
    finally:
        program.signal(signal.SIGCONT)


# What is restarted together; the second API stays, so that versions meet in every combination.
_WAVES = (("worker-1", "api-1"), ("worker-2", "worker-3"))


@asynccontextmanager
async def rolling_restart(scene: Scene) -> AsyncGenerator[None]:
    """Wave after wave becomes the commit before this one, and then this one again."""
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
