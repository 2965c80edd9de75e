"""The product as it runs in earnest: real servers, and every service a process of its own."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aio_pika
import httpx
import redis
from eco2_bus import topology
from eco2_devservers import RabbitServer, RedisServer, free_port
from eco2_devservers.process import OwnedProcess

WAIT_S = 60.0
API_KEY = "any"


class Program:
    """A service of ours as a subprocess that can be killed, stopped and started again."""

    def __init__(self, name: str, folder: Path, *arguments: str, **env: str) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        self._folder = folder
        self._command = [sys.executable, *arguments]
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "OPENAI_"))
        }
        self._env = {**kept, **env}
        self._process: OwnedProcess | None = None

    def start(self) -> None:
        self._process = OwnedProcess(self._command, log=self.log, folder=self._folder, env=self._env)

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.exit_code is None

    @property
    def exit_code(self) -> int | None:
        return None if self._process is None else self._process.exit_code

    def signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.signal(number)

    def kill(self) -> None:
        """SIGKILL."""
        if self._process is not None:
            self._process.kill()

    def close(self) -> None:
        """SIGTERM, then SIGKILL."""
        if self.is_running and self._process is not None:
            self._process.stop(signal.SIGTERM, 8)
        self.kill()

    def said(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")


class Stack:
    """RabbitMQ, Redis, the sandbox, one API, and as many workers as a test asks for."""

    def __init__(self, folder: Path, rabbit: RabbitServer, redis_server: RedisServer) -> None:
        self.folder = folder
        self.rabbit = rabbit
        self.redis_server = redis_server
        self.sandbox_url = f"http://127.0.0.1:{(sandbox_port := free_port())}"
        self.api_url = f"http://127.0.0.1:{(api_port := free_port())}"
        self.sandbox = Program("sandbox", folder, "-m", "eco2_sandbox", "--port", str(sandbox_port))
        self.api = self.make_api("api", api_port, rabbit.url)
        self.workers: list[Program] = []
        self.store: Any = redis.Redis.from_url(redis_server.url)
        self._count = 0

    async def start(self) -> None:
        """Starts the sandbox and the API."""
        self.sandbox.start()
        self.api.start()
        await until_answering(f"{self.sandbox_url}/livez")
        await until_answering(f"{self.api_url}/readyz")

    def make_api(self, name: str, port: int, amqp_url: str) -> Program:
        """Another API process, not yet started."""
        return Program(
            name,
            self.folder,
            "-m",
            "chat_api",
            "--port",
            str(port),
            REDIS_URL=self.redis_server.url,
            AMQP_URL=amqp_url,
        )

    def start_worker(self, **env: str) -> Program:
        """Starts one more worker; `staff` waits until it works."""
        self._count += 1
        usual = {
            "REDIS_URL": self.redis_server.url,
            "AMQP_URL": self.rabbit.url,
            "DATABASE_URL": f"sqlite:///{self.folder}/eco2.sqlite",
            "OPENAI_API_KEY": API_KEY,
            "OPENAI_BASE_URL": f"{self.sandbox_url}/v1",
            "OPENAI_MODEL": "eco2-sandbox",
        }
        worker = Program(f"worker-{self._count}", self.folder, "-m", "chat_worker", **usual | env)
        worker.start()
        self.workers.append(worker)
        return worker

    async def staff(self, workers: int) -> list[Program]:
        """Has exactly this many workers at work."""
        self.workers = [worker for worker in self.workers if worker.is_running]
        spare, self.workers = self.workers[workers:], self.workers[:workers]
        await asyncio.gather(*(asyncio.to_thread(worker.close) for worker in spare))
        while len(self.workers) < workers:
            self.start_worker()
        await self.until_consumers(workers)
        return list(self.workers)

    async def until_consumers(self, count: int) -> None:
        """Waits until the queue has this many consumers."""
        async with await aio_pika.connect(self.rabbit.url) as connection:
            channel = await connection.channel()

            async def is_so() -> bool:
                return (await _declared(channel, topology.JOBS)).consumer_count == count

            await until(is_so)

    def amqp_url(self, port: int) -> str:
        """The broker's address by way of a proxy."""
        return self.rabbit.url.replace(str(self.rabbit.port), str(port))

    async def depth(self, queue: str) -> int:
        """How many messages wait in a queue."""
        async with await aio_pika.connect(self.rabbit.url) as connection:
            return (await _declared(await connection.channel(), queue)).message_count or 0

    async def take_dead(self) -> list[str]:
        """The job ids of all dead letters, which are taken away."""
        async with await aio_pika.connect(self.rabbit.url) as connection:
            queue = await (await connection.channel()).get_queue(topology.DEAD)
            taken: list[str] = []
            while (message := await queue.get(fail=False)) is not None:
                await message.ack()
                taken.append(message.message_id or "")
            return taken

    def logs(self) -> set[str]:
        """The keys of all event logs in Redis, and of answers without one."""
        keys = {key.decode() for kind in ("events", "answer") for key in self.store.keys(f"chat:*:{kind}")}
        # The answer of a job that another test left behind may be kept at any moment.
        return {key for key in keys if key.endswith(":events") or f"{key[:-6]}events" not in keys}

    def failures(self, job_id: str) -> int:
        """How many failed attempts the log of a job counts."""
        entries = self.store.xrange(f"chat:{job_id}:events")
        return max([int(fields.get(b"failures", 0)) for _, fields in entries], default=0)

    def close(self) -> None:
        for program in (*self.workers, self.api, self.sandbox):
            program.close()
        self.store.close()


async def _declared(channel: Any, queue: str) -> Any:
    return (await channel.declare_queue(queue, passive=True)).declaration_result


async def until(holds: Callable[[], Awaitable[bool]], within_s: float = WAIT_S) -> None:
    """Waits for a condition."""
    deadline = time.monotonic() + within_s
    while not await holds():
        assert time.monotonic() < deadline, f"the condition did not come true in {within_s} s"
        await asyncio.sleep(0.05)


async def until_answering(url: str) -> None:
    """Waits until a GET gives 200."""
    async with httpx.AsyncClient(timeout=3) as client:

        async def is_so() -> bool:
            try:
                return (await client.get(url)).status_code == 200
            except httpx.HTTPError:
                return False

        await until(is_so)
