"""Spans of a message's way through a broker, by the OpenTelemetry messaging conventions.

Made by hand because the aio-pika instrumentation loses the context of consumed messages.
"""

from collections.abc import Generator, Mapping
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.trace import Link, Span, SpanKind, Tracer

from eco2_telemetry import propagation


@contextmanager
def publish_span(tracer: Tracer, system: str, destination: str, message_id: str) -> Generator[dict[str, str]]:
    """A PRODUCER span; yields the headers that carry it with the message."""
    attributes = {
        "messaging.operation.name": "publish",
        "messaging.operation.type": "send",
        **_attributes(system, destination, message_id),
    }
    with tracer.start_as_current_span(
        f"publish {destination}", kind=SpanKind.PRODUCER, attributes=attributes
    ) as span:
        try:
            yield propagation.inject()
        except BaseException as error:
            span.set_attribute("error.type", type(error).__qualname__)
            raise


@contextmanager
def process_span(
    tracer: Tracer, system: str, destination: str, message_id: str, headers: Mapping[str, str]
) -> Generator[Span]:
    """A CONSUMER span: child of the publish span, and linked to it."""
    context = propagation.extract(headers)
    published = trace.get_current_span(context).get_span_context()
    attributes = {
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        **_attributes(system, destination, message_id),
    }
    with tracer.start_as_current_span(
        f"process {destination}",
        context=context,
        kind=SpanKind.CONSUMER,
        links=[Link(published)] if published.is_valid else [],
        attributes=attributes,
    ) as span:
        yield span


def _attributes(system: str, destination: str, message_id: str) -> dict[str, str]:
    return {
        "messaging.system": system,
        "messaging.destination.name": destination,
        "messaging.message.id": message_id,
        "messaging.message.conversation_id": message_id,
    }
