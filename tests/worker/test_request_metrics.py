"""Questions, intents, errors and subagents in figures: each moves once, and no label grows without bound."""

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from chat_worker.agents import AGENTS, Agent
from chat_worker.domain import Finding, Intent, Turn
from chat_worker.errors import ModelRejected, ModelUnavailable, Transient
from chat_worker.metrics.requests import (
    CALL_STATUSES,
    NO_INTENT,
    REQUEST_STATUSES,
    NoOpMetricsAdapter,
    PrometheusMetricsAdapter,
)
from chat_worker.metrics.stream import NODES
from chat_worker.ports import MetricsPort, Tools
from prometheus_client import CollectorRegistry

from tests.worker.fakes import MODEL, answer_to
from tests.worker.world import World

QUESTION = "페트병은?"
TWO = "페트병이랑 캔 시세는?"
BOUNDED = {
    "intent": {*Intent, NO_INTENT},
    "status": {*REQUEST_STATUSES, *CALL_STATUSES, "recovered"},
    "provider": {"fake"},
    "subagent": {*AGENTS, "feedback"},
    "error_type": {"model_rejected", "answer_refused", "deadline_exceeded"},
    "node": {*NODES},
    "model": {MODEL},
    "type": {"input", "output"},
    "reason": {"gone", "running"},
}


def value(world: World, name: str, **labels: str) -> float:
    return world.registry.get_sample_value(name, labels) or 0


def moved(registry: CollectorRegistry) -> dict[str, float]:
    """The counters and counts of this adapter that are not at zero."""
    return {
        f"{sample.name} {' '.join(sample.labels.values())}": sample.value
        for family in registry.collect()
        for sample in family.samples
        if sample.name.endswith(("_total", "_count", "_sum")) and sample.value
    }


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


def test_a_request_counts_by_intent_status_and_provider_and_takes_its_time(
    registry: CollectorRegistry,
) -> None:
    PrometheusMetricsAdapter(registry, "fake").track_request("waste", "success", "fake", 1.5)
    assert moved(registry) == {
        "chat_requests_total waste success fake": 1,
        "chat_request_duration_seconds_count waste fake": 1,
        "chat_request_duration_seconds_sum waste fake": 1.5,
    }


def test_an_intent_an_error_and_a_call_each_count_once(registry: CollectorRegistry) -> None:
    metrics = PrometheusMetricsAdapter(registry, "fake")
    metrics.track_intent("weather")
    metrics.track_error("weather", "model_rejected")
    metrics.track_subagent_call("weather", "error", 0.25)
    assert moved(registry) == {
        "chat_intent_distribution_total weather": 1,
        "chat_errors_total weather model_rejected": 1,
        "chat_subagent_calls_total weather error": 1,
        "chat_subagent_duration_seconds_count weather": 1,
        "chat_subagent_duration_seconds_sum weather": 0.25,
    }


def test_every_series_that_a_ratio_needs_is_there_from_the_start(registry: CollectorRegistry) -> None:
    PrometheusMetricsAdapter(registry, "fake")
    for intent in (*Intent, NO_INTENT):
        assert registry.get_sample_value("chat_intent_distribution_total", {"intent": intent}) == 0
        for status in REQUEST_STATUSES:
            labels = {"intent": intent, "status": status, "provider": "fake"}
            assert registry.get_sample_value("chat_requests_total", labels) == 0
    for subagent in (*AGENTS, "feedback"):
        for status in CALL_STATUSES:
            labels = {"subagent": subagent, "status": status}
            assert registry.get_sample_value("chat_subagent_calls_total", labels) == 0


async def test_an_answer_counts_its_request_its_intents_and_its_agents(world: World) -> None:
    world.model.intents[TWO] = [("waste", "페트병은?"), ("recyclable_price", "캔 시세는?")]
    await world.answer(TWO)
    await world.settled()
    assert value(world, "chat_requests_total", intent="waste", status="success", provider="fake") == 1
    assert value(world, "chat_request_duration_seconds_count", intent="waste", provider="fake") == 1
    for intent in ("waste", "recyclable_price"):
        assert value(world, "chat_intent_distribution_total", intent=intent) == 1
    assert value(world, "chat_subagent_calls_total", subagent="waste_rag", status="success") == 1
    assert value(world, "chat_subagent_calls_total", subagent="recyclable_price", status="error") == 1


async def test_the_time_of_a_request_runs_from_the_question(world: World) -> None:
    job = await world.create(QUESTION)
    aged = job.model_copy(update={"created_at_ms": job.created_at_ms - 7_000})
    await world.queue.publish(aged, {})
    await world.story(job.job_id)
    await world.settled()
    took = value(world, "chat_request_duration_seconds_sum", intent="waste", provider="fake")
    assert 7 <= took < 17


