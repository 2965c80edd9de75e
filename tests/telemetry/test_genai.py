"""Model calls by the GenAI conventions: spans, events and metrics, and content only when it is wanted."""

import asyncio
from collections.abc import Iterator

import pytest
from eco2_telemetry import genai
from eco2_telemetry.genai import ModelCalls
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import HistogramDataPoint, InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.semconv._incubating.attributes import gen_ai_attributes
from opentelemetry.semconv._incubating.metrics import gen_ai_metrics
from opentelemetry.trace import SpanKind, StatusCode

CANARY = "k4n4r1e"


class Recorded:
    """Model calls, and what was made of them."""

    def __init__(self) -> None:
        self._spans, self._reader = InMemorySpanExporter(), InMemoryMetricReader()
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(self._spans))
        self._meters = MeterProvider([self._reader], shutdown_on_exit=False)
        self.calls = ModelCalls(provider.get_tracer("t"), self._meters.get_meter("t"))

    @property
    def span(self) -> ReadableSpan:
        (only,) = self._spans.get_finished_spans()
        return only

    def points(self, metric: str) -> list[HistogramDataPoint]:
        data = self._reader.get_metrics_data()
        metrics = (
            [m for r in data.resource_metrics for s in r.scope_metrics for m in s.metrics] if data else []
        )
        return [point for one in metrics if one.name == metric for point in one.data.data_points]  # type: ignore[misc]

    def close(self) -> None:
        self._meters.shutdown()


@pytest.fixture
def recorded(environment: pytest.MonkeyPatch) -> Iterator[Recorded]:
    recorded = Recorded()
    yield recorded
    recorded.close()


def test_the_names_are_those_of_the_conventions() -> None:
    known = {value for name, value in vars(gen_ai_attributes).items() if name.startswith("GEN_AI_")}
    known |= {value for name, value in vars(gen_ai_metrics).items() if name.startswith("GEN_AI_")}
    ours = {value for value in vars(genai).values() if isinstance(value, str) and value.startswith("gen_ai.")}

    assert ours
    assert ours <= known


def test_a_streamed_call_tells_models_tokens_reason_and_first_chunk(recorded: Recorded) -> None:
    with recorded.calls.call(genai.CHAT, "gpt", {genai.REQUEST_STREAM: True}) as call:
        call.first_token()
        call.last_token()
        call.replied("gpt-2026", "stop")
        call.used(7, 11)

    span, attributes = recorded.span, dict(recorded.span.attributes or {})
    assert (span.name, span.kind, span.status.status_code) == ("chat gpt", SpanKind.CLIENT, StatusCode.UNSET)
    assert 0 < float(str(attributes.pop(genai.RESPONSE_TIME_TO_FIRST_CHUNK))) < 1
    assert attributes == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt",
        "gen_ai.request.stream": True,
        "gen_ai.response.model": "gpt-2026",
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.usage.input_tokens": 7,
        "gen_ai.usage.output_tokens": 11,
    }
    assert [event.name for event in span.events] == ["first_token", "last_token"]


def test_a_call_is_counted_with_its_duration_and_tokens(recorded: Recorded) -> None:
    with recorded.calls.call(genai.CHAT, "gpt") as call:
        call.first_token()
        call.replied("gpt-2026", "stop")
        call.used(7, 11)

    tokens = {
        point.attributes["gen_ai.token.type"]: point.sum for point in recorded.points(genai.TOKEN_USAGE)
    }  # type: ignore[index]
    assert tokens == {"input": 7, "output": 11}
    (duration,) = recorded.points(genai.OPERATION_DURATION)
    (first_chunk,) = recorded.points(genai.TIME_TO_FIRST_CHUNK)
    assert 0 < first_chunk.sum <= duration.sum < 1
    assert dict(duration.attributes or {}) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt",
        "gen_ai.response.model": "gpt-2026",
    }


def test_tokens_that_were_only_guessed_are_on_the_span_and_in_no_metric(recorded: Recorded) -> None:
    with recorded.calls.call(genai.CHAT, "gpt") as call:
        call.used(0, 5, is_estimated=True)

    assert (recorded.span.attributes or {})[genai.USAGE_OUTPUT_TOKENS] == 5
    assert recorded.points(genai.TOKEN_USAGE) == []


def test_a_failed_call_says_how_in_span_and_metric_and_not_in_what_words(recorded: Recorded) -> None:
    with pytest.raises(ValueError), recorded.calls.call(genai.CHAT, "gpt"):
        raise ValueError(CANARY)

    (duration,) = recorded.points(genai.OPERATION_DURATION)
    assert (duration.attributes or {})["error.type"] == "ValueError"
    assert (recorded.span.attributes or {})["error.type"] == "ValueError"
    assert recorded.span.status.status_code is StatusCode.ERROR
    assert CANARY not in recorded.span.to_json()


async def test_a_cancelled_call_is_counted_as_such_and_is_no_error_of_its_span(recorded: Recorded) -> None:
    with pytest.raises(asyncio.CancelledError), recorded.calls.call(genai.CHAT, "gpt"):
        raise asyncio.CancelledError

    (duration,) = recorded.points(genai.OPERATION_DURATION)
    assert (duration.attributes or {})["error.type"] == "CancelledError"
    assert recorded.span.status.status_code is StatusCode.UNSET


@pytest.mark.parametrize("wanted", [True, False])
def test_content_is_recorded_only_when_it_is_wanted(
    recorded: Recorded, environment: pytest.MonkeyPatch, wanted: bool
) -> None:
    environment.setenv(genai.CAPTURE_CONTENT, str(wanted).lower())

    with recorded.calls.call(genai.CHAT, "gpt") as call:
        call.asked([{"role": "user", "content": f"{CANARY} asked"}])
        call.said(f"{CANARY} ")
        call.said("said")

    recorded_text = recorded.span.to_json()
    assert (f"{CANARY} asked" in recorded_text) is wanted
    assert (f"{CANARY} said" in recorded_text) is wanted
