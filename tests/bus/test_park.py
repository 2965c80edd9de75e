"""A job that waits for its user is a message that comes back by itself, over both brokers."""

import asyncio
import time
from collections.abc import Callable

import pytest
from eco2_bus import topology
from eco2_bus.job import ChatJob, Location, Resume
from eco2_bus.memory import MemoryJobQueue
from eco2_bus.queue import Delivery, JobQueue, QueueFull, QueueUnavailable

from tests.bus.brokers import Broker, Consumer, RabbitBroker, new_job, soon

Start = Callable[[JobQueue, int], Consumer]
HEADERS = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "tracestate": "a=b"}


def asking(message: str = "근처 수거함은 어디예요?") -> ChatJob:
    return new_job(message).model_copy(update={"resume": Resume(after="1-3")})


def kind(delivery: Delivery) -> tuple[int, bool, bool]:
    return delivery.deliveries, delivery.is_redelivered, delivery.is_handed_back


async def test_a_parked_job_comes_back_once_and_as_a_fresh_message(broker: Broker, consumers: Start) -> None:
    queue, job = broker.open(waiting_s=0.3), asking()
    consumer = consumers(queue, 5)
    began = time.monotonic()
    await queue.park(job, HEADERS)
    assert await queue.depth() == 0
    back = await consumer.next()
    assert time.monotonic() - began >= 0.29
    assert (back.job_id, back.body, kind(back)) == (job.job_id, job.to_body(), (1, False, False))
    assert back.headers == HEADERS
    await back.ack()
    later = asking()
    await queue.park(later, {})
    assert (await consumer.next()).job_id == later.job_id
    assert consumer.got.empty()


async def test_parked_jobs_come_back_in_their_order_whoever_parked_them(
    broker: Broker, consumers: Start
) -> None:
    mine, other = broker.open(waiting_s=0.2), broker.open(waiting_s=0.2)
    jobs = [asking() for _ in range(20)]
    for n, job in enumerate(jobs):
        await (mine if n % 2 else other).park(job, {})
    consumer = consumers(mine, 50)
    assert [(await consumer.next()).job_id for _ in jobs] == [job.job_id for job in jobs]


async def test_a_parked_job_that_is_given_up_is_redelivered_like_any_other(
    broker: Broker, consumers: Start
) -> None:
    queue, job = broker.open(waiting_s=0.1), asking()
    consumer = consumers(queue, 1)
    await queue.park(job, {})
    await (await consumer.next()).retry()
    again = await consumer.next()
    assert (again.job_id, kind(again)) == (job.job_id, (2, True, False))
    await again.ack()


@pytest.mark.parametrize("way", ["park", "publish"])
async def test_a_job_that_was_failed_and_handed_back_before_it_waited_comes_fresh_all_the_same(
    broker: Broker, consumers: Start, way: str
) -> None:
    queue, job = broker.open(waiting_s=0.1), asking()
    consumer = consumers(queue, 1)
    await queue.publish(job, HEADERS)
    await (await consumer.next()).retry()
    await (await consumer.next()).hand_back()
    handed_back = await consumer.next()
    # Published where nobody else can wait: as handed back it would take the job from who has the answer.
    await (queue.park if way == "park" else queue.publish)(job, handed_back.headers)
    await handed_back.ack()
    back = await consumer.next()
    assert (back.headers, kind(back)) == (HEADERS, (1, False, False))
    await back.ack()


async def test_a_job_can_wait_any_number_of_times(broker: Broker, consumers: Start) -> None:
    queue, job = broker.open(waiting_s=0.1), asking()
    consumer = consumers(queue, 1)
    await queue.park(job, HEADERS)
    for _ in range(4):
        back = await consumer.next()
        assert (back.headers, kind(back)) == (HEADERS, (1, False, False))
        await queue.park(job, back.headers)
        await back.ack()
    await (await consumer.next()).ack()
    assert await queue.depth() == 0


async def test_the_users_answer_overtakes_the_time_out_which_comes_later(
    broker: Broker, consumers: Start
) -> None:
    queue, waiting = broker.open(waiting_s=0.3), asking()
    here = Resume(after="1-3", location=Location(latitude=37.5, longitude=127.0))
    await queue.park(waiting, {})
    await queue.publish(waiting.model_copy(update={"resume": here}), {})
    consumer = consumers(queue, 5)
    resumes = [ChatJob.from_body((await consumer.next()).body).resume for _ in range(2)]
    assert resumes == [here, Resume(after="1-3")]