async def test_a_cancelled_question_counts_as_cancelled(world: World) -> None:
    world.model.hold_after = 2
    job_id = await world.ask(QUESTION)
    await world.model.held.wait()
    await world.cancel(job_id)
    await world.story(job_id)
    await world.settled()
    assert value(world, "chat_requests_total", intent="waste", status="cancelled", provider="fake") == 1
    assert not [name for name in moved(world.registry) if name.startswith("chat_errors")]


async def test_a_question_that_ends_with_an_error_counts_its_kind(world: World) -> None:
    world.model.faults = [ModelRejected("401")]
    await world.answer(QUESTION)
    await world.settled()
    assert value(world, "chat_requests_total", intent="waste", status="error", provider="fake") == 1
    assert value(world, "chat_errors_total", intent="waste", error_type="model_rejected") == 1


async def test_a_question_that_was_never_understood_counts_without_an_intent() -> None:
    async with World(job_deadline_s=0.05) as world:
        world.model.hold_understanding = True
        story = await world.answer(QUESTION)
        await world.settled()
    assert story.ended["code"] == "deadline_exceeded"
    assert value(world, "chat_requests_total", intent="none", status="error", provider="fake") == 1
    assert value(world, "chat_errors_total", intent="none", error_type="deadline_exceeded") == 1


async def test_an_attempt_that_is_tried_again_is_no_request_of_its_own(
    world: World, quick_retries: None
) -> None:
    world.model.faults = [ModelUnavailable("cut")]
    await world.answer(QUESTION)
    await world.settled()
    requests = {
        name: count for name, count in moved(world.registry).items() if name.startswith("chat_requests")
    }
    assert requests == {"chat_requests_total waste success fake": 1}
    assert value(world, "chat_intent_distribution_total", intent="waste") == 1


async def test_an_agent_that_fails_counts_as_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(_turn: Turn, _tools: Tools) -> Finding:
        raise Transient("down")

    monkeypatch.setitem(AGENTS, "waste_rag", Agent(broken, 2, 1, "for this test"))
    async with World() as world:
        story = await world.answer(QUESTION)
    assert story.end == "done"
    assert value(world, "chat_subagent_calls_total", subagent="waste_rag", status="error") == 1
    assert value(world, "chat_subagent_duration_seconds_count", subagent="waste_rag") == 1


class BrokenCounter:
    """A metric that cannot be counted."""

    def labels(self, *_labels: str) -> Any:
        raise ValueError("the registry is broken")


def break_all(metrics: MetricsPort) -> None:
    for name, metric in vars(metrics).items():
        if hasattr(metric, "labels"):
            setattr(metrics, name, BrokenCounter())


async def test_a_broken_registry_never_reaches_the_request_and_is_logged_once(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    break_all(world.consumer._shop.metrics)
    with caplog.at_level(logging.ERROR):
        for _ in range(3):
            story = await world.answer(QUESTION)
            assert (story.end, story.text) == ("done", answer_to(QUESTION))
    logged = [record for record in caplog.records if "metric" in record.getMessage()]
    assert len(logged) == 1
    assert moved(world.registry).get("chat_requests_total waste success fake") is None


async def test_a_broken_registry_does_not_hide_how_a_question_ends(world: World) -> None:
    break_all(world.consumer._shop.metrics)
    world.model.faults = [ModelRejected("401")]
    story = await world.answer(QUESTION)
    await world.settled()
    assert (story.end, story.ended["code"]) == ("error", "model_rejected")


def labels_of(registry: CollectorRegistry) -> Iterator[tuple[str, str]]:
    for family in registry.collect():
        for sample in family.samples:
            yield from ((name, label) for name, label in sample.labels.items() if name != "le")


async def test_no_label_is_made_of_what_users_or_models_say(world: World, quick_retries: None) -> None:
    world.model.intents = {
        TWO: [("waste", "모르는 것"), ("weather", "x"), ("image_generation", "y")],
        "보내 줘": [("character", "z"), ("location", "강남")],
    }
    world.model.entities = {"x": {"place": "강남"}, "강남": {"place": "강남"}}
    for question in (TWO, "보내 줘", QUESTION, "안녕"):
        await world.answer(question, session=f"s{len(question)}")
    world.model.replies = ['{"language": "ko", "intents": [{"intent": "<script>", "confidence": 1}]}']
    await world.answer("무엇?")
    world.model.faults = [ModelRejected("401 at https://secret.example")]
    await world.answer("틀려?")
    await world.settled()
    unknown = {(name, label) for name, label in labels_of(world.registry) if label not in BOUNDED[name]}
    assert unknown == set()


def test_where_nothing_is_counted_nothing_happens() -> None:
    metrics: MetricsPort = NoOpMetricsAdapter()
    assert metrics.track_request("waste", "success", "fake", 1) is None
    assert metrics.track_intent("waste") is None
    assert metrics.track_error("waste", "x") is None
    assert metrics.track_subagent_call("weather", "error", 1) is None
