"""What anybody with the broker's address can put into the queue: the consumer takes it and goes on."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Any

import aio_pika
import pytest
from eco2_bus import topology
from eco2_bus.queue import JobQueue
from pamqp import encode

from tests.bus.brokers import Consumer, RabbitBroker, new_job

Start = Callable[[JobQueue, int], Consumer]

MESSAGES: dict[str, dict[str, Any]] = {
    "no properties at all": {},
    "an id that is no job's": {"message_id": "../" + "가" * 80},
    "headers of every kind": {
        "headers": {
            "x-delivery-count": "many",
            topology.POSTPONED_HEADER: -1,
            topology.HANDED_BACK_HEADER: {"a": [1, None]},
            "traceparent": bytearray(b"\xff\xfe"),
            "n": 2**60,
            "when": datetime(2026, 1, 1),
            "가": [True, 1.5, None],
        }
    },
    "counts beyond sense": {
        "headers": {"x-delivery-count": 2**60, topology.POSTPONED_HEADER: "9" * 400},
    },
    "counts that are none": {"headers": {"x-delivery-count": True, topology.POSTPONED_HEADER: "٣"}},
    "another content type": {"content_type": "image/png", "content_encoding": "gzip", "priority": 9},
    "a type and a user": {"type": "x" * 200, "app_id": "y" * 200, "reply_to": "chat.jobs"},
}


@pytest.mark.parametrize("lane", topology.LANES)
async def test_messages_of_any_shape_are_taken_settled_and_followed_by_a_job(
    rabbit_broker: RabbitBroker, consumers: Start, lane: str
) -> None:
    queue = rabbit_broker.open()
    consumer = consumers(queue, len(MESSAGES))
    await queue.check()
    async with rabbit_broker.channel() as channel:
        exchange = await channel.get_exchange(topology.EXCHANGE)
        for properties in MESSAGES.values():
            await exchange.publish(aio_pika.Message(b"\x00", **properties), lane)
    got = [await consumer.next() for _ in MESSAGES]
    assert {type(delivery.deliveries) for delivery in got} == {int}
    assert all(delivery.deliveries > 0 and delivery.postponed >= 0 for delivery in got)
    assert all(isinstance(value, str) for delivery in got for value in delivery.headers.values())
    for delivery in got:
        await delivery.dead_letter("malformed")
    assert len(await rabbit_broker.dead_letters(len(MESSAGES))) == len(MESSAGES)
    job = new_job()
    await queue.publish(job, {}, lane)
    assert (await consumer.next()).job_id == job.job_id


async def test_what_has_odd_headers_can_be_handed_back_and_postponed(
    rabbit_broker: RabbitBroker, consumers: Start
) -> None:
    queue = rabbit_broker.open(later_s=0.1)
    consumer = consumers(queue, 1)
    await queue.check()
    async with rabbit_broker.channel() as channel:
        exchange = await channel.get_exchange(topology.EXCHANGE)
        odd = MESSAGES["headers of every kind"]
        await exchange.publish(aio_pika.Message(b"\x00", message_id="a", **odd), topology.JOBS)
    await (await consumer.next()).postpone()
    again = await consumer.next()
    assert (again.job_id, again.body, again.postponed) == ("a", b"\x00", 1)
    await again.hand_back()
    assert (await consumer.next()).is_handed_back


async def test_a_message_that_the_protocols_library_cannot_read_costs_connections_and_then_is_a_dead_letter(
    rabbit_broker: RabbitBroker, consumers: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue, job = rabbit_broker.open(), new_job()
    consumer = consumers(queue, 2)
    await queue.check()
    async with rabbit_broker.channel() as channel:
        exchange = await channel.get_exchange(topology.EXCHANGE)
        with monkeypatch.context() as patched:
            written = encode.short_string
            patched.setitem(
                encode.METHODS,
                "shortstr",
                lambda value: b"\x02\xff\xfe" if value == "junk" else written(value),
            )
            await exchange.publish(aio_pika.Message(b"\x00", message_id="junk"), topology.JOBS)
    await queue.publish(job, {})
    while (await consumer.next()).job_id != job.job_id:
        pass
    async with rabbit_broker.channel() as channel, asyncio.timeout(30):
        while not await _waiting(channel, topology.DEAD):  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def _waiting(channel: Any, queue: str) -> int:
    return (await channel.declare_queue(queue, passive=True)).declaration_result.message_count
