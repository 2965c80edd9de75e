"""The product under a trace: every service a process of its own, or all in one, sending to a receiver."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aio_pika
import httpx
from eco2_bus import topology
from eco2_devservers import Program, RabbitServer, RedisServer, free_port

WAIT_S = 60.0
QUESTION = "종이팩은 어떻게 버려? 플라스틱 캐릭터 이름이 뭐야? 그리고 오늘 {place} 날씨 어때?"
"""The weather of one place is looked up once, and then remembered."""
BRANCHES = {"waste_rag", "character", "weather"}
PACE = {"token_ms": "25", "answer_tokens": "40", "for_requests": "stream"}


def exporting_to(url: str, folder: Path) -> dict[str, str]:
    """The environment of a service that sends its spans to the receiver, soon."""
    return {
        "OTEL_EXPORTER_OTLP_ENDPOINT": url,
        "OTEL_BSP_SCHEDULE_DELAY": "100",
        "OTEL_METRIC_EXPORT_INTERVAL": "200",
        "TELEMETRY_JOURNAL_DIR": str(folder / "journals"),
    }


@dataclass
class Asked:
    """A question and what came of it."""

    job_id: str
    trace_id: str
    traceparent: str
    events: list[tuple[str, dict[str, Any]]] = field(default_factory=list[tuple[str, dict[str, Any]]])
    ids: list[str] = field(default_factory=list[str])

    @property
    def done(self) -> dict[str, Any]:
        (last,) = [data for event, data in self.events if event == "done"]
        return last


async def ask(
    api: httpx.AsyncClient, place: str = "서울", *, question: str = QUESTION, **headers: str
) -> Asked:
    """Submits a question, of three intents unless another one is given."""
    message = {"message": question.format(place=place)}
    response = await api.post("/api/v1/chat", json=message, headers=headers)
    assert response.status_code == 202, response.text
    told = response.headers["server-timing"].partition('"')[2].strip('"')
    return Asked(response.json()["job_id"], response.json()["trace_id"], told)


async def hear(api: httpx.AsyncClient, asked: Asked, *, until: str = "", **headers: str) -> None:
    """Reads the job's events to the end, or until the first of a name; then it leaves."""
    async with api.stream("GET", f"/api/v1/chat/{asked.job_id}/events", headers=headers) as response:
        assert response.status_code == 200
        name = ""
        async for line in response.aiter_lines():
            if line.startswith("id: "):
                asked.ids.append(line.removeprefix("id: "))
            elif line.startswith("event: "):
                name = line.removeprefix("event: ")
            elif line.startswith("data: "):
                asked.events.append((name, json.loads(line.removeprefix("data: "))))
                if name == until:
                    return


class Product:
    """RabbitMQ, Redis, the character service over gRPC, the sandbox, one API, and workers as asked for."""

    def __init__(
        self, folder: Path, rabbit: RabbitServer, redis: RedisServer, telemetry: dict[str, str]
    ) -> None:
        self.url = f"http://127.0.0.1:{(api_port := free_port())}"
        self.sandbox_url = f"http://127.0.0.1:{(sandbox_port := free_port())}"
        self._rabbit = rabbit
        self._folder = folder
        self._character = f"127.0.0.1:{(character_port := free_port())}"
        self._env = {
            **telemetry,
            "REDIS_URL": redis.url,
            "AMQP_URL": rabbit.url,
            "DATABASE_URL": f"sqlite:///{folder}/eco2.sqlite",
        }
        sandbox_env = {f"SANDBOX_{name.upper()}": value for name, value in PACE.items()}
        self.api = Program("api", folder, "-m", "chat_api", "--port", str(api_port), **self._env)
        self.character = Program(
            "character", folder, "-m", "eco2_character", CHARACTER_PORT=str(character_port), **self._env
        )
        self.sandbox = Program(
            "sandbox", folder, "-m", "eco2_sandbox", "--port", str(sandbox_port), **sandbox_env
        )
        self.workers: list[Program] = []

    async def start(self) -> None:
        for program in (self.api, self.character, self.sandbox):
            program.start()
        await self.start_worker()
        await until_answering(f"{self.url}/readyz")
        await until_answering(f"{self.sandbox_url}/livez")

    async def start_worker(self) -> Program:
        """Starts one more worker, and waits until it takes jobs."""
        worker = Program(
            f"worker-{len(self.workers)}",
            self._folder,
            "-m",
            "chat_worker",
            OPENAI_API_KEY="any",
            OPENAI_BASE_URL=f"{self.sandbox_url}/v1",
            OPENAI_MODEL="eco2-sandbox",
            STAND_INS_URL=self.sandbox_url,
            CHARACTER_TARGET=self._character,
            **self._env,
        )
        worker.start()
        self.workers.append(worker)
        at_work = sum(worker.is_running for worker in self.workers)
        async with await aio_pika.connect(self._rabbit.url) as connection:
            channel = await connection.channel()

            async def is_consuming() -> bool:
                try:
                    queue = await channel.declare_queue(topology.JOBS, passive=True)
                except aio_pika.exceptions.ChannelNotFoundEntity:
                    await channel.reopen()
                    return False
                return (queue.declaration_result.consumer_count or 0) >= at_work

            await until(is_consuming)
        return worker

    def close(self) -> None:
        for program in (*self.workers, self.api, self.character, self.sandbox):
            program.close()
            print(f"--- {program.name}\n{program.said()[-2_000:]}")


@asynccontextmanager
async def all_in_one(
    folder: Path, telemetry: dict[str, str], **env: str
) -> AsyncIterator[tuple[str, Program]]:
    """The whole product in one process; its URL and the process."""
    port = free_port()
    own = {"DATABASE_URL": f"sqlite:///{folder}/eco2.sqlite", "OPENAI_API_KEY": ""}
    command = ("-m", "all_in_one", "--port", str(port))
    program = Program("all-in-one", folder, *command, **own, **telemetry, **env)
    program.start()
    try:
        await until_answering(f"http://127.0.0.1:{port}/readyz")
        yield f"http://127.0.0.1:{port}", program
    finally:
        await asyncio.to_thread(program.close)
        print(program.said()[-4_000:])


async def until(holds: Callable[[], Awaitable[bool]], within_s: float = WAIT_S) -> None:
    """Waits for a condition."""
    deadline = time.monotonic() + within_s
    while not await holds():
        assert time.monotonic() < deadline, f"the condition did not come true in {within_s} s"
        await asyncio.sleep(0.05)


async def until_answering(url: str) -> None:
    """Waits until a GET gives 200."""
    async with httpx.AsyncClient(timeout=3, trust_env=False) as client:

        async def is_so() -> bool:
            try:
                return (await client.get(url)).status_code == 200
            except httpx.HTTPError:
                return False

        await until(is_so)
