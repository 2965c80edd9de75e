"""Questions, intents and subagents in figures; names, labels and buckets are fixed by existing dashboards."""

import logging
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Histogram

from chat_worker.agents import AGENTS
from chat_worker.domain import Intent
from chat_worker.metrics.exemplars import current_exemplar

_log = logging.getLogger(__name__)

REQUEST_STATUSES = ("success", "error", "cancelled")
CALL_STATUSES = ("success", "error")
NO_INTENT = "none"


class PrometheusMetricsAdapter:
    """The MetricsPort over one registry; a fault in here is logged once and never reaches the request."""

    def __init__(self, registry: CollectorRegistry, provider: str) -> None:
        self._has_failed = False
        self._requests = Counter(
            "chat_requests",
            "Questions by intent and how they ended.",
            ["intent", "status", "provider"],
            registry=registry,
        )
        self._durations = Histogram(
            "chat_request_duration_seconds",
            "From the question to its end.",
            ["intent", "provider"],
            buckets=(0.1, 0.5, 1, 2, 5, 10, 30, 60),
            registry=registry,
        )
        self._errors = Counter(
            "chat_errors", "Questions that ended with an error.", ["intent", "error_type"], registry=registry
        )
        self._intents = Counter(
            "chat_intent_distribution", "What is asked for.", ["intent"], registry=registry
        )
        self._calls = Counter(
            "chat_subagent_calls", "Subagent calls.", ["subagent", "status"], registry=registry
        )
        self._call_durations = Histogram(
            "chat_subagent_duration_seconds",
            "A subagent's call.",
            ["subagent"],
            buckets=(0.05, 0.1, 0.25, 0.5, 1, 2, 5),
            registry=registry,
        )
        self._create_series(provider)

    def track_request(self, intent: str, status: str, provider: str, duration: float) -> None:
        self._safely(lambda: self._requests.labels(intent, status, provider).inc())
        self._safely(lambda: self._durations.labels(intent, provider).observe(duration, current_exemplar()))

    def track_intent(self, intent: str) -> None:
        self._safely(lambda: self._intents.labels(intent).inc())

    def track_error(self, intent: str, error_type: str) -> None:
        self._safely(lambda: self._errors.labels(intent, error_type).inc())

    def track_subagent_call(self, subagent: str, status: str, duration: float) -> None:
        self._safely(lambda: self._calls.labels(subagent, status).inc())
        self._safely(lambda: self._call_durations.labels(subagent).observe(duration, current_exemplar()))

    def _create_series(self, provider: str) -> None:
        """Every combination from the start: a ratio with an absent series is no data, not 0."""
        for intent in (*Intent, NO_INTENT):
            self._intents.labels(intent)
            self._durations.labels(intent, provider)
            for status in REQUEST_STATUSES:
                self._requests.labels(intent, status, provider)
        for subagent in (*AGENTS, "feedback"):
            self._call_durations.labels(subagent)
            for status in CALL_STATUSES:
                self._calls.labels(subagent, status)

    def _safely(self, count: Callable[[], None]) -> None:
        try:
            count()
        except Exception:
            if not self._has_failed:
                self._has_failed = True
                _log.exception("a metric could not be recorded; further failures are not logged")


class NoOpMetricsAdapter:
    """Counts nothing."""

    def track_request(self, intent: str, status: str, provider: str, duration: float) -> None:
        return None

    def track_intent(self, intent: str) -> None:
        return None

    def track_error(self, intent: str, error_type: str) -> None:
        return None

    def track_subagent_call(self, subagent: str, status: str, duration: float) -> None:
        return None
