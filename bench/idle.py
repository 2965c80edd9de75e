"""What stays open: connections to the servers, and memory per stream on which nothing is said."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import uvloop

from bench import load_client, system
from bench.chain import Chain
from bench.http_stream import HttpConnection, Reply
from bench.pace import Pace
from bench.scenarios import COUNTING

OPEN_AT_ONCE = 50
OPEN_TIMEOUT_S = 30.0
# Half of the counting load's two seconds and a little: all its streams are open by then.
COUNT_AFTER_S = 1.5
SETTLE_S = 2.0

Open = tuple[HttpConnection, "asyncio.Future[Reply]"]


@dataclass(frozen=True)
class Connections:
    """Connections of a chain's processes, by server."""

    at_rest: dict[str, int]
    at_full_load: dict[str, int]


@dataclass(frozen=True)
class IdleStreams:
    """What that many open streams cost the API process."""

    streams: int
    bytes_per_stream: float
    connections: dict[str, int]


def count_connections(chain: Chain) -> Connections:
    """Count at rest, then in the middle of a load of its own: counting takes time from the client."""
    return Connections(chain.connections(), uvloop.run(_connections_under_load(chain)))


async def _connections_under_load(chain: Chain) -> dict[str, int]:
    load = asyncio.create_task(load_client.run_load(chain.target, COUNTING.pace, COUNTING.streams))
    await asyncio.sleep(COUNT_AFTER_S)
    counted = chain.connections()
    await load
    return counted


def measure_idle(chain: Chain, sizes: Sequence[int]) -> list[IdleStreams]:
    """Open streams that stay silent: the worker is stopped for good, so every job waits in the queue."""
    system.stop(chain.processes["worker"])
    return uvloop.run(_measure_idle(chain, sizes))


async def _measure_idle(chain: Chain, sizes: Sequence[int]) -> list[IdleStreams]:
    api = chain.processes["api"].pid
    at_first, measured = system.rss_bytes(api), list[IdleStreams]()
    opened: list[Open] = []
    for size in sizes:
        while len(opened) < size:
            batch = min(OPEN_AT_ONCE, size - len(opened))
            opened += await asyncio.gather(*(_open_stream(chain) for _ in range(batch)))
        await asyncio.sleep(SETTLE_S)
        held = system.rss_bytes(api) - at_first
        measured.append(IdleStreams(size, held / size, chain.connections()))
    await _close(opened)
    return measured


async def _open_stream(chain: Chain) -> Open:
    connection = await HttpConnection.open(*chain.address)
    events_url = await load_client.submit(connection, Pace(1))
    connection.first_byte.clear()
    reading = asyncio.ensure_future(load_client.follow(connection, events_url))
    async with asyncio.timeout(OPEN_TIMEOUT_S):
        await connection.first_byte.wait()
    return connection, reading


async def _close(opened: list[Open]) -> None:
    await asyncio.gather(*(connection.close() for connection, _ in opened))
    # Each ends with "connection closed", as it should.
    await asyncio.gather(*(reading for _, reading in opened), return_exceptions=True)
