"""W3C trace context in and out of text headers, whatever carries them."""

from collections.abc import Mapping

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import SpanContext
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

_W3C = TraceContextTextMapPropagator()


def inject() -> dict[str, str]:
    """The current span as `traceparent` and `tracestate` headers; empty without a span."""
    headers: dict[str, str] = {}
    _W3C.inject(headers)
    return headers


def extract(headers: Mapping[str, str]) -> Context:
    """The caller's span as a context of its own; malformed headers give an empty one."""
    return _W3C.extract(headers, context=Context())


def span_context(traceparent: str) -> SpanContext | None:
    """The span a `traceparent` names, for a link to it; None when it names none."""
    context = trace.get_current_span(extract({"traceparent": traceparent})).get_span_context()
    return context if context.is_valid else None


def current_trace_id() -> str:
    """The current trace id as 32 hex digits; empty without a span."""
    context = trace.get_current_span().get_span_context()
    return f"{context.trace_id:032x}" if context.is_valid else ""
