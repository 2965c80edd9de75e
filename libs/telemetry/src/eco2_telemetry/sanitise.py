"""What may leave the process in a span: no content, no keys, no queries, no words of an error.

An exporter, because a span processor sees a span that it can no longer change.
"""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import cast
from urllib.parse import urlsplit, urlunsplit

from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.trace import Link, SpanKind, Status, StatusCode
from opentelemetry.util.types import AttributeValue

from eco2_telemetry import genai

NAME_MAX_CHARS = 200
VALUE_MAX_CHARS = 1_024
CONTENT_MAX_CHARS = 16_384
VALUES_MAX = 64
EVENTS_MAX = 64
REMOVED = "[removed]"

Attributes = Mapping[str, AttributeValue]

_CONTENT = re.compile(
    r"gen_ai\.(prompt|completion|input\.messages|output\.messages|system_instructions|content"
    r"|tool\.(call\.(arguments|result)|definitions)|retrieval\.(query\.text|documents)"
    r"|(system|user|assistant|tool)\.message|choice)(\.|$)"
    r"|(input|output)\.value$|traceloop\.entity\.(input|output)$|llm\.(prompts|completions|(input|output)_messages)"
    r"|langsmith\.(inputs|outputs)|messaging\.message\.body"
)
_FORBIDDEN = re.compile(
    r"LANGSMITH_|LANGCHAIN_"
    r"|exception\.(message|stacktrace)$"
    r"|url\.(query|fragment)$|db\.(statement|query\.text|query\.parameter)"
    r"|http\.(request|response)\.header\."
    r"|(?i:(^|[._-])(x[_-])?(api[_-]?key|service[_-]?key|authorization|proxy[_-]authorization|cookie|set[_-]cookie"
    r"|password|passwd|secret|(access|refresh|id|session|auth|bearer)[_-]?token|ticket|credentials?)([._-]|$))"
)
_SECRET = re.compile(
    r"\b(sk|pk|rk)-[\w-]{8,}|\blsv2_\w+|\btvly-[\w-]{8,}|\bAKIA[0-9A-Z]{16}\b|\bgh[pousr]_\w{20,}"
    r"|\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*|\b(?i:bearer|KakaoAK)\s+[\w.+/=~-]{6,}"
)
_URL = re.compile(r"[a-z][a-z0-9+.-]*://[^\s\"'<>]+", re.IGNORECASE)
_TARGETS = frozenset({"http.target", "http.url", "url.full", "url.path", "http.route", "url.original"})
# What a server sees of a viewer who closes the page in the middle of a stream.
_LEFT = re.compile(r"CancelledError|ClientDisconnect|ConnectionReset|BrokenPipe|BrokenResource|EndOfStream")


class SanitisingExporter(SpanExporter):
    """Hands the spans to the exporter within, cleaned."""

    def __init__(self, inner: SpanExporter) -> None:
        self._inner = inner
        self._keeps_content = genai.captures_content()

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return self._inner.export([sanitised(span, keeps_content=self._keeps_content) for span in spans])

    def shutdown(self) -> None:
        self._inner.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._inner.force_flush(timeout_millis)


def sanitised(span: ReadableSpan, *, keeps_content: bool) -> ReadableSpan:
    """The span without what must not leave."""
    attributes = cleaned(span.attributes, keeps_content)
    events = [event for event in span.events if keeps_content or not _is_content(event.name)]
    status = Status(span.status.status_code, reason_of(span.status.description))
    if _has_been_left(span):
        attributes = {name: value for name, value in attributes.items() if name != "error.type"}
        events = [event for event in events if event.name != "exception"]
        attributes["closed"], status = "by the viewer", Status(StatusCode.UNSET)
    return ReadableSpan(
        name=_text(span.name, NAME_MAX_CHARS),
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes=attributes,
        events=[
            Event(
                _text(event.name, NAME_MAX_CHARS), cleaned(event.attributes, keeps_content), event.timestamp
            )
            for event in events[:EVENTS_MAX]
        ],
        links=[Link(link.context, cleaned(link.attributes, keeps_content)) for link in span.links],
        kind=span.kind,
        status=status,
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def cleaned(attributes: Attributes | None, keeps_content: bool) -> dict[str, AttributeValue]:
    """The attributes without what must not leave."""
    return {
        name: _value(name, value)
        for name, value in (attributes or {}).items()
        if not _is_forbidden(name) and (keeps_content or not _is_content(name))
    }


@lru_cache(2_048)
def _is_forbidden(name: str) -> bool:
    return _FORBIDDEN.search(name) is not None


@lru_cache(2_048)
def _is_content(name: str) -> bool:
    return _CONTENT.match(name) is not None


def _value(name: str, value: AttributeValue) -> AttributeValue:
    if isinstance(value, (bool, int, float)):
        return value
    limit = CONTENT_MAX_CHARS if _is_content(name) else VALUE_MAX_CHARS
    if isinstance(value, str):
        return _text(value.partition("?")[0] if name in _TARGETS else value, limit)
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        kept = [_text(one, limit) if isinstance(one, str) else one for one in value[:VALUES_MAX]]
        return cast(AttributeValue, kept)
    return value


def _text(text: str, limit: int) -> str:
    text = text[: limit * 2]
    if "://" in text:
        text = _URL.sub(lambda found: _bare(found[0]), text)
    return _SECRET.sub(REMOVED, text)[:limit]


def _bare(url: str) -> str:
    """The URL without its user, query and fragment."""
    try:
        parts = urlsplit(url)
        return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
    except ValueError:
        return REMOVED


def reason_of(description: str | None) -> str | None:
    """What may be seen of a status: the SDK writes `Type: text of the error`; the type stays."""
    return None if description is None else _text(description.partition(":")[0], NAME_MAX_CHARS)


def _has_been_left(span: ReadableSpan) -> bool:
    if span.kind is not SpanKind.SERVER or span.status.status_code is not StatusCode.ERROR:
        return False
    attributes = span.attributes or {}
    if "http.request.method" not in attributes and "http.method" not in attributes:
        return False
    told = [str(attributes.get("error.type", "")), (span.status.description or "").partition(":")[0]]
    told += [str((event.attributes or {}).get("exception.type", "")) for event in span.events]
    return any(_LEFT.search(text) for text in told)
