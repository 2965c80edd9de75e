"""The queue of jobs: confirmed, delivered at least once, settled once; over both brokers."""

import asyncio
import gc
import weakref
from collections.abc import Callable

import pytest
from eco2_bus.job import ChatJob
from eco2_bus.memory import MemoryJobQueue
from eco2_bus.queue import JobQueue, QueueFull

from tests.bus.brokers import Broker, Consumer, new_job, soon
from tests.bus.worlds import eventually

Start = Callable[[JobQueue, int], Consumer]
HEADERS = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "tracestate": "a=b"}


async def test_a_published_job_is_delivered_with_its_id_body_and_headers(
    broker: Broker, consumers: Start
) -> None:
    queue, job = broker.open(), new_job()
    await queue.publish(job, HEADERS)
    delivery = await consumers(queue, 1).next()
    assert delivery.job_id == job.job_id
    assert ChatJob.from_body(delivery.body) == job
    assert {name: delivery.headers[name] for name in HEADERS} == HEADERS
    assert (delivery.deliveries, delivery.is_redelivered, delivery.is_handed_back) == (1, False, False)
    assert delivery.has_lease
    await delivery.ack()


@pytest.mark.parametrize("settle", ["ack", "retry", "dead_letter", "hand_back", "postpone"])
async def test_a_delivery_that_is_settled_has_no_lease_any_more(
    broker: Broker, consumers: Start, settle: str
) -> None:
    queue = broker.open()
    await queue.publish(new_job(), {})
    delivery = await consumers(queue, 1).next()
    await getattr(delivery, settle)(*(["given up"] if settle == "dead_letter" else []))
    assert not delivery.has_lease


async def test_jobs_are_delivered_in_the_order_they_were_published(broker: Broker, consumers: Start) -> None:
    queue, jobs = broker.open(), [new_job() for _ in range(20)]
    for job in jobs:
        await queue.publish(job, {})
    assert await queue.depth() == 20
    consumer = consumers(queue, 5)
    got: list[str] = []
    for _ in jobs:
        delivery = await consumer.next()
        got.append(delivery.job_id)
        await delivery.ack()
    assert got == [job.job_id for job in jobs]
    assert await queue.depth() == 0


async def test_prefetch_bounds_what_is_unsettled(broker: Broker, consumers: Start) -> None:
    queue = broker.open()
    for _ in range(10):
        await queue.publish(new_job(), {})
    consumer = consumers(queue, 3)
    held = [await consumer.next() for _ in range(3)]
    await queue.check()
    assert await queue.depth() == 7
    assert consumer.got.empty()
    await held[0].ack()
    await consumer.next()
    assert await queue.depth() == 6
    assert consumer.got.empty()


async def test_two_consumers_share_the_jobs_and_get_none_twice(broker: Broker, consumers: Start) -> None:
    queue = broker.open()
    jobs = [new_job() for _ in range(30)]
    for job in jobs:
        await queue.publish(job, {})
    both = [consumers(broker.open(), 2), consumers(queue, 2)]
    got: list[str] = []

    async def work(consumer: Consumer) -> None:
        while len(got) < len(jobs):
            delivery = await consumer.got.get()
            got.append(delivery.job_id)
            await delivery.ack()

    tasks = [asyncio.create_task(work(consumer)) for consumer in both]
    await eventually(lambda: len(got) == len(jobs))
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert sorted(got) == sorted(job.job_id for job in jobs)


async def test_a_retried_job_is_delivered_again(broker: Broker, consumers: Start) -> None:
    queue, job = broker.open(), new_job()
    await queue.publish(job, HEADERS)
    consumer = consumers(queue, 1)
    for n in range(1, 4):
        delivery = await consumer.next()
        assert (delivery.job_id, delivery.deliveries, delivery.is_redelivered) == (job.job_id, n, n > 1)
        assert not delivery.is_handed_back
        await delivery.retry()
    last = await consumer.next()
    assert last.headers["traceparent"] == HEADERS["traceparent"]
    await last.ack()


async def test_a_dead_letter_leaves_the_queue_for_the_dead_letters(broker: Broker, consumers: Start) -> None:
    queue, job = broker.open(), new_job()
    await queue.publish(job, {})
    consumer = consumers(queue, 1)
    await (await consumer.next()).dead_letter("poisoned")
    assert await broker.dead_letters(1) == [job.to_body()]
    after = new_job()
    await queue.publish(after, {})
    delivery = await consumer.next()
    assert delivery.job_id == after.job_id
    await delivery.ack()


async def test_a_job_handed_back_comes_as_a_new_message_without_a_failed_delivery(
    broker: Broker, consumers: Start
) -> None:
    queue, job = broker.open(), new_job()
    await queue.publish(job, HEADERS)
    consumer = consumers(queue, 1)
    await (await consumer.next()).retry()
    await (await consumer.next()).hand_back()
    again = await consumer.next()
    assert (again.job_id, again.body) == (job.job_id, job.to_body())
    assert (again.deliveries, again.is_redelivered, again.is_handed_back) == (1, False, True)
    assert again.headers["traceparent"] == HEADERS["traceparent"]
    await again.hand_back()
    await (await consumer.next()).ack()
    assert await queue.depth() == 0


