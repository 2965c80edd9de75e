"""RabbitMQ, Redis and PostgreSQL going away and coming back with what they have kept."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from chaos.scene import Scene


@asynccontextmanager
async def broker_stopped(scene: Scene) -> AsyncGenerator[None]:
    """RabbitMQ leaves in order and comes back on its data."""
    await asyncio.to_thread(scene.stage.rabbit.stop)
    yield
    await scene.stage.restarted(scene.stage.rabbit)


@asynccontextmanager
async def broker_killed(scene: Scene) -> AsyncGenerator[None]:
    """RabbitMQ dies and comes back on its data."""
    await asyncio.to_thread(scene.stage.rabbit.settle)
    await asyncio.to_thread(scene.stage.rabbit.kill)
    yield
    await scene.stage.restarted(scene.stage.rabbit)


@asynccontextmanager
async def redis_killed(scene: Scene) -> AsyncGenerator[None]:
    """The primary dies and comes back on its append-only file."""
    await asyncio.to_thread(scene.stage.pair.primary.kill)
    yield
    await scene.stage.restarted(scene.stage.pair.primary)


@asynccontextmanager
async def redis_failed_over(scene: Scene) -> AsyncGenerator[None]:
    """The primary dies while its replica lags, and that takes its place; later it comes back as replica."""
    killed_at = await scene.stage.pair.fail_over()
    scene.crowd.ledger.failovers.append(killed_at)
    yield
    await scene.stage.pair.rejoin()


@asynccontextmanager
async def postgres_restarted(scene: Scene) -> AsyncGenerator[None]:
    """PostgreSQL is stopped or dies, and comes back on its data."""
    server = scene.stage.postgres
    await asyncio.to_thread(scene.chance.choice((server.stop, server.kill)))
    yield
    await scene.stage.restarted(server)
