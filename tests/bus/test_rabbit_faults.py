"""What only RabbitMQ can do to us: be down, restart, lose its queue, fall silent."""

import asyncio
import time
from collections.abc import Callable

import aio_pika
import pytest
from eco2_bus import rabbitmq, topology
from eco2_bus.job import ChatJob, MalformedJob
from eco2_bus.queue import JobQueue, QueueUnavailable
from eco2_bus.rabbitmq import RabbitJobQueue
from eco2_devservers import free_port

from tests.bus.brokers import Consumer, RabbitBroker, new_job, soon
from tests.bus.worlds import eventually

Start = Callable[[JobQueue, int], Consumer]


async def test_a_broker_that_is_down_is_told_at_once() -> None:
    queue = RabbitJobQueue(f"amqp://guest:guest@127.0.0.1:{free_port()}/")
    began = time.monotonic()
    for attempt in (queue.publish(new_job(), {}), queue.check(), queue.depth()):
        with pytest.raises(QueueUnavailable):
            await attempt
    assert time.monotonic() - began < rabbitmq.CONNECT_TIMEOUT_S
    await queue.close()


@pytest.mark.parametrize("way", ["stop", "kill"])
async def test_publisher_and_consumer_go_on_by_themselves_after_a_restart(
    rabbit_broker: RabbitBroker, consumers: Start, way: str
) -> None:
    server, queue = rabbit_broker.server, rabbit_broker.open()
    held_job, waiting_job, later_job = new_job(), new_job(), new_job()
    consumer = consumers(queue, 1)
    await queue.publish(held_job, {})
    held = await consumer.next()
    await queue.publish(waiting_job, {})
    # RabbitMQ writes the names of new quorum queues to disk after seconds; a kill before that loses them.
    await asyncio.to_thread(server.ctl, "eval", "[dets:sync(T) || T <- dets:all()].")
    await asyncio.to_thread(getattr(server, way))
    await eventually(lambda: not held.has_lease)
    with pytest.raises(QueueUnavailable):
        await soon(queue.publish(later_job, {}))
    await held.ack()
    await asyncio.to_thread(server.start)
    # The broker answers before the queue has its leader, and refuses until then.
    await _publish_stubbornly(queue, later_job)
    got = []
    for _ in range(3):
        delivery = await consumer.next()
        got.append((delivery.job_id, delivery.is_redelivered))
        await delivery.ack()
    assert sorted(got) == sorted(
        [(held_job.job_id, True), (waiting_job.job_id, False), (later_job.job_id, False)]
    )


async def test_a_lost_connection_is_found_before_the_next_publish(rabbit_broker: RabbitBroker) -> None:
    queue = rabbit_broker.open(loses_leases=True)
    await queue.publish(new_job(), {})
    for n in range(2, 6):
        rabbit_broker.proxy.cut()
        await asyncio.sleep(0.05)
        await soon(queue.publish(new_job(), {}))
        await eventually(lambda: rabbit_broker.proxy.connections == 1)
        assert await queue.depth() == n


async def test_a_job_for_a_queue_that_was_deleted_is_refused_and_the_next_one_taken(
    rabbit_broker: RabbitBroker, consumers: Start
) -> None:
    queue = rabbit_broker.open()
    await queue.check()
    async with rabbit_broker.channel() as channel:
        await channel.queue_delete(topology.JOBS)
    with pytest.raises(QueueUnavailable):
        await soon(queue.publish(new_job(), {}))
    job = new_job()
    await soon(queue.publish(job, {}))
    assert (await consumers(queue, 1).next()).job_id == job.job_id


async def test_a_consumer_whose_queue_was_deleted_consumes_the_new_one(
    rabbit_broker: RabbitBroker, consumers: Start
) -> None:
    queue = rabbit_broker.open()
    consumer = consumers(queue, 1)
    await queue.publish(new_job(), {})
    await (await consumer.next()).ack()
    async with rabbit_broker.channel() as channel:
        await channel.queue_delete(topology.JOBS)
    job = new_job()
    await _publish_stubbornly(queue, job)
    assert (await consumer.next()).job_id == job.job_id


async def _publish_stubbornly(queue: JobQueue, job: ChatJob) -> None:
    async with asyncio.timeout(30):
        while True:
            try:
                return await queue.publish(job, {})
            except QueueUnavailable:
                await asyncio.sleep(0.02)


async def test_a_deleted_exchange_is_declared_again(rabbit_broker: RabbitBroker) -> None:
    queue = rabbit_broker.open()
    await queue.check()
    async with rabbit_broker.channel() as channel:
        await channel.exchange_delete(topology.EXCHANGE)
    with pytest.raises(QueueUnavailable):
        await soon(queue.publish(new_job(), {}))
    await soon(queue.publish(new_job(), {}))
    assert await queue.depth() == 1


