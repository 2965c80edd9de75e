"""Two lanes of jobs: neither keeps the other waiting; over both brokers."""

import asyncio
from collections.abc import Callable

import pytest
from eco2_bus import topology
from eco2_bus.queue import Delivery, JobQueue, QueueFull

from tests.bus.brokers import Broker, Consumer, new_job, soon

Start = Callable[[JobQueue, int], Consumer]
HEADERS = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}


async def publish_many(queue: JobQueue, count: int, lane: str) -> list[str]:
    jobs = [new_job() for _ in range(count)]
    for job in jobs:
        await queue.publish(job, {}, lane)
    return [job.job_id for job in jobs]


async def test_a_burst_takes_what_is_free_and_keeps_nobody_in_the_main_lane_waiting(
    broker: Broker, consumers: Start
) -> None:
    queue = broker.open()
    await publish_many(queue, 20, topology.BURST)
    consumer = consumers(queue, 8)
    burst = [await consumer.next() for _ in range(8)]
    assert {delivery.queue for delivery in burst} == {topology.BURST}
    mine = await publish_many(queue, 9, topology.JOBS)
    main = [await consumer.next() for _ in range(8)]
    assert [delivery.job_id for delivery in main] == mine[:8]
    for delivery in burst:
        await delivery.ack()
    # With the main lane full the burst is down to its share, and gets no slot beyond it.
    assert [(await consumer.next()).queue for _ in range(2)] == [topology.BURST] * 2
    await queue.check()
    assert consumer.got.empty()
    assert await queue.depth() == 11
    await main[0].ack()
    assert (await consumer.next()).job_id == mine[8]
    await queue.check()
    assert consumer.got.empty()


async def test_a_burst_gets_the_slots_that_the_main_lane_gives_up(broker: Broker, consumers: Start) -> None:
    queue = broker.open()
    await publish_many(queue, 8, topology.JOBS)
    await publish_many(queue, 20, topology.BURST)
    consumer = consumers(queue, 8)
    first = [await consumer.next() for _ in range(10)]
    for delivery in first:
        if delivery.queue == topology.JOBS:
            await delivery.ack()
    assert [(await consumer.next()).queue for _ in range(6)] == [topology.BURST] * 6
    await queue.check()
    assert consumer.got.empty()


async def test_a_job_that_joins_a_burst_whose_share_is_taken_is_noticed(
    broker: Broker, consumers: Start
) -> None:
    queue = broker.open()
    consumer = consumers(queue, 4)
    for _ in range(4):
        (job_id,) = await publish_many(queue, 1, topology.BURST)
        assert (await consumer.next()).job_id == job_id


async def test_a_consumer_that_stops_leaves_the_burst_to_others(broker: Broker, consumers: Start) -> None:
    queue, other = broker.open(), broker.open()
    await publish_many(queue, 40, topology.BURST)
    first = consumers(queue, 20)
    held = [await first.next()]
    await first.stop()
    while not first.got.empty():
        held.append(first.got.get_nowait())
    second = consumers(other, 64)
    got = {(await second.next()).job_id for _ in range(40 - len(held))}
    assert got.isdisjoint({delivery.job_id for delivery in held})


async def test_a_full_main_lane_does_not_starve_a_burst(broker: Broker, consumers: Start) -> None:
    queue = broker.open()
    await publish_many(queue, 6, topology.JOBS)
    bursts = await publish_many(queue, 3, topology.BURST)
    consumer = consumers(queue, 1)
    held: dict[str, Delivery] = {}
    got: list[str] = []
    while len(got) < 3:
        delivery = await consumer.next()
        held[delivery.queue] = delivery
        if delivery.queue == topology.BURST:
            got.append(delivery.job_id)
            await delivery.ack()
    assert got == bursts
    # The one slot of the main lane was taken all the while.
    assert await queue.depth() == 5


@pytest.mark.parametrize("prefetch", [1, 4, 64])
async def test_the_depth_is_that_of_both_lanes_or_of_those_that_are_named(
    broker: Broker, prefetch: int
) -> None:
    queue = broker.open()
    await publish_many(queue, 3, topology.JOBS)
    await publish_many(queue, 2, topology.BURST)
    assert await queue.depth() == 5
    assert await queue.depth([topology.JOBS]) == 3
    assert await queue.depth([topology.BURST]) == 2


