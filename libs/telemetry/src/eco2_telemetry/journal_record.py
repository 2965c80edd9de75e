"""A span as bytes and back; the bytes hold nothing that must not leave the process."""

from collections.abc import Iterable
from typing import Any

import orjson
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags

from eco2_telemetry.sanitise import cleaned, reason_of

LOST = "process.lost"
"""True on a span whose process died before it ended."""
_resources: dict[int, tuple[Resource, bytes]] = {}
_SAMPLED = TraceFlags(TraceFlags.SAMPLED)


def to_bytes(span: ReadableSpan, limit: int) -> bytes:
    """The span, without its attributes if it would be longer than the limit; empty if it still is."""
    whole = _plain(span)
    for dropped in ((), ("events", "links"), ("attributes",)):
        whole |= {name: type(whole[name])() for name in dropped}
        data = orjson.dumps(whole, default=str, option=orjson.OPT_NON_STR_KEYS)
        if len(data) <= limit:
            return data
    return b""


def read_all(records: Iterable[bytes]) -> list[ReadableSpan]:
    """The spans of a process that died; those under way end with the last thing it is known to have done."""
    found = [orjson.loads(record) for record in records]
    last = max([max(one["start"], one["end"]) for one in found], default=0)
    return [_span(one, last) for one in found]


def _plain(span: ReadableSpan) -> dict[str, Any]:
    assert span.context is not None
    return {
        "name": span.name,
        "trace": f"{span.context.trace_id:x}",
        "id": f"{span.context.span_id:x}",
        "parent": f"{span.parent.span_id:x}" if span.parent else "",
        "is_remote": span.parent is not None and span.parent.is_remote,
        "kind": span.kind.name,
        "start": span.start_time or 0,
        "end": span.end_time or 0,
        "status": span.status.status_code.name,
        "reason": reason_of(span.status.description),
        "resource": orjson.Fragment(_resource(span.resource)),
        "scope": span.instrumentation_scope.name if span.instrumentation_scope else "",
        "attributes": cleaned(span.attributes, keeps_content=False),
        "events": [
            [event.name, event.timestamp, cleaned(event.attributes, keeps_content=False)]
            for event in span.events
        ],
        "links": [
            [f"{link.context.trace_id:x}", f"{link.context.span_id:x}", dict(link.attributes or {})]
            for link in span.links
        ],
    }


def _resource(resource: Resource) -> bytes:
    """A process has as many as it has services; hashing one costs more than all the rest."""
    known = _resources.get(id(resource))
    if known is None:
        known = _resources[id(resource)] = resource, orjson.dumps(dict(resource.attributes), default=str)
    return known[1]


def _span(plain: dict[str, Any], last: int) -> ReadableSpan:
    is_lost = not plain["end"]
    status = Status(StatusCode[plain["status"]], plain["reason"])
    return ReadableSpan(
        name=plain["name"],
        context=_context(plain["trace"], plain["id"]),
        parent=_context(plain["trace"], plain["parent"], plain["is_remote"]) if plain["parent"] else None,
        resource=Resource(plain["resource"]),
        attributes={**plain["attributes"], **({LOST: True} if is_lost else {})},
        events=[Event(name, attributes, timestamp) for name, timestamp, attributes in plain["events"]],
        links=[Link(_context(trace, span), attributes) for trace, span, attributes in plain["links"]],
        kind=SpanKind[plain["kind"]],
        status=Status(StatusCode.ERROR, "the process died") if is_lost else status,
        start_time=plain["start"],
        end_time=last if is_lost else plain["end"],
        instrumentation_scope=InstrumentationScope(plain["scope"]),
    )


def _context(trace: str, span: str, is_remote: bool = False) -> SpanContext:
    return SpanContext(int(trace, 16), int(span, 16), is_remote, _SAMPLED)