async def test_a_queue_declared_otherwise_is_unavailable_and_costs_no_connections(
    rabbit_broker: RabbitBroker, consumers: Start
) -> None:
    async with rabbit_broker.channel() as channel:
        await channel.declare_queue(topology.JOBS, durable=True)
    queue = rabbit_broker.open(loses_leases=True)
    for _ in range(5):
        with pytest.raises(QueueUnavailable):
            await soon(queue.check())
    await eventually(lambda: rabbit_broker.proxy.connections == 0)
    consumer = consumers(queue, 1)
    await rabbit_broker.empty()
    job = new_job()
    await _publish_stubbornly(queue, job)
    assert (await consumer.next()).job_id == job.job_id


async def test_a_channel_that_the_broker_closed_costs_the_lease_and_leaves_no_connection_behind(
    rabbit_broker: RabbitBroker, consumers: Start
) -> None:
    queue, job = rabbit_broker.open(loses_leases=True), new_job()
    await queue.publish(job, {})
    consumer = consumers(queue, 1)
    held = await consumer.next()
    connections = rabbit_broker.proxy.connections
    underlay = await queue._consumer.channel.get_underlay_channel()
    await underlay.basic_ack(delivery_tag=999)
    await eventually(lambda: not held.has_lease)
    again = await consumer.next()
    assert (again.job_id, again.is_redelivered) == (job.job_id, True)
    await eventually(lambda: rabbit_broker.proxy.connections == connections)


async def test_a_closed_queue_keeps_no_connection(rabbit_broker: RabbitBroker, consumers: Start) -> None:
    queue = rabbit_broker.open(loses_leases=True)
    await queue.publish(new_job(), {})
    consumer = consumers(queue, 1)
    await consumer.next()
    await queue.close()
    await soon(consumer.task)
    with pytest.raises(QueueUnavailable):
        await queue.publish(new_job(), {})
    await eventually(lambda: rabbit_broker.proxy.connections == 0)


async def test_a_broker_that_does_not_confirm_in_time_is_unavailable(
    rabbit_broker: RabbitBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rabbitmq, "CONFIRM_TIMEOUT_S", 0.3)
    queue = rabbit_broker.open(loses_leases=True)
    await queue.check()
    rabbit_broker.proxy.block()
    with pytest.raises(QueueUnavailable):
        await soon(queue.publish(new_job(), {}))
    rabbit_broker.proxy.unblock()
    await soon(queue.publish(new_job(), {}))


async def test_a_broker_that_does_not_answer_the_connection_is_unavailable(
    rabbit_broker: RabbitBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rabbitmq, "CONNECT_TIMEOUT_S", 0.3)
    queue = rabbit_broker.open(loses_leases=True)
    rabbit_broker.proxy.block()
    with pytest.raises(QueueUnavailable):
        await soon(queue.check())
    monkeypatch.setattr(rabbitmq, "CONNECT_TIMEOUT_S", 10.0)
    rabbit_broker.proxy.unblock()
    await soon(queue.check())
    await eventually(lambda: rabbit_broker.proxy.connections == 1)


async def test_a_network_that_falls_silent_costs_the_lease_within_a_few_heartbeats(
    rabbit_broker: RabbitBroker, consumers: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rabbitmq, "HEARTBEAT_S", 1)
    queue, job = rabbit_broker.open(loses_leases=True), new_job()
    await queue.publish(job, {})
    held = await consumers(queue, 1).next()
    rabbit_broker.proxy.block()
    again = await consumers(rabbit_broker.open(), 1).next()
    assert (again.job_id, again.is_redelivered) == (job.job_id, True)
    await eventually(lambda: not held.has_lease)
    rabbit_broker.proxy.unblock()
    await held.ack()
    await again.ack()


@pytest.mark.parametrize(
    "body", [b"", b"\xff\xfe\x00", b"{", b"x" * 8_000_000], ids=["no", "raw", "half", "huge"]
)
async def test_every_body_reaches_the_consumer_as_it_is(
    rabbit_broker: RabbitBroker, consumers: Start, body: bytes
) -> None:
    queue = rabbit_broker.open()
    consumer = consumers(queue, 1)
    await queue.check()
    async with rabbit_broker.channel() as channel:
        exchange = await channel.get_exchange(topology.EXCHANGE)
        await exchange.publish(aio_pika.Message(body, headers={"n": 1, "s": "text"}), topology.JOBS)
    delivery = await consumer.next()
    assert (delivery.body, delivery.headers) == (body, {"s": "text"})
    with pytest.raises(MalformedJob):
        ChatJob.from_body(delivery.body)
    await delivery.dead_letter("malformed")
    assert await rabbit_broker.dead_letters(1) == [body]


async def test_a_job_of_the_largest_size_passes(rabbit_broker: RabbitBroker, consumers: Start) -> None:
    queue = rabbit_broker.open()
    job = new_job("가" * 8_000).model_copy(update={"image_url": "data:image/png;base64," + "A" * 7_000_000})
    await soon(queue.publish(job, {}))
    delivery = await consumers(queue, 1).next()
    assert ChatJob.from_body(delivery.body) == job
    await delivery.ack()