async def test_nothing_is_lost_when_a_wait_ends_while_the_queue_is_full(
    broker: Broker, consumers: Start
) -> None:
    if isinstance(broker, RabbitBroker):
        await _retry_dead_letters_soon(broker)
    queue = broker.open(max_length=2, waiting_s=0.2)
    jobs = await _fill(queue)
    for _ in range(60):
        jobs.append(asking())
        await queue.park(jobs[-1], {})
    if isinstance(broker, RabbitBroker):
        await _until_all_have_expired(broker)
        assert await queue.depth() < len(jobs), "the queue refused none of those that came back"
    consumer = consumers(queue, 1)
    got: set[str] = set()
    while len(got) < len(jobs):
        delivery = await consumer.next()
        got.add(delivery.job_id)
        await delivery.ack()
    assert got == {job.job_id for job in jobs}


async def _retry_dead_letters_soon(broker: RabbitBroker) -> None:
    """RabbitMQ offers what a full queue refused again after three minutes."""
    setting = "rabbit, dead_letter_worker_publisher_confirm_timeout, 300"
    await asyncio.to_thread(broker.server.ctl, "eval", f"application:set_env({setting}).")


async def _fill(queue: JobQueue) -> list[ChatJob]:
    jobs: list[ChatJob] = []
    while True:
        job = new_job()
        try:
            await queue.publish(job, {})
        except QueueFull:
            return jobs
        jobs.append(job)
        assert len(jobs) < 100


async def _until_all_have_expired(broker: RabbitBroker) -> None:
    async with broker.channel() as channel, asyncio.timeout(30):
        while True:
            waiting = await channel.declare_queue(topology.WAITING, passive=True)
            if not waiting.declaration_result.message_count:
                return
            await asyncio.sleep(0.02)


async def test_more_jobs_than_may_wait_are_refused(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(topology, "WAITING_MAX_LENGTH", 3)
    queue = broker.open()
    # RabbitMQ tells its publishers with a delay, so a few more than three get in.
    with pytest.raises(QueueFull):
        await _park_many(queue, 100)


async def _park_many(queue: JobQueue, count: int) -> None:
    for _ in range(count):
        await queue.park(asking(), {})


async def test_a_closed_queue_brings_nothing_back() -> None:
    closed, later = MemoryJobQueue(waiting_s=0.01), MemoryJobQueue(waiting_s=0.03)
    for queue in (closed, later):
        await queue.park(asking(), {})
    await closed.close()
    await soon(anext(later.consume(1)))
    assert await closed.depth() == 0
    await later.close()


@pytest.mark.parametrize("way", ["stop", "kill"])
async def test_a_wait_goes_on_across_a_restart_of_the_broker(
    rabbit_broker: RabbitBroker, consumers: Start, way: str
) -> None:
    server, queue, job = rabbit_broker.server, rabbit_broker.open(waiting_s=2.0), asking()
    await queue.park(job, HEADERS)
    await asyncio.to_thread(server.settle)
    await asyncio.to_thread(getattr(server, way))
    with pytest.raises(QueueUnavailable):
        await soon(queue.park(job, HEADERS))
    await asyncio.to_thread(server.start)
    consumer = consumers(queue, 5)
    back = await consumer.next()
    assert (back.job_id, back.headers, kind(back)) == (job.job_id, HEADERS, (1, False, False))
    await back.ack()
    last = asking()
    await _park_stubbornly(queue, last)
    assert (await consumer.next()).job_id == last.job_id


async def _park_stubbornly(queue: JobQueue, job: ChatJob) -> None:
    async with asyncio.timeout(30):
        while True:
            try:
                return await queue.park(job, {})
            except QueueUnavailable:
                await asyncio.sleep(0.02)


async def test_processes_that_differ_about_the_waiting_time_are_not_served(
    rabbit_broker: RabbitBroker,
) -> None:
    await rabbit_broker.open(waiting_s=60).check()
    other = rabbit_broker.open(waiting_s=61)
    with pytest.raises(QueueUnavailable, match="ChannelPreconditionFailed"):
        await soon(other.check())


async def test_a_wait_in_a_queue_that_was_deleted_is_refused_and_the_next_one_taken(
    rabbit_broker: RabbitBroker, consumers: Start
) -> None:
    queue = rabbit_broker.open(waiting_s=0.1)
    await queue.check()
    async with rabbit_broker.channel() as channel:
        await channel.queue_delete(topology.WAITING)
    with pytest.raises(QueueUnavailable):
        await soon(queue.park(asking(), {}))
    job = asking()
    await soon(queue.park(job, {}))
    assert (await consumers(queue, 1).next()).job_id == job.job_id
