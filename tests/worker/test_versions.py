"""A job of a later version is left to a newer worker, for a limited time."""

import orjson
import pytest
from chat_worker import unanswered
from eco2_bus import topology
from eco2_bus.job import ChatJob
from eco2_bus.log import Claim
from eco2_bus.memory import MemoryDelivery
from eco2_bus.queue import QueueUnavailable

from tests.worker.fakes import SpyQueue
from tests.worker.world import World, until

QUESTION = "페트병은?"


def newer(job: ChatJob, schema: int = 2) -> bytes:
    """The message of a later version: another number, and a shape that this one does not know."""
    body = orjson.loads(job.to_body())
    return orjson.dumps({**body, "schema": schema, "message": {"parts": [body["message"]]}})


def quickly() -> World:
    return World(queue=SpyQueue(later_s=0.005))


async def test_a_newer_job_is_left_alone_until_a_newer_worker_takes_it() -> None:
    async with quickly() as world:
        job = await world.create(QUESTION)
        world.queue.put_raw(job.job_id, newer(job))
        await until(lambda: world.queue.steps.count("settled") >= 5)
        await world.stop_consuming()
        assert [entry.event for entry in await world.shown(job.job_id)] == ["queued"]
        assert not world.queue.dead
        delivery = await anext(aiter(world.queue.consume(1)))
        assert (delivery.body, delivery.is_handed_back, delivery.is_redelivered) == (newer(job), False, False)
        assert delivery.postponed >= 5


async def test_an_old_worker_answers_its_own_jobs_while_it_leaves_newer_ones_alone() -> None:
    async with World(queue=SpyQueue(later_s=60), concurrency=1) as world:
        for _ in range(20):
            job = await world.create(QUESTION)
            world.queue.put_raw(job.job_id, newer(job))
        assert (await world.answer(QUESTION, "mine")).end == "done"


async def test_when_no_newer_worker_comes_the_viewers_are_told_and_it_is_a_dead_letter(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(unanswered, "POSTPONED_AT_MOST", 3)
    async with quickly() as world:
        job = await world.create(QUESTION)
        world.queue.put_raw(job.job_id, newer(job, 7))
        story = await world.story(job.job_id)
        await world.settled()
        assert (story.names, story.ended["code"]) == (["queued", "error"], "unsupported_schema")
        assert [(reason, body) for reason, body in world.queue.dead] == [
            ("no newer worker came: schema 7", newer(job, 7))
        ]
        labels = {"intent": "none", "error_type": "unsupported_schema"}
        assert world.registry.get_sample_value("chat_errors_total", labels) == 1


async def test_a_newer_job_is_ended_only_if_no_newer_worker_is_busy_with_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(unanswered, "POSTPONED_AT_MOST", 0)
    async with quickly() as world:
        job = await world.create(QUESTION)
        await world.log.take_over(job.job_id, Claim.FRESH, poison_after=3, poison=b"{}")
        world.queue.put_raw(job.job_id, newer(job))
        await until(lambda: world.queue.dead)
        assert [entry.event for entry in await world.shown(job.job_id)] == ["queued", "started"]


async def test_a_newer_job_whose_newer_worker_died_is_ended_when_no_other_comes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(unanswered, "POSTPONED_AT_MOST", 2)
    async with quickly() as world:
        await world.stop_consuming()
        job = await world.create(QUESTION)
        await world.log.take_over(job.job_id, Claim.FRESH, poison_after=3, poison=b"{}")
        world.queue.put_raw(job.job_id, newer(job))
        await (await anext(aiter(world.queue.consume(1)))).retry()
        async with World(beside=world) as old:
            story = await old.story(job.job_id)
        assert (story.names, story.ended["code"]) == (["queued", "started", "error"], "unsupported_schema")


async def test_a_broker_that_takes_nothing_does_not_make_a_newer_job_vanish(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(topology, "DELIVERY_LIMIT", 1)
    async with quickly() as world:
        job = await world.create(QUESTION)
        world.queue.put_raw(job.job_id, newer(job))
        # The broker would throw it away after this delivery, and nobody would be told.
        assert (await world.story(job.job_id)).ended["code"] == "unsupported_schema"


async def test_a_broker_that_takes_nothing_for_a_while_does_not_end_a_newer_job(
    monkeypatch: pytest.MonkeyPatch, quick_retries: None
) -> None:
    postpone, refusals = MemoryDelivery.postpone, 2 * topology.DELIVERY_LIMIT

    async def refused_for_a_while(delivery: MemoryDelivery) -> None:
        nonlocal refusals
        refusals -= 1
        # An alarm of RabbitMQ stops who publishes, and nobody else.
        if refusals > 0:
            raise QueueUnavailable("alarm")
        await postpone(delivery)

    monkeypatch.setattr(MemoryDelivery, "postpone", refused_for_a_while)
    async with quickly() as world:
        job = await world.create(QUESTION)
        world.queue.put_raw(job.job_id, newer(job))
        await until(lambda: world.queue.dead or refusals < 0)
        assert [entry.event for entry in await world.shown(job.job_id)] == ["queued"]
        await world.stop_consuming()
        assert not world.queue.dead
