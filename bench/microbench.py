"""What one token costs to read from a model, by the client that reads it.

`python -m bench.microbench`: CPU time of this process per token, model simulator on the other core.
"""

import argparse
import asyncio
import os
import statistics
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import astuple, dataclass
from functools import partial
from itertools import chain
from typing import Any

import aiohttp
import httpx2
import openai
import orjson
import uvloop
from chat_worker.adapters.http_link import HttpLink
from langchain_openai import ChatOpenAI

from bench.model_replies import ChunkFrame
from bench.model_stream import ContentReader
from bench.pace import Pace
from bench.system import LOAD_CORE, SYSTEM_CORE, on_core, simulator

Hear = Callable[[list[str]], None]
"""Takes the texts that one read has completed."""
MESSAGES = [{"role": "user", "content": "페트병은 어떻게 버려요?"}]
LOADS = {"50 streams, no delay": Pace(200), "50 x 50 tok/s": Pace(200, 0, 20)}


@dataclass(frozen=True)
class Clients:
    """Every client that is compared, each opened once as in a service."""

    url: str
    openai_httpx: openai.AsyncOpenAI
    openai_aiohttp: openai.AsyncOpenAI
    httpx: httpx2.AsyncClient
    aiohttp: aiohttp.ClientSession
    link: HttpLink

    @classmethod
    async def open(cls, stack: AsyncExitStack, url: str) -> "Clients":
        """Open them until the stack ends."""
        sdk = partial(openai.AsyncOpenAI, base_url=url, api_key="none")
        http = await stack.enter_async_context(httpx2.AsyncClient(limits=httpx2.Limits(max_connections=1000)))
        session = await stack.enter_async_context(
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        )
        over_httpx = await stack.enter_async_context(sdk())
        over_aiohttp = await stack.enter_async_context(sdk(http_client=openai.DefaultAioHttpClient()))
        url += "/chat/completions"
        link = HttpLink(url, {"Content-Type": "application/json"}, connect_timeout_s=5.0, read_timeout_s=30.0)
        stack.push_async_callback(link.close)
        return cls(url, over_httpx, over_aiohttp, http, session, link)


def _call(model: str) -> dict[str, Any]:
    return {"model": model, "messages": MESSAGES, "stream": True, "stream_options": {"include_usage": True}}


async def _sdk_raw(client: openai.AsyncOpenAI, model: str, hear: Hear) -> None:
    reader = ContentReader()
    async with client.chat.completions.with_streaming_response.create(**_call(model)) as response:
        async for data in response.iter_bytes():
            hear(reader.feed(data))


async def _sdk_objects(client: openai.AsyncOpenAI, model: str, hear: Hear) -> None:
    async for chunk in await client.chat.completions.create(**_call(model)):
        hear([c.delta.content for c in chunk.choices if c.delta.content])


async def openai_raw_httpx(clients: Clients, model: str, hear: Hear) -> None:
    """The SDK's raw response over its default client."""
    await _sdk_raw(clients.openai_httpx, model, hear)


async def openai_raw_aiohttp(clients: Clients, model: str, hear: Hear) -> None:
    """The SDK's raw response over the aiohttp transport it carries."""
    await _sdk_raw(clients.openai_aiohttp, model, hear)


async def plain_httpx(clients: Clients, model: str, hear: Hear) -> None:
    """httpx2 alone."""
    reader = ContentReader()
    async with clients.httpx.stream("POST", clients.url, json=_call(model)) as response:
        async for data in response.aiter_bytes():
            hear(reader.feed(data))


async def plain_aiohttp(clients: Clients, model: str, hear: Hear) -> None:
    """aiohttp alone."""
    reader = ContentReader()
    async with clients.aiohttp.post(clients.url, json=_call(model)) as response:
        async for data in response.content.iter_any():
            hear(reader.feed(data))


async def link_bytes(clients: Clients, model: str, hear: Hear) -> None:
    """The worker's own link, which calls a function with what a read has brought."""
    reader = ContentReader()

    def take(data: bytes) -> bool:
        hear(reader.feed(data))
        return True

    await clients.link.post(orjson.dumps(_call(model)), {}, lambda _status: take)


