"""The two brokers behind the JobQueue port, and what only their operator can do."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable
from typing import Any, Protocol, TypeVar

import aio_pika
from eco2_bus import topology
from eco2_bus.job import ChatJob
from eco2_bus.memory import MemoryJobQueue
from eco2_bus.queue import Delivery, JobQueue
from eco2_bus.rabbitmq import RabbitJobQueue
from eco2_devservers import RabbitServer, TcpProxy

from tests.bus.worlds import new_job_id

T = TypeVar("T")


class Broker(Protocol):
    """One broker with an empty queue of jobs."""

    def open(
        self,
        *,
        max_length: int = 10_000,
        waiting_s: float = 120.0,
        later_s: float = 5.0,
        loses_leases: bool = False,
    ) -> JobQueue:
        """The queue as one process sees it; with `loses_leases` only that process can lose its leases."""
        ...

    async def lose_leases(self) -> None:
        """Has the broker take back every loan of a queue that loses leases."""
        ...

    async def dead_letters(self, n: int) -> list[bytes]:
        """Waits for `n` dead letters and gives their bodies."""
        ...


class MemoryBroker:
    def __init__(self) -> None:
        self._queue: MemoryJobQueue | None = None

    def open(
        self,
        *,
        max_length: int = 10_000,
        waiting_s: float = 120.0,
        later_s: float = 5.0,
        loses_leases: bool = False,
    ) -> MemoryJobQueue:
        if self._queue is None:
            timeout_s = 0.1 if loses_leases else 600.0
            self._queue = MemoryJobQueue(
                max_length=max_length, waiting_s=waiting_s, later_s=later_s, visibility_timeout_s=timeout_s
            )
        return self._queue

    async def lose_leases(self) -> None:
        """The visibility timeout is short: waiting is all it takes."""

    async def dead_letters(self, n: int) -> list[bytes]:
        assert self._queue is not None
        return [body for _, body in self._queue.dead]

    async def close(self) -> None:
        if self._queue is not None:
            await self._queue.close()


class RabbitBroker:
    def __init__(self, server: RabbitServer) -> None:
        self.server = server
        self.proxy = TcpProxy(server.port).start()
        self._queues: list[RabbitJobQueue] = []

    def open(
        self,
        *,
        max_length: int = 10_000,
        waiting_s: float = 120.0,
        later_s: float = 5.0,
        loses_leases: bool = False,
    ) -> RabbitJobQueue:
        port = self.proxy.port if loses_leases else self.server.port
        url = f"amqp://guest:guest@127.0.0.1:{port}/"
        queue = RabbitJobQueue(url, max_length=max_length, waiting_s=waiting_s, later_s=later_s)
        self._queues.append(queue)
        return queue

    async def lose_leases(self) -> None:
        self.proxy.cut()

    @contextlib.asynccontextmanager
    async def channel(self) -> AsyncIterator[Any]:
        connection = await aio_pika.connect(self.server.url)
        async with connection, connection.channel() as channel:
            yield channel

    async def empty(self) -> None:
        """Removes the queues, so that the next process to come declares them anew."""
        async with self.channel() as channel:
            for name in (*topology.LANES, topology.DEAD, topology.WAITING, topology.LATER):
                await channel.queue_delete(name)

    async def dead_letters(self, n: int) -> list[bytes]:
        async with self.channel() as channel:
            dead = await channel.get_queue(topology.DEAD)
            bodies: list[bytes] = []
            async with asyncio.timeout(30):
                while len(bodies) < n:
                    message = await dead.get(fail=False, no_ack=True)
                    if message is None:
                        await asyncio.sleep(0.02)
                    else:
                        bodies.append(message.body)
            return bodies

    async def close(self) -> None:
        for queue in self._queues:
            await queue.close()
        self.proxy.close()


def new_job(message: str = "유리병은 어디에 버려요?") -> ChatJob:
    return ChatJob(
        job_id=new_job_id(), session_id="session-1", owner="user-1", message=message, created_at_ms=1
    )


async def soon(work: Awaitable[T]) -> T:
    return await asyncio.wait_for(work, 40)


class Consumer:
    """A consumer whose deliveries are collected as they come."""

    def __init__(self, queue: JobQueue, prefetch: int) -> None:
        self.got: asyncio.Queue[Delivery] = asyncio.Queue()
        self.task = asyncio.create_task(self._run(queue, prefetch))

    async def _run(self, queue: JobQueue, prefetch: int) -> None:
        deliveries: Any = queue.consume(prefetch)
        async with contextlib.aclosing(deliveries):
            async for delivery in deliveries:
                self.got.put_nowait(delivery)

    async def next(self) -> Delivery:
        return await soon(self.got.get())

    async def stop(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)