async def test_who_takes_jobs_of_a_lane_is_counted(broker: Broker, consumers: Start) -> None:
    queue, other = broker.open(), broker.open()
    await queue.check()

    async def until(count: int) -> None:
        async with asyncio.timeout(20):
            while [await queue.consumers(lane) for lane in topology.LANES] != [count, count]:  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    await until(0)
    first = consumers(other, 4)
    await until(1)
    await publish_many(queue, 1, topology.JOBS)
    await (await first.next()).ack()
    assert await queue.consumers(topology.JOBS) == 1
    second = consumers(other, 4)
    await until(2)
    await first.stop()
    await until(1)
    await second.stop()
    await until(0)


async def test_a_burst_that_fills_its_lane_is_refused_and_nobody_else_is(broker: Broker) -> None:
    queue = broker.open(max_length=3)
    # RabbitMQ tells its publishers with a delay, so a few more than three get in.
    with pytest.raises(QueueFull):
        await publish_many(queue, 100, topology.BURST)
    await queue.publish(new_job(), {})


@pytest.mark.parametrize("way", ["retry", "lost"])
async def test_a_burst_job_comes_again_on_its_own_lane(broker: Broker, consumers: Start, way: str) -> None:
    queue = broker.open(loses_leases=True)
    (job_id,) = await publish_many(queue, 1, topology.BURST)
    consumer = consumers(queue, 4)
    first = await consumer.next()
    await (first.retry() if way == "retry" else broker.lose_leases())
    again = await consumer.next()
    assert (again.job_id, again.queue, again.is_redelivered) == (job_id, topology.BURST, True)
    await again.ack()


async def test_a_burst_job_that_was_begun_and_handed_back_goes_on_in_the_main_lane(
    broker: Broker, consumers: Start
) -> None:
    queue = broker.open()
    (job_id,) = await publish_many(queue, 1, topology.BURST)
    consumer = consumers(queue, 4)
    await (await consumer.next()).hand_back()
    again = await consumer.next()
    assert (again.job_id, again.queue, again.is_handed_back) == (job_id, topology.JOBS, True)
    await again.ack()


async def test_a_burst_job_that_is_given_up_is_a_dead_letter_like_any_other(
    broker: Broker, consumers: Start
) -> None:
    queue, job = broker.open(), new_job()
    await queue.publish(job, {}, topology.BURST)
    await (await consumers(queue, 1).next()).dead_letter("poisoned")
    assert await broker.dead_letters(1) == [job.to_body()]


async def test_a_postponed_job_comes_again_by_itself_and_tells_how_often_it_was_away(
    broker: Broker, consumers: Start
) -> None:
    queue, job = broker.open(later_s=0.1), new_job()
    await queue.publish(job, HEADERS)
    consumer = consumers(queue, 1)
    for times in range(4):
        delivery = await consumer.next()
        assert (delivery.job_id, delivery.body, delivery.postponed) == (job.job_id, job.to_body(), times)
        assert (delivery.deliveries, delivery.is_redelivered, delivery.is_handed_back) == (1, False, False)
        assert delivery.headers["traceparent"] == HEADERS["traceparent"]
        await delivery.postpone()
        assert consumer.got.empty()
        assert await queue.depth() == 0
    await (await consumer.next()).ack()


@pytest.mark.parametrize("way", ["retry", "hand_back"])
async def test_what_was_begun_before_it_is_postponed_does_not_come_as_if_nobody_had(
    broker: Broker, consumers: Start, way: str
) -> None:
    queue, job = broker.open(later_s=0.1), new_job()
    await queue.publish(job, {})
    consumer = consumers(queue, 1)
    await getattr(await consumer.next(), way)()
    await (await consumer.next()).postpone()
    again = await consumer.next()
    assert (again.is_redelivered, again.is_handed_back, again.postponed) == (False, True, 1)
    await again.postpone()
    assert (await soon(consumer.next())).is_handed_back


async def test_others_are_begun_at_once_while_a_burst_in_a_lane_of_its_own_lasts(
    broker: Broker, consumers: Start
) -> None:
    queue = broker.open()
    await publish_many(queue, 40, topology.BURST)
    consumer = consumers(queue, 4)
    for _ in range(4):
        await consumer.next()
    for _ in range(4):
        (mine,) = await publish_many(queue, 1, topology.JOBS)
        assert (await consumer.next()).job_id == mine
