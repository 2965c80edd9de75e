"""The answer's stream in figures: each counted once, and the gauge back at zero whatever happens."""

import asyncio
import socket

import aiohttp
import pytest
from chat_worker.errors import ModelRejected, ModelUnavailable
from chat_worker.metrics.server import serving
from chat_worker.metrics.stream import STATUSES, StreamMetrics, StreamMetricsTracker
from eco2_bus.log import Claim
from eco2_bus.memory import MemoryEventLog, MemoryJobQueue
from eco2_devservers import free_port
from prometheus_client import CollectorRegistry

from tests.worker.fakes import answer_to
from tests.worker.world import World, until

QUESTION = "페트병은?"


def value(world: World, name: str, **labels: str) -> float:
    return world.registry.get_sample_value(name, labels) or 0.0


async def test_an_answer_counts_its_tokens_its_delays_and_itself(world: World) -> None:
    story = await world.answer(QUESTION)
    await world.settled()
    tokens = value(world, "chat_stream_tokens_total", node="answer", status="success")
    assert tokens == story.ended["usage"]["output_tokens"] - 10
    assert value(world, "chat_stream_requests_total", status="success") == 1
    assert value(world, "chat_stream_token_count_sum", node="answer") == tokens
    assert value(world, "chat_stream_time_to_first_token_seconds_count", provider="fake") == 1
    assert value(world, "chat_stream_token_interval_seconds_count", provider="fake") == tokens - 1
    assert value(world, "chat_stream_token_latency_seconds_count", node="answer") >= 1
    assert value(world, "chat_stream_duration_seconds_count", node="answer", status="success") == 1
    assert value(world, "chat_stream_active") == 0


async def test_what_the_vendor_charges_is_counted_once_for_a_job(world: World) -> None:
    world.model.faults = [ModelUnavailable("down")]
    story = await world.answer(QUESTION)
    await world.settled()
    usage = story.ended["usage"]
    for kind in ("input", "output"):
        labels = {"provider": "fake", "model": usage["model"], "type": kind}
        assert value(world, "chat_token_usage_total", **labels) == usage[f"{kind}_tokens"] > 0


async def test_a_stream_under_way_shows_in_the_gauge(world: World) -> None:
    world.model.hold_after = 2
    job_id = await world.ask(QUESTION)
    await world.model.held.wait()
    assert value(world, "chat_stream_active") == 1
    await world.cancel(job_id)
    await world.story(job_id)
    await world.settled()
    assert value(world, "chat_stream_active") == 0
    assert value(world, "chat_stream_requests_total", status="cancelled") == 1


async def test_a_second_attempt_counts_as_recovered_and_the_first_as_an_error(world: World) -> None:
    world.model.faults = [ModelUnavailable("down")]
    story = await world.answer(QUESTION)
    await world.settled()
    assert story.text == answer_to(QUESTION)
    assert value(world, "chat_stream_requests_total", status="error") == 1
    assert value(world, "chat_stream_requests_total", status="recovered") == 1
    assert value(world, "chat_stream_requests_total", status="success") == 0
    assert value(world, "chat_stream_active") == 0


async def test_a_run_that_was_overtaken_or_erased_is_no_stream_of_its_own(world: World) -> None:
    world.model.hold_after = 2
    overtaken, erased = [await world.ask(QUESTION, session=session) for session in ("s1", "s2")]
    await until(lambda: len(world.model.prompts) == 2)
    await world.stop_consuming()
    await world.log.forget(erased)
    async with World(beside=world) as other:
        world.queue.take_back_all()
        await other.story(overtaken)
        world.model.go_on.set()
        await until(lambda: not world.consumer._running)
        await other.settled()
    for status in STATUSES:
        assert value(world, "chat_stream_requests_total", status=status) == 0
        assert value(world, "chat_stream_duration_seconds_count", node="answer", status=status) == 0
    assert value(world, "chat_stream_active") == 0


async def test_a_job_that_is_not_run_is_counted_by_the_reason(world: World) -> None:
    assert {reason: dropped(world, reason) for reason in ("gone", "running")} == {"gone": 0, "running": 0}
    gone, running = [await world.create(session=session) for session in ("s1", "s2")]
    await world.log.discard(gone.job_id)
    await world.log.take_over(running.job_id, Claim.FRESH, poison_after=3, poison=b"{}")
    for job in (gone, gone, running):
        await world.queue.publish(job, {})
        await world.settled()
    assert {reason: dropped(world, reason) for reason in ("gone", "running")} == {"gone": 2, "running": 1}


def dropped(world: World, reason: str) -> float | None:
    return world.registry.get_sample_value("chat_worker_jobs_dropped_total", {"reason": reason})


@pytest.mark.parametrize("fault", [ModelRejected("401"), ValueError("a bug")])
async def test_a_failed_stream_brings_the_gauge_down(
    world: World, fault: Exception, quick_retries: None
) -> None:
    world.model.faults = [fault] * 3
    await world.answer(QUESTION)
    await world.settled()
    assert value(world, "chat_stream_requests_total", status="error") >= 1
    assert value(world, "chat_stream_active") == 0


async def test_the_worker_serves_its_metrics_and_says_whether_it_is_ready() -> None:
    port, registry = free_port(), CollectorRegistry()
    async with (
        serving("127.0.0.1", port, registry, MemoryJobQueue(), MemoryEventLog()),
        aiohttp.ClientSession(f"http://127.0.0.1:{port}") as client,
    ):
        async with client.get("/readyz") as ready:
            assert (ready.status, (await ready.json())["dependencies"]) == (200, {"queue": "ok", "log": "ok"})
        async with client.get("/metrics", headers={"Accept": "application/openmetrics-text"}) as metrics:
            assert metrics.headers["Content-Type"].startswith("application/openmetrics-text")
            assert (await metrics.text()).endswith("# EOF\n")


async def test_a_taken_metrics_port_is_an_error_and_not_a_silence() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match="in use"):
            async with serving("127.0.0.1", port, CollectorRegistry(), MemoryJobQueue(), MemoryEventLog()):
                await asyncio.sleep(0)


@pytest.mark.parametrize("node", ["summarize", "feedback"])
def test_tokens_that_no_viewer_is_shown_are_counted_by_their_node(node: str) -> None:
    registry = CollectorRegistry()
    StreamMetrics(registry, "fake").track_stream_token(node, count=3, latency=0.001)
    for name, labels, figure in (
        ("chat_stream_tokens_total", {"node": node, "status": "success"}, 3),
        ("chat_stream_tokens_total", {"node": "answer", "status": "success"}, 0),
        ("chat_stream_token_latency_seconds_count", {"node": node}, 1),
    ):
        assert registry.get_sample_value(name, labels) == figure


def test_a_stream_without_a_context_is_counted_like_any_other() -> None:
    registry = CollectorRegistry()
    tracker = StreamMetricsTracker(StreamMetrics(registry, "fake"))
    tracker.start()
    assert registry.get_sample_value("chat_stream_active") == 1
    for _ in range(2):
        tracker.heard()
        tracker.record_token(0.002)
    tracker.finish("success")
    tracker.__exit__(None, None, None)
    assert registry.get_sample_value("chat_stream_active") == 0
    assert registry.get_sample_value("chat_stream_token_count_sum", {"node": "answer"}) == 2
