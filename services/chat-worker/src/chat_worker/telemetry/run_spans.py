"""LangSmith's runs as spans that fit into our traces: constant names, honest statuses, nothing that was said.

The library makes them afterwards, in a thread of its own, and by its own ideas; this stands in between.
"""

import re
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from eco2_telemetry import genai
from opentelemetry.context import Context
from opentelemetry.trace import Link, Span, SpanContext, SpanKind, Status, StatusCode, Tracer, TracerProvider
from opentelemetry.util.types import Attributes, AttributeValue

_LEFT_OUT = re.compile(r"langsmith\.metadata\.(LANG|__|usage_metadata|revision_id)|gen_ai\.serialized\.")
_CONTENT = ("gen_ai.prompt", "gen_ai.completion", "langsmith.request.headers")
# How a run ends that has not failed: it waits for its user, or nobody wants it any more.
_NO_FAILURES = frozenset({"GraphInterrupt", "GraphBubbleUp", "ParentCommand", "CancelledError"})
_TYPE = re.compile(r"[A-Za-z_][\w.]*")


class RunSpans(TracerProvider):
    """The provider that LangSmith is given in front of the service's own."""

    def __init__(self, provider: TracerProvider) -> None:
        self._provider = provider

    def get_tracer(
        self,
        instrumenting_module_name: str,
        instrumenting_library_version: str | None = None,
        schema_url: str | None = None,
        attributes: Attributes | None = None,
    ) -> Tracer:
        return _RunTracer(self._provider.get_tracer(instrumenting_module_name))


class _RunTracer(Tracer):
    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer
        self._keeps_content = genai.captures_content()

    def start_span(
        self,
        name: str,
        context: Context | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        start_time: int | None = None,
        record_exception: bool = True,
        set_status_on_exception: bool = True,
    ) -> Span:
        span = self._tracer.start_span(
            span_name(name), context, kind, attributes, links, start_time, record_exception=False
        )
        return _RunSpan(span, self._keeps_content)

    @contextmanager
    def start_as_current_span(self, name: str, *args: Any, **kwargs: Any) -> Generator[Span]:  # pyright: ignore[reportIncompatibleMethodOverride]
        with self._tracer.start_as_current_span(span_name(name), *args, **kwargs) as span:
            yield span


def span_name(run_name: str) -> str:
    """`run {name}`, told apart from our own spans, without what differs from job to job."""
    return f"run {run_name.partition(':')[0]}"


class _RunSpan(Span):
    def __init__(self, span: Span, keeps_content: bool) -> None:
        self._span = span
        self._keeps_content = keeps_content

    def get_span_context(self) -> SpanContext:
        return self._span.get_span_context()

    def set_attribute(self, key: str, value: AttributeValue) -> None:
        if _LEFT_OUT.match(key) or (key in _CONTENT and not self._keeps_content):
            return
        self._span.set_attribute(key, value)

    def set_attributes(self, attributes: Mapping[str, AttributeValue]) -> None:
        for key, value in attributes.items():
            self.set_attribute(key, value)

    def set_status(self, status: Status | StatusCode, description: str | None = None) -> None:
        """Set by `record_exception` alone: the library says OK of what is still under way."""

    def record_exception(
        self,
        exception: BaseException,
        attributes: Attributes = None,
        timestamp: int | None = None,
        escaped: bool = False,
    ) -> None:
        """The text begins with the type of the error, which is all that is kept of it."""
        found = _TYPE.match(str(exception))
        kind = found[0] if found else "Exception"
        if kind not in _NO_FAILURES:
            self._span.set_attribute("error.type", kind)
            self._span.set_status(StatusCode.ERROR)

    def add_event(self, name: str, attributes: Attributes = None, timestamp: int | None = None) -> None:
        if self._keeps_content:
            self._span.add_event(name, attributes, timestamp)

    def update_name(self, name: str) -> None:
        self._span.update_name(span_name(name))

    def is_recording(self) -> bool:
        return self._span.is_recording()

    def end(self, end_time: int | None = None) -> None:
        self._span.end(end_time)
