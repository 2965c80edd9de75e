"""The job queue on RabbitMQ: one connection to publish on, one to consume on, each brought back when lost.

aio-pika's robust connection is not used: it replays consumers and declarations on its own terms, and a
delivery of a lost channel then looks as if it could still be acknowledged.
"""

import asyncio
import contextlib
import functools
import logging
import random
import weakref
from collections.abc import AsyncGenerator, Sequence
from typing import Any

import aio_pika
from aio_pika.abc import (
    AbstractChannel,
    AbstractConnection,
    AbstractIncomingMessage,
    AbstractQueue,
    DeliveryMode,
)
from aio_pika.exceptions import AMQPError, DeliveryError, PublishError

from eco2_bus import topology
from eco2_bus.job import ChatJob
from eco2_bus.queue import QueueFull, QueueUnavailable
from eco2_bus.rabbit_burst import BurstPull, Loans
from eco2_bus.rabbit_queues import Queues, declare

_log = logging.getLogger(__name__)

HEARTBEAT_S = 10
CONFIRM_TIMEOUT_S = 5.0
CONNECT_TIMEOUT_S = 3.0

# What aio-pika and aiormq raise when a connection or channel is gone or does not answer.
BROKER_ERRORS = (AMQPError, ConnectionError, OSError, TimeoutError, RuntimeError, asyncio.InvalidStateError)

# What the next message of the same job says for itself, or does not.
_OF_THIS_DELIVERY = (topology.DEAD_LETTER_HEADERS, topology.HANDED_BACK_HEADER)


class RabbitDelivery:
    """One unacknowledged AMQP message."""

    def __init__(
        self, owner: "RabbitJobQueue", queue: str, message: AbstractIncomingMessage, loans: Loans
    ) -> None:
        headers: dict[str, Any] = dict(message.headers or {})
        self._owner = owner
        self._message = message
        self._loans = loans
        self.queue = queue
        self.job_id = message.message_id or ""
        self.body = message.body
        self.headers = {
            name: value
            for name, value in headers.items()
            if isinstance(value, str) and not name.startswith(_OF_THIS_DELIVERY)
        }
        self.deliveries = _count(headers.get("x-delivery-count")) + 1
        self.is_redelivered = bool(message.redelivered) or self.deliveries > 1
        self.is_handed_back = topology.HANDED_BACK_HEADER in headers
        self.postponed = _count(headers.get(topology.POSTPONED_HEADER))
        self.has_lease = True

    async def ack(self) -> None:
        await self._settle(self._message.ack)

    async def retry(self) -> None:
        await self._settle(self._message.nack, requeue=True)

    async def dead_letter(self, reason: str) -> None:
        _log.warning("dead letter: job %s: %s", self.job_id, reason)
        await self._settle(self._message.reject, requeue=False)

    async def hand_back(self) -> None:
        headers = {**self.headers, topology.HANDED_BACK_HEADER: "1"}
        await self._owner.publish_body(self.job_id, self.body, headers)
        await self.ack()

    async def postpone(self) -> None:
        headers = {**self.headers, topology.POSTPONED_HEADER: str(self.postponed + 1)}
        if self.is_redelivered or self.is_handed_back:
            # The new message is no redelivery any more, and must not pass for one that nobody has begun.
            headers[topology.HANDED_BACK_HEADER] = "1"
        await self._owner.publish_body(self.job_id, self.body, headers, topology.LATER)
        await self.ack()

    async def _settle(self, action: Any, **options: Any) -> None:
        if not self.has_lease:
            return
        try:
            await action(**options)
        except BROKER_ERRORS as error:
            # The broker delivers it again, and the log tells the next holder what has been done.
            _log.warning("job %s could not be settled: %s", self.job_id, type(error).__name__)
        finally:
            self.has_lease = False
            self._loans.settle(self.queue, self)


def _count(value: object) -> int:
    """A number that a header holds; whatever anybody else has put there is none."""
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 10:
        return int(value)
    return value if isinstance(value, int) and value > 0 else 0


