"""From a point of a histogram to its trace, and what recording a token costs."""

import timeit

from chat_worker.metrics.requests import PrometheusMetricsAdapter
from chat_worker.metrics.stream import StreamMetrics, StreamMetricsTracker
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, Sampler
from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.openmetrics.exposition import generate_latest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

MOST_OBSERVATIONS = 12
"""What recording a token may cost, in plain observations of a histogram made in the same moment."""
"""A few microseconds, with room for a machine that does other things too; printed as measured."""


def traces_told(registry: CollectorRegistry) -> dict[str, str]:
    """The trace that each histogram leads to, as a scrape in OpenMetrics tells it."""
    families = text_string_to_metric_families(generate_latest(registry).decode())
    samples = (sample for family in families for sample in family.samples)
    return {sample.name: sample.exemplar.labels["trace_id"] for sample in samples if sample.exemplar}


def stream_in_a_trace(sampler: Sampler) -> tuple[CollectorRegistry, str]:
    """One stream and one request with a subagent; gives the trace they belong to."""
    registry = CollectorRegistry()
    streams, requests = StreamMetrics(registry, "fake"), PrometheusMetricsAdapter(registry, "fake")
    tracer = TracerProvider(sampler=sampler, shutdown_on_exit=False).get_tracer("test")
    with tracer.start_as_current_span("process_chat") as span:
        with StreamMetricsTracker(streams) as tracker:
            tracker.heard()
            tracker.record_token(0.002)
            tracker.finish("success")
        requests.track_request("waste", "success", "fake", 1.5)
        requests.track_subagent_call("waste_rag", "success", 0.2)
    return registry, f"{span.get_span_context().trace_id:032x}"


def test_durations_and_the_first_token_lead_to_the_trace() -> None:
    registry, trace_id = stream_in_a_trace(ALWAYS_ON)
    assert traces_told(registry) == {
        "chat_stream_duration_seconds_bucket": trace_id,
        "chat_stream_time_to_first_token_seconds_bucket": trace_id,
        "chat_request_duration_seconds_bucket": trace_id,
        "chat_subagent_duration_seconds_bucket": trace_id,
    }


def test_a_trace_that_nobody_keeps_is_not_linked_to() -> None:
    registry, _ = stream_in_a_trace(ALWAYS_OFF)
    assert traces_told(registry) == {}
    assert registry.get_sample_value("chat_stream_requests_total", {"status": "success"}) == 1


def test_recording_a_token_costs_a_few_observations() -> None:
    plain = Histogram("plain", "For comparison.", registry=None)
    tracker = StreamMetricsTracker(StreamMetrics(CollectorRegistry(), "fake"))
    with tracker:
        heard_us = min(timeit.repeat(tracker.heard, number=5_000, repeat=5)) / 5_000 * 1e6
        landed = timeit.repeat(lambda: tracker.record_token(0.002), number=5_000, repeat=5)
        landed_us = min(landed) / 5_000 * 1e6
    plain_us = min(timeit.repeat(lambda: plain.observe(0.002), number=5_000, repeat=5)) / 5_000 * 1e6
    print(f"\nrecording: {heard_us:.2f} us a chunk of the model, {landed_us:.2f} us a write")
    assert heard_us + landed_us < MOST_OBSERVATIONS * plain_us
