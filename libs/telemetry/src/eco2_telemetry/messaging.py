"""Spans of a message's way through a broker, by the OpenTelemetry messaging conventions.

Made by hand because the aio-pika instrumentation loses the context of consumed messages.
"""

from collections.abc import Generator, Mapping
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.trace import Link, Span, SpanKind, Tracer

from eco2_telemetry import propagation
from eco2_telemetry.spans import span_of


@contextmanager
def publish_span(
    tracer: Tracer,
    system: str,
    destination: str,
    message_id: str,
    *,
    exchange: str = "",
    goes_on: str = "",
) -> Generator[dict[str, str]]:
    """A PRODUCER span; yields the headers that carry it with the message.

    `destination` is the queue and its routing key; the span is named by it alone. `goes_on` is the
    `traceparent` of a work that another request began: the message stays in that one's trace, and the span
    is linked to the request under way.
    """
    attributes = {
        "messaging.operation.name": "publish",
        "messaging.operation.type": "send",
        **_attributes(system, destination, message_id, exchange),
    }
    began, asking = propagation.span_context(goes_on), trace.get_current_span().get_span_context()
    is_other = began is not None and began.span_id != asking.span_id
    with span_of(
        tracer,
        f"publish {destination}",
        kind=SpanKind.PRODUCER,
        attributes=attributes,
        context=propagation.extract({"traceparent": goes_on}) if is_other else None,
        links=[Link(asking)] if is_other and asking.is_valid else [],
    ):
        yield propagation.inject()


@contextmanager
def process_span(
    tracer: Tracer,
    system: str,
    destination: str,
    message_id: str,
    headers: Mapping[str, str],
    *,
    exchange: str = "",
    delivery: int = 1,
) -> Generator[Span]:
    """A CONSUMER span: child of the publish span, and linked to it; `delivery` counts from 1."""
    context = propagation.extract(headers)
    published = trace.get_current_span(context).get_span_context()
    attributes = {
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.message.delivery": delivery,
        **_attributes(system, destination, message_id, exchange),
    }
    links = [Link(published)] if published.is_valid else []
    with span_of(
        tracer,
        f"process {destination}",
        context=context,
        kind=SpanKind.CONSUMER,
        links=links,
        attributes=attributes,
    ) as span:
        yield span


def _attributes(system: str, destination: str, message_id: str, exchange: str) -> dict[str, str]:
    attributes = {
        "messaging.system": system,
        # By the conventions for RabbitMQ `exchange:routing key:queue`, of which ours has the last two equal.
        "messaging.destination.name": f"{exchange}:{destination}" if exchange else destination,
        "messaging.message.id": message_id,
        "messaging.message.conversation_id": message_id,
    }
    if exchange:
        attributes["messaging.rabbitmq.destination.routing_key"] = destination
    return attributes