async def openai_objects(clients: Clients, model: str, hear: Hear) -> None:
    """The SDK's own chunk objects, for comparison."""
    await _sdk_objects(clients.openai_httpx, model, hear)


async def langchain(clients: Clients, model: str, hear: Hear) -> None:
    """ChatOpenAI.astream, for comparison."""
    client = clients.openai_httpx
    chat = ChatOpenAI(model=model, api_key="none", async_client=client.chat.completions, stream_usage=True)
    async for chunk in chat.astream(MESSAGES[0]["content"]):
        hear([chunk.content] if isinstance(chunk.content, str) and chunk.content else [])


Read = Callable[[Clients, str, Hear], Awaitable[None]]
READERS: dict[str, Read] = {
    "openai raw, httpx2": openai_raw_httpx,
    "openai raw, aiohttp": openai_raw_aiohttp,
    "httpx2 bytes": plain_httpx,
    "aiohttp bytes": plain_aiohttp,
    "the worker's link": link_bytes,
    "openai objects": openai_objects,
    "ChatOpenAI.astream": langchain,
}


@dataclass(frozen=True)
class Cost:
    """One measured run."""

    cpu_us_per_token: float
    tokens_per_s: float
    delay_ms_p50: float
    delay_ms_p95: float


async def _read_all(read: Read, clients: Clients, pace: Pace) -> list[int]:
    delays: list[int] = []

    def hear(texts: list[str]) -> None:
        now = time.monotonic_ns()
        delays.extend(now - int(text[text.index(":") + 1 : -1]) for text in texts)

    await read(clients, pace.name, hear)
    if len(delays) != pace.tokens:
        raise RuntimeError(f"{len(delays)} tokens instead of {pace.tokens}")
    return delays


async def measure(read: Read, url: str, pace: Pace, streams: int) -> Cost:
    """Read that many streams at once; connections are made before the clock starts."""
    async with AsyncExitStack() as stack:
        clients = await Clients.open(stack, url)
        one: Callable[[Pace], Awaitable[list[int]]] = partial(_read_all, read, clients)
        await asyncio.gather(*(one(Pace(3)) for _ in range(streams)))
        wall, cpu = time.perf_counter(), time.process_time()
        delays = sorted(chain.from_iterable(await asyncio.gather(*(one(pace) for _ in range(streams)))))
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    tokens = len(delays)
    p50, p95 = (delays[int(tokens * share)] / 1e6 for share in (0.5, 0.95))
    return Cost(cpu / tokens * 1e6, tokens / wall, p50, p95)


def parse_cost_us() -> float:
    """What the raw parse alone costs, without a network."""
    frame = ChunkFrame("sim-200-0-0", with_usage=True)
    events = [frame.token(i, time.monotonic_ns()).split(b"\r\n")[1] for i in range(1, 2001)]
    reader, start = ContentReader(), time.process_time()
    for event in events:
        reader.feed(event)
    return (time.process_time() - start) / len(events) * 1e6


def _median(costs: list[Cost]) -> Cost:
    return Cost(*(statistics.median(column) for column in zip(*map(astuple, costs), strict=True)))


def main() -> None:
    """Measure every reader under both loads, interleaved, and print medians."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--streams", type=int, default=50)
    arguments = parser.parse_args()
    with simulator() as (_, url), on_core(SYSTEM_CORE):
        print(f"reader on core {SYSTEM_CORE}, simulator on core {LOAD_CORE}, load {os.getloadavg()}")
        print(f"raw parse alone: {parse_cost_us():.1f} us per token")
        for load, pace in LOADS.items():
            runs: dict[str, list[Cost]] = {name: [] for name in READERS}
            for _ in range(arguments.repeat):
                for name, read in READERS.items():
                    runs[name].append(uvloop.run(measure(read, url, pace, arguments.streams)))
            print(f"\n{load:24} {'us CPU/token':>14} {'tokens/s':>10} {'ms p50':>8} {'ms p95':>8}")
            for name, costs in runs.items():
                c = _median(costs)
                print(
                    f"{name:24} {c.cpu_us_per_token:14.1f} {c.tokens_per_s:10,.0f}"
                    f" {c.delay_ms_p50:8.2f} {c.delay_ms_p95:8.2f}"
                )
        print(f"\nload at the end {os.getloadavg()}")


if __name__ == "__main__":
    main()
