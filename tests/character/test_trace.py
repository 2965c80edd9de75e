"""Both sides of a call in one trace, and nothing of what was said."""

import asyncio
import json

import grpc
import grpc.aio
import pytest
from chat_worker.adapters.character_grpc import GrpcCharacters
from chat_worker.errors import NoData, Transient
from eco2_character_api import SERVICE_NAME
from eco2_telemetry.grpc import Context
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanKind, StatusCode

from tests.character.running import LIMIT_S, Gate, Spans, asking, serving


async def test_a_call_is_one_trace_from_the_node_to_the_service(
    spans: Spans, characters: GrpcCharacters, port: int
) -> None:
    with spans.worker.tracer.start_as_current_span("character"):
        await characters.match("종이")

    server, client, node = await _finished(spans, 3)
    assert [span.name for span in (client, server)] == ["CharacterService/MatchCharacter"] * 2
    assert (client.kind, server.kind) == (SpanKind.CLIENT, SpanKind.SERVER)
    assert _parent(server) == _id(client)
    assert _parent(client) == _id(node)
    assert len({span.context.trace_id for span in (server, client, node) if span.context}) == 1
    assert server.resource.attributes["service.name"] == "character"
    shared = {
        "rpc.system.name": "grpc",
        "rpc.method": f"{SERVICE_NAME}/MatchCharacter",
        "rpc.response.status_code": "OK",
    }
    assert dict(server.attributes or {}) == shared
    assert dict(client.attributes or {}) == {
        **shared,
        "server.address": "127.0.0.1",
        "server.port": port,
    }


async def test_the_call_carries_the_client_spans_traceparent(spans: Spans) -> None:
    metadata: dict[str, str | bytes] = {}

    async def look(context: Context) -> None:
        metadata.update(context.invocation_metadata() or ())

    async with serving(spans.service, before=look) as port, asking(spans.worker, port) as characters:
        await characters.all()

    client = next(span for span in await _finished(spans, 2) if span.kind is SpanKind.CLIENT)
    assert client.context is not None
    traceparent = str(metadata["traceparent"]).split("-")
    assert traceparent[1:3] == [f"{client.context.trace_id:032x}", f"{client.context.span_id:016x}"]


async def test_a_character_that_is_not_there_is_the_callers_error_alone(
    spans: Spans, characters: GrpcCharacters
) -> None:
    with pytest.raises(NoData):
        await characters.match("우라늄")

    server, client = await _finished(spans, 2)
    assert (client.status.status_code, server.status.status_code) == (StatusCode.ERROR, StatusCode.UNSET)
    assert _codes(client, server) == ["NOT_FOUND", "NOT_FOUND"]


async def test_a_bug_of_the_service_is_an_error_of_both_spans(spans: Spans) -> None:
    async def break_down(_context: Context) -> None:
        raise RuntimeError("비밀")

    async with serving(spans.service, before=break_down) as port, asking(spans.worker, port) as characters:
        with pytest.raises(Transient):
            await characters.match("종이")

    server, client = await _finished(spans, 2)
    assert {client.status.status_code, server.status.status_code} == {StatusCode.ERROR}
    assert _codes(client, server) == ["UNKNOWN", "UNKNOWN"]


async def test_a_call_that_takes_too_long_says_so(spans: Spans) -> None:
    gate = Gate()
    async with (
        serving(spans.service, before=gate.hold) as port,
        asking(spans.worker, port, deadline_s=0.2) as characters,
    ):
        with pytest.raises(Transient):
            await characters.match("종이")
        finished = await _finished(spans, 2)

    assert {span.kind: _codes(span) for span in finished} == {
        SpanKind.CLIENT: ["DEADLINE_EXCEEDED"],
        SpanKind.SERVER: ["CANCELLED"],
    }


async def test_a_question_that_was_cancelled_ends_its_spans(spans: Spans) -> None:
    gate = Gate()
    async with serving(spans.service, before=gate.hold) as port, asking(spans.worker, port) as characters:
        asked = asyncio.create_task(characters.match("종이"))
        async with asyncio.timeout(LIMIT_S):
            await gate.entered.wait()
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
        finished = await _finished(spans, 2)

    assert _codes(*finished) == ["CANCELLED", "CANCELLED"]


async def test_a_caller_without_a_trace_starts_one(spans: Spans, channel: grpc.aio.Channel) -> None:
    listing = channel.unary_unary(f"/{SERVICE_NAME}/ListCharacters")

    await listing(b"", timeout=LIMIT_S, metadata=(("traceparent", "garbage"), ("x-bin", b"\xff")))

    (server,) = await _finished(spans, 1)
    assert server.parent is None


async def test_health_checks_and_reflection_leave_no_span(spans: Spans, channel: grpc.aio.Channel) -> None:
    await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=LIMIT_S)
    asked = [reflection_pb2.ServerReflectionRequest(list_services="")]
    replies = [
        reply
        async for reply in reflection_pb2_grpc.ServerReflectionStub(channel).ServerReflectionInfo(
            iter(asked), timeout=LIMIT_S
        )
    ]

    assert len(replies) == 1
    assert spans.exporter.get_finished_spans() == ()


async def test_nothing_that_was_said_is_recorded(spans: Spans, characters: GrpcCharacters) -> None:
    await characters.match("플라스틱")
    with pytest.raises(NoData):
        await characters.named("홍길동")

    recorded = [span.to_json() for span in await _finished(spans, 4)]
    for words in ("플라스틱", "알록이", "홍길동", "exception"):
        assert not [span for span in recorded if json.dumps(words).strip('"') in span]


async def _finished(spans: Spans, count: int) -> list[ReadableSpan]:
    """All spans, servers first, then clients; a server's may end after its client has the reply."""
    async with asyncio.timeout(LIMIT_S):
        # The exporter offers no event for this.
        while len(finished := spans.exporter.get_finished_spans()) < count:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert len(finished) == count
    order = {SpanKind.SERVER: 0, SpanKind.CLIENT: 1}
    return sorted(finished, key=lambda span: order.get(span.kind, 2))


def _codes(*spans: ReadableSpan) -> list[object]:
    return [(span.attributes or {}).get("rpc.response.status_code") for span in spans]


def _id(span: ReadableSpan) -> int:
    assert span.context is not None
    return span.context.span_id


def _parent(span: ReadableSpan) -> int:
    assert span.parent is not None
    return span.parent.span_id
