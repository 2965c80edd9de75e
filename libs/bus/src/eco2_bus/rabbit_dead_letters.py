"""What lies in `chat.jobs.dead`: read without being taken, put back in its order, or settled for good.

One reader at a time, over all processes: what one holds, another does not see and would take for gone.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Collection
from contextlib import asynccontextmanager
from time import monotonic
from typing import Any

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractIncomingMessage, DeliveryMode
from aio_pika.exceptions import AMQPError, ChannelNotFoundEntity
from aiormq.exceptions import ChannelLockedResource

from eco2_bus import topology
from eco2_bus.dead_letters import DeadLetter
from eco2_bus.queue import QueueUnavailable

READER = "chat.jobs.dead.reader"
"""A queue that is exclusive to the connection of whoever reads, and goes with it."""
LIMIT = 1_000
"""Letters that are kept in memory at once."""
LOOKED_THROUGH_MAX = 65_535
"""The most that AMQP lends at once. Up to here order is kept: what is given back comes behind what is not."""
CONNECT_TIMEOUT_S = 3.0
LOCK_WAIT_S = 5.0
READ_TIMEOUT_S = 10.0
RENEW_AFTER = 10
"""Being read is a delivery, and RabbitMQ 4 drops a message after twenty: well before, it is sent anew."""
RENEW_WITHIN_S = 5.0
RENEWED_AT_ONCE = 100

_ERRORS = (AMQPError, ConnectionError, OSError, TimeoutError, RuntimeError, asyncio.InvalidStateError)
_POLL_S = 0.02


@asynccontextmanager
async def dead_letters(
    url: str,
    *,
    wanted: Callable[[str], bool] = lambda _job_id: True,
    limit: int = LIMIT,
    must_see_all: bool = False,
) -> AsyncGenerator[list[DeadLetter]]:
    """The oldest dead letters whose job id is wanted; what is not settled lies there as before.

    Raises QueueUnavailable when the broker cannot be reached, when somebody else goes on reading, and with
    `must_see_all` when there are more letters than one look goes through.
    """
    connection = await _connect(url)
    reading = _Reading(connection, wanted, limit, must_see_all)
    try:
        try:
            try:
                await reading.begin()
            except _ERRORS as error:
                raise QueueUnavailable(type(error).__name__) from None
            yield [_letter(message) for message in reading.kept]
        finally:
            with contextlib.suppress(*_ERRORS):
                await reading.end()
    finally:
        with contextlib.suppress(*_ERRORS):
            await connection.close()


class RabbitDeadLetters:
    """The DeadLetters port over RabbitMQ."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def remove(self, job_ids: Collection[str]) -> int:
        wanted = job_ids.__contains__
        limit = LOOKED_THROUGH_MAX
        async with dead_letters(self._url, wanted=wanted, limit=limit, must_see_all=True) as letters:
            for letter in letters:
                await letter.settle()
            return len(letters)