class _Session:
    """One connection with a declared topology."""

    def __init__(self, connection: AbstractConnection, channel: AbstractChannel) -> None:
        self.connection = connection
        self.channel = channel
        self.lost = asyncio.Event()
        self.queues: Queues

    @property
    def is_open(self) -> bool:
        return not (self.lost.is_set() or self.connection.is_closed or self.channel.is_closed)

    async def close(self) -> None:
        self.lost.set()
        with contextlib.suppress(*BROKER_ERRORS):
            async with asyncio.timeout(2):
                await self.connection.close()


class RabbitJobQueue:
    """The JobQueue port over RabbitMQ."""

    def __init__(
        self,
        url: str,
        *,
        max_length: int = 10_000,
        waiting_s: float = topology.WAITING_S,
        later_s: float = topology.LATER_S,
        name: str = "eco2",
    ) -> None:
        self._url = url
        self._max_length = max_length
        self._waiting_s = waiting_s
        self._later_s = later_s
        self._name = name
        self._publisher: _Session | None = None
        self._consumer: _Session | None = None
        self._connecting: asyncio.Task[_Session] | None = None
        self._is_closed = False

    async def publish(self, job: ChatJob, headers: dict[str, str], queue: str = topology.JOBS) -> None:
        await self.publish_body(job.job_id, job.to_body(), headers, queue)

    async def park(self, job: ChatJob, headers: dict[str, str]) -> None:
        await self.publish_body(job.job_id, job.to_body(), headers, topology.WAITING)

    async def publish_body(
        self, job_id: str, body: bytes, headers: dict[str, str], queue: str = topology.JOBS
    ) -> None:
        """Publishes a persistent, mandatory message and waits for the broker's confirmation."""
        message = aio_pika.Message(
            body,
            headers=dict(headers),
            message_id=job_id,
            correlation_id=job_id,
            content_type="application/json",
            delivery_mode=DeliveryMode.PERSISTENT,
        )
        session = await self._publishing()
        try:
            await session.queues.exchange.publish(message, queue, mandatory=True, timeout=CONFIRM_TIMEOUT_S)
        except PublishError:
            await session.close()
            raise QueueUnavailable("the queue is not there") from None
        except DeliveryError:
            raise QueueFull("the queue is full") from None
        except BROKER_ERRORS as error:
            await session.close()
            raise QueueUnavailable(type(error).__name__) from None

    def consume(self, prefetch: int) -> AsyncGenerator[RabbitDelivery, None]:
        return self._consume(prefetch)

    async def _consume(self, prefetch: int) -> AsyncGenerator[RabbitDelivery, None]:
        delay_s = 0.2
        while not self._is_closed:
            session: _Session | None = None
            try:
                session = self._consumer = await self._connect("consumer")
                delay_s = 0.2
                async with contextlib.aclosing(self._deliveries(session, prefetch)) as deliveries:
                    async for delivery in deliveries:
                        yield delivery
                _log.warning("lost RabbitMQ, reconnecting")
            except BROKER_ERRORS as error:
                _log.warning("no RabbitMQ: %s", type(error).__name__)
            # Not in a finally: a consumer that is stopped leaves its session to the deliveries still out.
            if session is not None:
                await session.close()
            if self._is_closed:
                return
            await asyncio.sleep(delay_s * random.uniform(0.5, 1.5))
            delay_s = min(delay_s * 2, 5.0)

    async def _deliveries(self, session: _Session, prefetch: int) -> AsyncGenerator[RabbitDelivery, None]:
        arrived: asyncio.Queue[RabbitDelivery | None] = asyncio.Queue()
        lent: weakref.WeakSet[RabbitDelivery] = weakref.WeakSet()
        loans = Loans()

        def lend(lane: str, message: AbstractIncomingMessage) -> None:
            delivery = RabbitDelivery(self, lane, message, loans)
            lent.add(delivery)
            loans.lend(lane, delivery)
            arrived.put_nowait(delivery)

        async def on_message(lane: str, message: AbstractIncomingMessage) -> None:
            lend(lane, message)

        def on_close(*_: Any) -> None:
            session.lost.set()
            for delivery in lent:
                delivery.has_lease = False
            arrived.put_nowait(None)

        session.connection.close_callbacks.add(on_close)
        session.channel.close_callbacks.add(on_close)
        # The broker stops a consumer whose queue is deleted, and leaves its channel open.
        underlay = await session.channel.get_underlay_channel()
        underlay.on_consumer_cancel_callbacks.add(on_close)
        tags: dict[str, str] = {}
        for lane, room in ((topology.JOBS, prefetch), (topology.BURST, topology.burst_share(prefetch))):
            # RabbitMQ's prefetch is each consumer's own: that of the one that comes next.
            await session.channel.set_qos(prefetch_count=room)
            tags[lane] = await session.queues.lanes[lane].consume(functools.partial(on_message, lane))
        pull = BurstPull(
            session.queues.lanes[topology.BURST], prefetch, loans, functools.partial(lend, topology.BURST)
        )
        pulling = asyncio.create_task(pull.run(), name="rabbitmq:burst")
        try:
            while (delivery := await arrived.get()) is not None:
                if delivery.has_lease:
                    yield delivery
        finally:
            pull.stop()
            if session.is_open:
                await asyncio.wait({pulling}, timeout=2)
            pulling.cancel()
            await asyncio.gather(pulling, return_exceptions=True)
            await self._stop_consuming(session, tags, arrived)

    async def _stop_consuming(
        self, session: _Session, tags: dict[str, str], arrived: "asyncio.Queue[RabbitDelivery | None]"
    ) -> None:
        """Leaves the channel open, for the deliveries that are still to be settled."""
        if not session.is_open:
            return
        with contextlib.suppress(*BROKER_ERRORS):
            async with asyncio.timeout(2):
                for lane, tag in tags.items():
                    await session.queues.lanes[lane].cancel(tag)
        while not arrived.empty():
            waiting = arrived.get_nowait()
            if waiting is not None:
                await waiting.retry()

    async def depth(self, queues: Sequence[str] = topology.LANES) -> int:
        return sum(queue.declaration_result.message_count or 0 for queue in await self._declared(queues))

    async def consumers(self, queue: str) -> int:
        (found,) = await self._declared([queue])
        return found.declaration_result.consumer_count or 0

    async def _declared(self, queues: Sequence[str]) -> list[AbstractQueue]:
        """Queues as the broker has them now."""
        session = self._publisher
        if session is None or not session.is_open:
            raise QueueUnavailable("not connected")
        try:
            # A channel of its own: a question without an answer breaks the one that it was asked on.
            async with asyncio.timeout(CONFIRM_TIMEOUT_S), session.connection.channel() as channel:
                return [await channel.declare_queue(name, passive=True) for name in queues]
        except BROKER_ERRORS as error:
            raise QueueUnavailable(type(error).__name__) from None

    async def check(self) -> None:
        await self._publishing()

    async def close(self) -> None:
        self._is_closed = True
        if self._connecting is not None:
            self._connecting.cancel()
            await asyncio.gather(self._connecting, return_exceptions=True)
        for session in (self._publisher, self._consumer):
            if session is not None:
                await session.close()

    async def _publishing(self) -> _Session:
        """The session to publish on; all who need a new one wait for the same attempt to connect."""
        if self._is_closed:
            raise QueueUnavailable("closed")
        if self._publisher is not None and self._publisher.is_open:
            return self._publisher
        if self._connecting is None or self._connecting.done():
            self._connecting = asyncio.create_task(self._connect_publisher(), name="rabbitmq:publisher")
        return await asyncio.shield(self._connecting)

    async def _connect_publisher(self) -> _Session:
        if self._publisher is not None:
            await self._publisher.close()
        try:
            self._publisher = await self._connect("publisher")
        except BROKER_ERRORS as error:
            raise QueueUnavailable(type(error).__name__) from None
        return self._publisher

    async def _connect(self, role: str) -> _Session:
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            connection = await aio_pika.connect(
                self._url,
                heartbeat=HEARTBEAT_S,
                client_properties={"connection_name": f"{self._name}-{role}"},
            )
            try:
                channel = await connection.channel(on_return_raises=True)
                session = _Session(connection, channel)
                session.queues = await declare(channel, self._max_length, self._waiting_s, self._later_s)
            except BaseException:
                await connection.close()
                raise
            return session
