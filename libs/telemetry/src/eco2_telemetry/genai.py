"""Calls to a model as spans and metrics, by the OpenTelemetry GenAI conventions.

The one place that knows their names. A span is made per call, never per token.
"""

import asyncio
import os
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import orjson
from opentelemetry.metrics import Histogram, Meter, NoOpMeter
from opentelemetry.trace import Span, SpanKind, Tracer

from eco2_telemetry.spans import Value, span_of

CHAT = "chat"
EMBEDDINGS = "embeddings"
GENERATE_CONTENT = "generate_content"

OPERATION_NAME = "gen_ai.operation.name"
PROVIDER_NAME = "gen_ai.provider.name"
OUTPUT_TYPE = "gen_ai.output.type"
REQUEST_MODEL = "gen_ai.request.model"
REQUEST_MAX_TOKENS = "gen_ai.request.max_tokens"
REQUEST_STREAM = "gen_ai.request.stream"
RESPONSE_MODEL = "gen_ai.response.model"
RESPONSE_FINISH_REASONS = "gen_ai.response.finish_reasons"
RESPONSE_TIME_TO_FIRST_CHUNK = "gen_ai.response.time_to_first_chunk"
USAGE_INPUT_TOKENS = "gen_ai.usage.input_tokens"
USAGE_OUTPUT_TOKENS = "gen_ai.usage.output_tokens"
INPUT_MESSAGES = "gen_ai.input.messages"
OUTPUT_MESSAGES = "gen_ai.output.messages"
TOKEN_TYPE = "gen_ai.token.type"

TOKEN_USAGE = "gen_ai.client.token.usage"
OPERATION_DURATION = "gen_ai.client.operation.duration"
TIME_TO_FIRST_CHUNK = "gen_ai.client.operation.time_to_first_chunk"

FIRST_TOKEN = "first_token"
LAST_TOKEN = "last_token"

CAPTURE_CONTENT = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"

# The buckets that the conventions advise.
_TOKENS = [4.0**power for power in range(14)]
_DURATION_S = [0.01 * 2**power for power in range(14)]
_FIRST_CHUNK_S = [0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0]


def captures_content() -> bool:
    """Whether what is asked and answered may be recorded."""
    return os.environ.get(CAPTURE_CONTENT, "").lower() == "true"


class ModelCall:
    """One call under way; told what comes of it."""

    def __init__(self, span: Span, first_chunk_s: Histogram, labels: Mapping[str, Value]) -> None:
        self.labels: dict[str, Value] = dict(labels)
        self.tokens: dict[str, int] = {}
        self._span = span
        self._first_chunk_s = first_chunk_s
        self._began = time.perf_counter()
        self._said: list[str] = []
        self._keeps_content = span.is_recording() and captures_content()

    @property
    def elapsed_s(self) -> float:
        """Since the call began."""
        return time.perf_counter() - self._began

    def first_token(self) -> None:
        """The first text of a stream is there."""
        elapsed_s = self.elapsed_s
        self._span.add_event(FIRST_TOKEN)
        self._span.set_attribute(RESPONSE_TIME_TO_FIRST_CHUNK, elapsed_s)
        self._first_chunk_s.record(elapsed_s, self.labels)

    def last_token(self) -> None:
        """The stream's text is complete."""
        self._span.add_event(LAST_TOKEN)

    def replied(self, model: str | None, finish_reason: str | None) -> None:
        """By whom and why the reply ended."""
        if model:
            self.labels[RESPONSE_MODEL] = model
            self._span.set_attribute(RESPONSE_MODEL, model)
        if finish_reason:
            self._span.set_attribute(RESPONSE_FINISH_REASONS, [finish_reason])

    def used(self, input_tokens: int, output_tokens: int, *, is_estimated: bool = False) -> None:
        """What the call is billed by; an estimate is not counted in the metrics."""
        self._span.set_attribute(USAGE_INPUT_TOKENS, input_tokens)
        self._span.set_attribute(USAGE_OUTPUT_TOKENS, output_tokens)
        if not is_estimated:
            self.tokens = {"input": input_tokens, "output": output_tokens}

    def asked(self, messages: Sequence[Mapping[str, Any]]) -> None:
        """What goes to the model; recorded only where CAPTURE_CONTENT allows it."""
        if self._keeps_content:
            self._span.set_attribute(INPUT_MESSAGES, orjson.dumps(list(messages)).decode())

    def said(self, text: str) -> None:
        """What the model says, in one piece or in many; recorded only where CAPTURE_CONTENT allows it."""
        if self._keeps_content:
            self._said.append(text)

    def end(self) -> None:
        """Nothing more will be said."""
        if self._said:
            parts = [{"type": "text", "content": "".join(self._said)}]
            message = [{"role": "assistant", "parts": parts}]
            self._span.set_attribute(OUTPUT_MESSAGES, orjson.dumps(message).decode())


class ModelCalls:
    """Makes the spans and metrics of all calls to one provider."""

    def __init__(self, tracer: Tracer, meter: Meter | None = None, provider: str = "openai") -> None:
        meter = meter or NoOpMeter("eco2")
        self._tracer = tracer
        self._provider = provider
        self._tokens = meter.create_histogram(
            TOKEN_USAGE, "{token}", "Tokens in and out", explicit_bucket_boundaries_advisory=_TOKENS
        )
        self._duration_s = meter.create_histogram(
            OPERATION_DURATION, "s", "Duration of calls", explicit_bucket_boundaries_advisory=_DURATION_S
        )
        self._first_chunk_s = meter.create_histogram(
            TIME_TO_FIRST_CHUNK,
            "s",
            "Time to the first text",
            explicit_bucket_boundaries_advisory=_FIRST_CHUNK_S,
        )

    @contextmanager
    def call(
        self, operation: str, model: str, attributes: Mapping[str, Value] | None = None
    ) -> Generator[ModelCall]:
        """A CLIENT span `{operation} {model}` with its duration and, once they are told, its tokens."""
        labels: dict[str, Value] = {
            OPERATION_NAME: operation,
            PROVIDER_NAME: self._provider,
            REQUEST_MODEL: model,
        }
        with span_of(
            self._tracer,
            f"{operation} {model}",
            kind=SpanKind.CLIENT,
            attributes={**labels, **(attributes or {})},
        ) as span:
            call = ModelCall(span, self._first_chunk_s, labels)
            try:
                yield call
            except (Exception, asyncio.CancelledError) as error:
                call.labels["error.type"] = type(error).__qualname__
                raise
            finally:
                call.end()
                self._duration_s.record(call.elapsed_s, call.labels)
                for kind, count in call.tokens.items():
                    self._tokens.record(count, {**call.labels, TOKEN_TYPE: kind})