class _Reading:
    """One look through the queue, on a channel of its own: when that is closed, the broker puts all back."""

    def __init__(
        self, connection: AbstractConnection, wanted: Callable[[str], bool], limit: int, must_see_all: bool
    ) -> None:
        self.kept: list[AbstractIncomingMessage] = []
        self._connection = connection
        self._wanted = wanted
        self._limit = limit
        self._must_see_all = must_see_all
        self._found = 0
        self._tired: list[AbstractIncomingMessage] = []
        self._seen = 0
        self._channel: AbstractChannel | None = None
        self._lock: AbstractChannel

    async def begin(self) -> None:
        self._lock = await self._locked()
        self._found = await self._ready()
        if self._must_see_all and self._found > LOOKED_THROUGH_MAX:
            raise QueueUnavailable("too many dead letters to look through")
        expected = min(self._found, LOOKED_THROUGH_MAX)
        if not expected:
            return
        # Publishing on it waits for the broker's confirmation.
        self._channel = await self._connection.channel(on_return_raises=True)
        # A single consumer with room for all: single gets would come back in any order.
        await self._channel.set_qos(prefetch_count=expected)
        all_seen = asyncio.Event()

        async def on_message(message: AbstractIncomingMessage) -> None:
            self._look_at(message)
            if self._seen >= expected:
                all_seen.set()

        queue = await self._channel.get_queue(topology.DEAD, ensure=False)
        async with asyncio.timeout(READ_TIMEOUT_S):
            tag = await queue.consume(on_message)
            await all_seen.wait()
            await queue.cancel(tag)

    def _look_at(self, message: AbstractIncomingMessage) -> None:
        self._seen += 1
        if len(self.kept) < self._limit and self._wanted(message.message_id or ""):
            self.kept.append(message)
        if _deliveries(message) > RENEW_AFTER:
            self._tired.append(message)

    async def end(self) -> None:
        """Gives back what is not settled, and the place as the reader only when that has arrived."""
        if self._channel is None:
            return
        in_hand = {id(message): message for message in (*self.kept, *self._tired)}
        settled = sum(message.processed for message in in_hand.values())
        with contextlib.suppress(*_ERRORS):
            await self._renew_tired(self._channel)
        async with asyncio.timeout(READ_TIMEOUT_S):
            await self._channel.close()
            # AMQP tells nobody when a message is back.
            while await self._ready() < self._found - settled:  # noqa: ASYNC110
                await asyncio.sleep(_POLL_S)

    async def _renew_tired(self, channel: AbstractChannel) -> None:
        """Those that there is no time for are renewed by one of the next looks."""
        tired = [message for message in self._tired if not message.processed]
        until = monotonic() + RENEW_WITHIN_S
        for begin in range(0, len(tired), RENEWED_AT_ONCE):
            if monotonic() > until:
                return
            some = tired[begin : begin + RENEWED_AT_ONCE]
            await asyncio.gather(*(self._renew(channel, message) for message in some))

    async def _renew(self, channel: AbstractChannel, message: AbstractIncomingMessage) -> None:
        copy = aio_pika.Message(
            message.body,
            headers={name: value for name, value in message.headers.items() if name != "x-delivery-count"},
            message_id=message.message_id,
            correlation_id=message.correlation_id,
            content_type=message.content_type,
            delivery_mode=DeliveryMode.PERSISTENT,
        )
        await channel.default_exchange.publish(copy, topology.DEAD, mandatory=True, timeout=READ_TIMEOUT_S)
        await message.ack()

    async def _locked(self) -> AbstractChannel:
        async with asyncio.timeout(LOCK_WAIT_S):
            while True:
                channel = await self._connection.channel()
                try:
                    await channel.declare_queue(READER, exclusive=True, auto_delete=True)
                    return channel
                except ChannelLockedResource:
                    await asyncio.sleep(_POLL_S)

    async def _ready(self) -> int:
        try:
            queue = await self._lock.declare_queue(topology.DEAD, passive=True)
        except ChannelNotFoundEntity:
            # No service has declared it yet.
            return 0
        return queue.declaration_result.message_count or 0


async def _connect(url: str) -> AbstractConnection:
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            return await aio_pika.connect(url, client_properties={"connection_name": "eco2-dead-letters"})
    except _ERRORS as error:
        raise QueueUnavailable(type(error).__name__) from None


def _deliveries(message: AbstractIncomingMessage) -> int:
    headers: dict[str, Any] = dict(message.headers or {})
    return int(headers.get("x-delivery-count") or 0) + 1


def _letter(message: AbstractIncomingMessage) -> DeadLetter:
    headers: dict[str, Any] = dict(message.headers or {})
    deaths: list[dict[str, Any]] = headers.get("x-death") or [{}]
    return DeadLetter(
        job_id=message.message_id or "",
        reason=str(deaths[0].get("reason", "unknown")),
        died_at=deaths[0].get("time"),
        body=message.body,
        headers={
            name: value
            for name, value in headers.items()
            if isinstance(value, str) and not name.startswith(topology.DEAD_LETTER_HEADERS)
        },
        settle=lambda: _settle(message),
    )


async def _settle(message: AbstractIncomingMessage) -> None:
    try:
        await message.ack()
    except _ERRORS as error:
        raise QueueUnavailable(type(error).__name__) from None
