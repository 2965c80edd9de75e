"""Every kind of fault, how long it lasts, and how it is let happen."""

import asyncio
import time
from dataclasses import dataclass

from chaos import network_faults as network
from chaos import process_faults as process
from chaos import server_faults as server
from chaos import user_faults as user
from chaos.scene import Begin, Scene


@dataclass(frozen=True)
class Fault:
    """One kind of fault. Recovery counts from its end, or from its begin where others take over at once."""

    name: str
    begin: Begin
    lasts_s: tuple[float, float]
    takes_s: float
    """How long it is expected to take with its begin, its end, and the pause behind it."""
    is_brief: bool = False
    """True for those that also a run of one minute has."""
    counts_from_begin: bool = False
    needs_previous: bool = False
    """True for what cannot be done without the sources of an earlier revision."""


_EDGES = (
    *("client - API", "API - Redis", "API - RabbitMQ", "API - PostgreSQL"),
    *("worker - Redis", "worker - RabbitMQ", "worker - PostgreSQL", "worker - model"),
    "Redis - replica",
)

FAULTS: tuple[Fault, ...] = (
    Fault("worker kill -9", process.worker_killed, (0.5, 2), 5, is_brief=True, counts_from_begin=True),
    Fault("API kill -9", process.api_killed, (0.5, 2), 5, is_brief=True, counts_from_begin=True),
    Fault("worker SIGSTOP, lease cut", process.worker_is_a_zombie, (3, 6), 6, True, counts_from_begin=True),
    Fault("worker SIGSTOP past its lease", process.worker_frozen, (31, 34), 34, counts_from_begin=True),
    Fault("RabbitMQ stop, start", server.broker_stopped, (0, 1), 14, is_brief=True),
    Fault("RabbitMQ kill -9, start", server.broker_killed, (0, 1), 12),
    Fault("Redis kill -9, start (AOF)", server.redis_killed, (0.5, 2), 3, is_brief=True),
    Fault(
        "Redis failover, replica lags", server.redis_failed_over, (0.5, 2), 5, True, counts_from_begin=True
    ),
    Fault("PostgreSQL restart", server.postgres_restarted, (0.5, 2), 4),
    *(
        Fault(f"partition {edge}", network.partition(edge), (2, 5), 5, edge == "worker - Redis")
        for edge in _EDGES
    ),
    Fault("latency on every edge", network.slow_network, (4, 6), 6),
    Fault("resets on every edge", network.resets, (3, 5), 6),
    Fault("slow readers", user.slow_readers, (3, 5), 5),
    Fault("cancel storm", user.cancel_storm, (0.3, 1), 2, is_brief=True),
    Fault("poison jobs", user.poison, (0.2, 0.5), 1, is_brief=True),
    Fault("duplicate submits", user.duplicates, (0.2, 1), 2, is_brief=True),
    Fault("rolling restart, previous commit", process.rolling_restart, (1, 3), 45, needs_previous=True),
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
