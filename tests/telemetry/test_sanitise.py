"""Nothing secret and nothing that was said leaves in a span, whoever made it."""

from collections.abc import Sequence
from typing import Any

import pytest
from eco2_telemetry import genai
from eco2_telemetry.sanitise import CONTENT_MAX_CHARS, VALUE_MAX_CHARS, SanitisingExporter
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags

CANARY = "k4n4r1e"
KEYS = [
    "sk-proj-0123456789abcdef",
    "lsv2_pt_0123456789abcdef",
    "tvly-dev-0123456789",
    "Bearer 0123456789abcdef",
    "KakaoAK 0123456789abcdef",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",  # pragma: allowlist secret
]


def sent(
    attributes: dict[str, Any] | None = None,
    *,
    name: str = "GET",
    kind: SpanKind = SpanKind.CLIENT,
    status: Status | None = None,
    events: Sequence[tuple[str, dict[str, Any]]] = (),
    error: BaseException | None = None,
) -> ReadableSpan:
    """The span as the exporter within gets it."""
    memory = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(SanitisingExporter(memory)))
    linked = Link(SpanContext(1, 2, True, TraceFlags(1)), {"url.query": CANARY, "kept": "yes"})
    span = provider.get_tracer("t").start_span(name, kind=kind, attributes=attributes, links=[linked])
    for event, told in events:
        span.add_event(event, told)
    if error is not None:
        span.record_exception(error)
    if status is not None:
        span.set_status(status)
    span.end()
    (only,) = memory.get_finished_spans()
    return only


@pytest.mark.parametrize(
    "name",
    [
        "gen_ai.prompt",
        "gen_ai.completion",
        "gen_ai.prompt.0.content",
        "gen_ai.input.messages",
        "gen_ai.output.messages",
        "gen_ai.system_instructions",
        "gen_ai.tool.call.arguments",
        "gen_ai.retrieval.query.text",
        "input.value",
        "output.value",
        "traceloop.entity.input",
    ],
)
def test_content_stays_inside(name: str) -> None:
    span = sent({name: CANARY}, events=[("gen_ai.user.message", {"content": CANARY}), ("e", {name: CANARY})])

    assert CANARY not in span.to_json()
    assert [event.name for event in span.events] == ["e"]


def test_content_leaves_only_where_the_standard_switch_is_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(genai.CAPTURE_CONTENT, "true")
    said = CANARY + "말" * CONTENT_MAX_CHARS

    span = sent({genai.OUTPUT_MESSAGES: said, "url.query": CANARY, "api_key": CANARY})

    assert dict(span.attributes or {}) == {genai.OUTPUT_MESSAGES: said[:CONTENT_MAX_CHARS]}


@pytest.mark.parametrize("switch", ["", "false", "1", "span"])
def test_the_switch_for_content_is_on_for_nothing_but_true(
    monkeypatch: pytest.MonkeyPatch, switch: str
) -> None:
    monkeypatch.setenv(genai.CAPTURE_CONTENT, switch)

    assert CANARY not in sent({genai.INPUT_MESSAGES: CANARY}).to_json()


@pytest.mark.parametrize(
    "name", ["http.url", "url.full", "anything", "http.target", "url.path", "url.original"]
)
def test_a_url_has_neither_query_nor_user(name: str) -> None:
    path = f"/v1/events?ticket={CANARY}#{CANARY}"
    value = path if name in ("http.target", "url.path") else f"https://me:{CANARY}@kma.go.kr{path}"

    span = sent(
        {name: value}, name=f"GET {value}" if "://" in value else "GET", events=[("e", {name: value})]
    )

    assert CANARY not in span.to_json()
    assert str((span.attributes or {})[name]).endswith("/v1/events")


def test_urls_within_a_text_lose_their_queries_too() -> None:
    span = sent({"detail": f"moved from http://a.kr/x?serviceKey={CANARY} to redis://:{CANARY}@h:1/0 twice"})

    assert (span.attributes or {})["detail"] == "moved from http://a.kr/x to redis://h:1/0 twice"


@pytest.mark.parametrize(
    "name",
    [
        "url.query",
        "http.request.header.authorization",
        "http.response.header.set_cookie",
        "openai.api_key",
        "serviceKey",
        "x-api-key",
        "db.password",
        "ticket",
        "access_token",
        "client.secret",
        "db.statement",
        "LANGSMITH_API_KEY",
        "langsmith.metadata.LANGSMITH_PROJECT",
        "langsmith.metadata.LANGCHAIN_ENDPOINT",
    ],
)
def test_what_may_hold_a_key_stays_inside_by_its_name(name: str) -> None:
    span = sent({name: CANARY}, events=[("e", {name: CANARY})])

    assert CANARY not in span.to_json()


@pytest.mark.parametrize("key", KEYS)
def test_what_looks_like_a_key_is_removed_wherever_it_stands(key: str) -> None:
    status = Status(StatusCode.ERROR, f"refused {key}")

    span = sent({"a": key, "b": ["x", f"told {key}"]}, name=f"call {key}", status=status, events=[(key, {})])

    assert key.split()[-1] not in span.to_json()


def test_figures_of_tokens_are_no_secrets() -> None:
    told = {genai.USAGE_INPUT_TOKENS: 3, genai.TOKEN_TYPE: "input", genai.RESPONSE_FINISH_REASONS: ["stop"]}

    assert dict(sent(told).attributes or {}) == told | {genai.RESPONSE_FINISH_REASONS: ["stop"]}


def test_of_an_error_only_its_type_is_told() -> None:
    error = ValueError(f"{CANARY} cannot be parsed")
    status = Status(StatusCode.ERROR, f"ValueError: {error}")

    span = sent(status=status, error=error)

    assert CANARY not in span.to_json()
    assert span.status.status_code is StatusCode.ERROR
    assert span.status.description == "ValueError"
    assert dict(span.events[0].attributes or {})["exception.type"] == "ValueError"


@pytest.mark.parametrize("left", ["CancelledError", "ClientDisconnect", "anyio.BrokenResourceError"])
def test_a_viewer_who_leaves_is_no_error(left: str) -> None:
    span = sent(
        {"http.method": "GET", "error.type": left},
        kind=SpanKind.SERVER,
        status=Status(StatusCode.ERROR, f"{left}: gone"),
        events=[("exception", {"exception.type": left})],
    )

    assert span.status.status_code is StatusCode.UNSET
    assert dict(span.attributes or {}) == {"http.method": "GET", "closed": "by the viewer"}
    assert not span.events


def test_a_fault_of_ours_stays_an_error() -> None:
    status = Status(StatusCode.ERROR, "KeyError: 1")

    span = sent({"http.method": "GET", "error.type": "KeyError"}, kind=SpanKind.SERVER, status=status)

    assert span.status.status_code is StatusCode.ERROR


def test_everything_is_bounded() -> None:
    span = sent(
        {"long": "가" * 100_000, "many": ["x" * 5_000] * 1_000},
        name="n" * 10_000,
        events=[("e", {"long": "y" * 9_000})] * 100,
    )

    assert len(span.to_json()) < 64 * 6 * VALUE_MAX_CHARS
    assert len(str((span.attributes or {})["long"])) == VALUE_MAX_CHARS


def test_identity_time_and_links_stay_as_they_are() -> None:
    span = sent({"kept": 1})

    assert span.context is not None
    assert span.start_time is not None
    assert span.end_time is not None
    assert span.end_time >= span.start_time
    assert [(link.context.span_id, dict(link.attributes or {})) for link in span.links] == [
        (2, {"kept": "yes"})
    ]
