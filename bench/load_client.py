"""Opens many streams at once, and afterwards says what became of every token."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

import orjson

from bench.http_stream import Chunk, HttpConnection, Reply
from bench.pace import Pace
from bench.verdict import Verdict, chat_texts, judge, model_texts, understanding_ms

ANSWER_TIMEOUT_S = 120.0
SUBMIT_PATH = "/api/v1/chat"


@dataclass(frozen=True)
class Asked:
    """One question and the raw stream that answered it."""

    at_ns: int
    pace: Pace
    chunks: list[Chunk]


@dataclass(frozen=True)
class LoadResult:
    """What one load did, as the client saw it."""

    wall_s: float
    client_cpu_s: float
    verdicts: list[Verdict]
    first_tokens_ms: list[float]
    understanding_ms: list[float]

    @property
    def tokens(self) -> int:
        """Tokens that arrived, doubles included."""
        return sum(len(verdict.delays_ns) for verdict in self.verdicts)


Ask = Callable[[Pace], Awaitable[Asked]]
Texts = Callable[[list[Chunk]], list[tuple[int, str]]]


@dataclass(frozen=True)
class Target:
    """A chain's front door: how to ask there, and how to read its stream."""

    ask: Ask
    texts: Texts
    understanding_ms: Callable[[list[Chunk]], float] = lambda _: 0.0


def model_target(base_url: str) -> Target:
    """The simulator itself."""
    host, port, path = _parts(base_url)

    async def ask(pace: Pace) -> Asked:
        body = orjson.dumps({"model": pace.name, "stream": True, "messages": []})
        at_ns = time.monotonic_ns()
        async with await HttpConnection.open(host, port) as connection:
            reply = await connection.request("POST", path + "/chat/completions", {}, body)
        return Asked(at_ns, pace, reply.chunks)

    return Target(ask, model_texts)


def chat_target(base_url: str) -> Target:
    """A chat service: submit, then follow, as a browser does."""
    host, port, _ = _parts(base_url)

    async def ask(pace: Pace) -> Asked:
        at_ns = time.monotonic_ns()
        async with await HttpConnection.open(host, port) as connection:
            reply = await follow(connection, await submit(connection, pace))
        return Asked(at_ns, pace, reply.chunks)

    return Target(ask, chat_texts, understanding_ms)


def one_call_target(base_url: str) -> Target:
    """The same service: ask for the events in the request that submits, as curl does."""
    host, port, _ = _parts(base_url)

    async def ask(pace: Pace) -> Asked:
        at_ns = time.monotonic_ns()
        async with await HttpConnection.open(host, port) as connection:
            accept = {"accept": "text/event-stream"}
            reply = await connection.request("POST", SUBMIT_PATH, accept, _question(pace))
        return Asked(at_ns, pace, reply.chunks)

    return Target(ask, chat_texts, understanding_ms)


def _question(pace: Pace) -> bytes:
    """A question in whose text the simulator finds the pace."""
    return orjson.dumps({"message": f"투명 페트병은 어떻게 버려요? {pace.name}"})


async def submit(connection: HttpConnection, pace: Pace) -> str:
    """Ask a question; returns the address of the job's events."""
    reply = await connection.request("POST", SUBMIT_PATH, {"accept": "application/json"}, _question(pace))
    return orjson.loads(reply.body)["events_url"]


def follow(connection: HttpConnection, events_url: str) -> Awaitable[Reply]:
    """Read a job's events until the server ends them."""
    url = urlsplit(events_url)
    path = url.path + (f"?{url.query}" if url.query else "")
    return connection.request("GET", path, {"accept": "text/event-stream"})


async def run_load(target: Target, pace: Pace, streams: int) -> LoadResult:
    """Ask on that many streams at once; the clock runs from the first question to the last token."""
    started, cpu = time.monotonic_ns(), time.process_time()
    async with asyncio.timeout(ANSWER_TIMEOUT_S):
        asked = await asyncio.gather(*(target.ask(pace) for _ in range(streams)))
    return _judged(target, list(asked), started, time.process_time() - cpu)


async def run_singly(target: Target, pace: Pace, questions: int) -> LoadResult:
    """Ask one question after the other."""
    started, cpu = time.monotonic_ns(), time.process_time()
    async with asyncio.timeout(ANSWER_TIMEOUT_S):
        asked = [await target.ask(pace) for _ in range(questions)]
    return _judged(target, asked, started, time.process_time() - cpu)


def _judged(target: Target, asked: list[Asked], started_ns: int, cpu_s: float) -> LoadResult:
    verdicts = [judge(target.texts(one.chunks), one.pace.tokens) for one in asked]
    return LoadResult(
        wall_s=(max(verdict.last_at_ns for verdict in verdicts) - started_ns) / 1e9,
        client_cpu_s=cpu_s,
        verdicts=verdicts,
        first_tokens_ms=[(v.first_at_ns - one.at_ns) / 1e6 for v, one in zip(verdicts, asked, strict=True)],
        understanding_ms=[target.understanding_ms(one.chunks) for one in asked],
    )


def _parts(base_url: str) -> tuple[str, int, str]:
    url = urlsplit(base_url)
    assert url.hostname is not None
    return url.hostname, url.port or 80, url.path
