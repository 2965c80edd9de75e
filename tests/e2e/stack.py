"""The product as it runs in earnest: real servers, and every service a process of its own."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aio_pika
import httpx
import redis
from eco2_bus import topology
from eco2_devservers import PostgresServer, Program, RabbitServer, RedisServer, free_port

WAIT_S = 60.0
API_KEY = "any"
INPUT_WAIT_S = "15"
"""How long a question waits for its user: the same number for every process on the broker."""


class Stack:
    """RabbitMQ, Redis, PostgreSQL, the sandbox as the model and every vendor, the character service over
    gRPC, one API, and as many workers as a test asks for."""

    def __init__(
        self, folder: Path, rabbit: RabbitServer, redis_server: RedisServer, postgres: PostgresServer
    ) -> None:
        self.folder = folder
        self.rabbit = rabbit
        self.redis_server = redis_server
        self.postgres = postgres
        self.sandbox_url = f"http://127.0.0.1:{(sandbox_port := free_port())}"
        self.api_url = f"http://127.0.0.1:{(api_port := free_port())}"
        self.character_target = f"127.0.0.1:{(character_port := free_port())}"
        self.sandbox = Program("sandbox", folder, "-m", "eco2_sandbox", "--port", str(sandbox_port))
        self.character = Program(
            "character", folder, "-m", "eco2_character", CHARACTER_PORT=str(character_port)
        )
        self.api = self.make_api("api", api_port, rabbit.url)
        self.workers: list[Program] = []
        self.store: Any = redis.Redis.from_url(redis_server.url)
        self._count = 0

    async def start(self) -> None:
        """Prepares the database, and starts everything but workers."""
        upgrade = Program("upgrade", self.folder, "-m", "eco2_history", "upgrade", **self._database)
        for program in (upgrade, self.sandbox, self.character):
            program.start()
        await until(lambda: _has_left(upgrade))
        assert upgrade.exit_code == 0, upgrade.said()
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
            INPUT_WAIT_S=INPUT_WAIT_S,
            **self._database,
        )

    def start_worker(self, *program: str, **env: str) -> Program:
        """Starts one more worker, or what stands for one; `staff` waits until it works."""
        self._count += 1
        usual = {
            "REDIS_URL": self.redis_server.url,
            "AMQP_URL": self.rabbit.url,
            "INPUT_WAIT_S": INPUT_WAIT_S,
            "OPENAI_API_KEY": API_KEY,
            "OPENAI_BASE_URL": f"{self.sandbox_url}/v1",
            "OPENAI_MODEL": "eco2-sandbox",
            "STAND_INS_URL": self.sandbox_url,
            "CHARACTER_TARGET": self.character_target,
            **self._database,
        }
        name, command = f"worker-{self._count}", program or ("-m", "chat_worker")
        worker = Program(name, self.folder, *command, **usual | env)
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

    async def dead_letters(self, *arguments: str) -> Any:
        """What the operator's command says, which does all that it was asked."""
        command = Program(
            "dead-letters",
            self.folder,
            *("-m", "chat_api.dead_letters", *arguments, "--json"),
            REDIS_URL=self.redis_server.url,
            AMQP_URL=self.rabbit.url,
            INPUT_WAIT_S=INPUT_WAIT_S,
            **self._database,
        )
        command.start()
        await until(lambda: _has_left(command))
        assert command.exit_code == 0, command.said()
        return json.loads(command.said())

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
        for program in (*self.workers, self.api, self.character, self.sandbox):
            program.close()
        self.store.close()

    @property
    def _database(self) -> dict[str, str]:
        return {"DATABASE_URL": self.postgres.url}


async def _declared(channel: Any, queue: str) -> Any:
    return (await channel.declare_queue(queue, passive=True)).declaration_result


async def _has_left(program: Program) -> bool:
    return not program.is_running


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
