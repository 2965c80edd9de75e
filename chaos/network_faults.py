"""Edges that let nothing pass, late, or only for a moment."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from chaos.scene import Begin, Scene


def partition(edge: str) -> Begin:
    """Nothing passes on an edge, and nothing is told; of several ways to one kind, on one of them."""

    @asynccontextmanager
    async def begin(scene: Scene) -> AsyncGenerator[None]:
        proxies = scene.stage.edges[edge]
        proxy = scene.chance.choice(proxies)
        proxy.block()
        try:
            yield
        finally:
            proxy.unblock()

    return begin


@asynccontextmanager
async def slow_network(scene: Scene) -> AsyncGenerator[None]:
    """Every edge has a delay of its own."""
    proxies = [proxy for proxies in scene.stage.edges.values() for proxy in proxies]
    for proxy in proxies:
        proxy.delay_s = scene.chance.uniform(0.01, 0.15)
    try:
        yield
    finally:
        for proxy in proxies:
            proxy.delay_s = 0


@asynccontextmanager
async def resets(scene: Scene) -> AsyncGenerator[None]:
    """Connections are reset, edge after edge."""

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