async def test_a_full_queue_refuses_and_takes_jobs_again_when_it_has_room(
    broker: Broker, consumers: Start
) -> None:
    queue = broker.open(max_length=5)
    accepted = await _published_until_full(queue)
    # RabbitMQ tells its publishers with a delay, so a few more than five get in.
    assert 5 <= accepted < 100
    consumer = consumers(queue, 1)
    for _ in range(accepted):
        await (await consumer.next()).ack()
    accepted_again = await _published_within_limit(queue)
    assert (await consumer.next()).job_id == accepted_again.job_id


async def _published_until_full(queue: JobQueue) -> int:
    for accepted in range(100):
        try:
            await queue.publish(new_job(), {})
        except QueueFull:
            return accepted
    return 100


async def _published_within_limit(queue: JobQueue) -> ChatJob:
    job = new_job()
    async with asyncio.timeout(30):
        while True:
            try:
                await queue.publish(job, {})
                return job
            except QueueFull:
                await asyncio.sleep(0.02)


async def test_a_job_whose_consumer_lost_its_lease_goes_to_somebody_else(
    broker: Broker, consumers: Start
) -> None:
    weak, job = broker.open(loses_leases=True), new_job()
    await weak.publish(job, HEADERS)
    first = consumers(weak, 1)
    lost = await first.next()
    assert lost.has_lease
    await first.stop()
    await broker.lose_leases()
    await eventually(lambda: not lost.has_lease)
    again = await consumers(broker.open(), 1).next()
    assert (again.job_id, again.is_redelivered, again.is_handed_back) == (job.job_id, True, False)
    await again.ack()


async def test_the_same_consumer_gets_the_job_again_after_it_lost_its_lease(
    broker: Broker, consumers: Start
) -> None:
    weak, job = broker.open(loses_leases=True), new_job()
    await weak.publish(job, {})
    consumer = consumers(weak, 1)
    lost = await consumer.next()
    await broker.lose_leases()
    again = await consumer.next()
    assert (again.job_id, again.is_redelivered) == (job.job_id, True)
    assert not lost.has_lease
    await again.ack()


@pytest.mark.parametrize("way", ["ack", "retry", "dead_letter"])
async def test_settling_after_the_lease_was_lost_changes_nothing(
    broker: Broker, consumers: Start, way: str
) -> None:
    weak, job = broker.open(loses_leases=True), new_job()
    await weak.publish(job, {})
    consumer = consumers(weak, 1)
    lost = await consumer.next()
    await broker.lose_leases()
    await eventually(lambda: not lost.has_lease)
    await (lost.dead_letter("late") if way == "dead_letter" else getattr(lost, way)())
    again = await consumer.next()
    assert (again.job_id, again.is_redelivered) == (job.job_id, True)
    await again.ack()
    await eventually(lambda: consumer.got.empty())
    await weak.check()
    assert await weak.depth() == 0


@pytest.mark.parametrize("way", ["ack", "retry", "hand_back"])
async def test_what_is_out_can_be_settled_after_the_consumer_stopped(
    broker: Broker, consumers: Start, way: str
) -> None:
    queue, other = broker.open(), broker.open()
    jobs = [new_job() for _ in range(6)]
    for job in jobs:
        await queue.publish(job, {})
    consumer = consumers(queue, 2)
    held = [await consumer.next() for _ in range(2)]
    await consumer.stop()
    assert all(delivery.has_lease for delivery in held)
    for delivery in held:
        await getattr(delivery, way)()
    second = consumers(other, 10)
    expected = 4 if way == "ack" else 6
    got = [await second.next() for _ in range(expected)]
    settled = {delivery.job_id for delivery in held}
    assert {delivery.job_id for delivery in got} == {job.job_id for job in jobs} - (
        settled if way == "ack" else set()
    )
    assert all(d.is_handed_back == (way == "hand_back" and d.job_id in settled) for d in got)
    for delivery in got:
        await delivery.ack()
    assert await queue.depth() == 0


async def test_a_delivery_is_settled_once(broker: Broker, consumers: Start) -> None:
    queue, job = broker.open(), new_job()
    await queue.publish(job, {})
    consumer = consumers(queue, 1)
    delivery = await consumer.next()
    await delivery.ack()
    await delivery.ack()
    await delivery.retry()
    await queue.publish(new_job(), {})
    assert (await consumer.next()).job_id != job.job_id


async def test_a_closed_queue_ends_its_consumers(broker: Broker, consumers: Start) -> None:
    queue = broker.open()
    await queue.publish(new_job(), {})
    consumer = consumers(queue, 1)
    await consumer.next()
    await queue.close()
    await soon(consumer.task)


async def test_a_settled_delivery_does_not_stay_in_memory_until_its_lease_would_have_ended() -> None:
    queue = MemoryJobQueue()
    deliveries = aiter(queue.consume(1))
    traces: list[weakref.ref[object]] = []
    for _ in range(5):
        await queue.publish(new_job(), {})
        delivery = await anext(deliveries)
        traces.append(weakref.ref(delivery))
        await delivery.ack()
    gc.collect()
    # The consumer keeps the last one in hand until the next comes.
    assert [trace() for trace in traces[:-1]] == [None] * 4
    await queue.close()
