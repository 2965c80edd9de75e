"""W3C trace context in and out of text headers, whatever carries them."""

import os
from collections.abc import Mapping

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import SpanContext
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

VENDOR_SWITCH = "TELEMETRY_PROPAGATE_TO_VENDORS"
"""`true` has vendors told of our traces; nobody outside needs to know them."""

_W3C = TraceContextTextMapPropagator()


def inject() -> dict[str, str]:
    """The current span as `traceparent` and `tracestate` headers, for our own services; empty without a span.

    Baggage is never sent on: whoever calls us may have put anything into it.
    """
    headers: dict[str, str] = {}
    _W3C.inject(headers)
    return headers


def inject_for_vendor() -> dict[str, str]:
    """The same for a request that leaves our own services: nothing, unless VENDOR_SWITCH is on."""
    return inject() if os.environ.get(VENDOR_SWITCH, "").lower() == "true" else {}


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
