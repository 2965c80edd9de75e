"""Who is told of our traces: our own services, and nobody else unless the operator says so."""

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest
from chat_worker.adapters.openai_embeddings import OpenAIEmbeddings
from chat_worker.adapters.openai_images import OpenAIImages
from chat_worker.adapters.openai_model import OpenAIModel
from chat_worker.adapters.vendor_http import VendorHttp
from eco2_telemetry import propagation
from eco2_telemetry.messaging import process_span, publish_span
from opentelemetry import baggage, context
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Tracer
from pydantic import SecretStr

KEY = SecretStr("key")
PNG = "iVBORw0KGgo="
REPLY = {
    "model": "m-2",
    "choices": [{"message": {"content": "{}"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 1, "completion_tokens": 1},
    "data": [{"index": 0, "embedding": [1.0]}],
    "output": [{"type": "image_generation_call", "status": "completed", "result": PNG}],
}
STREAMED = b'data: {"choices":[{"delta":{"content":"x"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'


class Recorder:
    """A server of somebody else's that writes down every header."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.headers: list[dict[str, str]] = []

    @property
    def told(self) -> list[set[str]]:
        """What each request told of a trace."""
        return [{"traceparent", "tracestate", "baggage"} & headers.keys() for headers in self.headers]


@pytest.fixture
def elsewhere() -> Iterator[Recorder]:
    class Requests(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            recorder.headers.append({name.lower(): value for name, value in self.headers.items()})
            asked = self.rfile.read(int(self.headers.get("content-length") or 0))
            body = STREAMED if b'"stream":true' in asked else json.dumps(REPLY).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET

        def log_message(self, format: str, *args: Any) -> None:
            return None

    server = ThreadingHTTPServer(("127.0.0.1", 0), Requests)
    server.daemon_threads = True
    recorder = Recorder(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield recorder
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def spans() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def tracer(spans: InMemorySpanExporter) -> Tracer:
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(spans))
    return provider.get_tracer("t")


async def call_the_model(url: str, tracer: Tracer) -> None:
    model = OpenAIModel("m", KEY, url, tracer)
    await model.structured([{"role": "user", "content": "x"}], "Name", {"type": "object"})
    await model.stream([{"role": "user", "content": "x"}], lambda text, tokens: True)
    await model.close()


async def make_a_picture(url: str, tracer: Tracer) -> None:
    images = OpenAIImages("m", KEY, url, tracer)
    await images.make("a bear")
    await images.close()


async def embed(url: str, tracer: Tracer) -> None:
    embeddings = OpenAIEmbeddings("m", KEY, url, tracer)
    await embeddings.embed(["x"])
    await embeddings.close()


async def ask_a_vendor(url: str, tracer: Tracer) -> None:
    vendor = VendorHttp("maps", url, tracer)
    await vendor.get_json("/v1", {})
    await vendor.post_json("/v1", {})
    await vendor.close()


CALLS = [call_the_model, make_a_picture, embed, ask_a_vendor]
Call = Callable[[str, Tracer], Awaitable[None]]


async def called(call: Call, url: str, tracer: Tracer) -> None:
    """The call in the middle of a trace, with something of the caller's in its baggage."""
    token = context.attach(baggage.set_baggage("who", "k4n4r1e"))
    try:
        with tracer.start_as_current_span("node"):
            await call(url, tracer)
    finally:
        context.detach(token)


@pytest.mark.parametrize("call", CALLS)
async def test_no_vendor_is_told_of_our_traces(
    elsewhere: Recorder, environment: pytest.MonkeyPatch, tracer: Tracer, call: Call
) -> None:
    await called(call, elsewhere.url, tracer)

    assert elsewhere.told
    assert not any(elsewhere.told)
    assert "k4n4r1e" not in str(elsewhere.headers)


@pytest.mark.parametrize("call", CALLS)
async def test_vendors_are_told_where_the_operator_wants_it_but_never_of_baggage(
    elsewhere: Recorder,
    environment: pytest.MonkeyPatch,
    tracer: Tracer,
    spans: InMemorySpanExporter,
    call: Call,
) -> None:
    environment.setenv(propagation.VENDOR_SWITCH, "true")

    await called(call, elsewhere.url, tracer)

    assert all(told == {"traceparent"} for told in elsewhere.told)
    ids = {f"{span.context.span_id:016x}" for span in spans.get_finished_spans() if span.context}
    assert {headers["traceparent"].split("-")[2] for headers in elsewhere.headers} <= ids


async def test_a_service_of_ours_is_told_by_the_headers_of_the_request(
    elsewhere: Recorder, environment: pytest.MonkeyPatch, tracer: Tracer
) -> None:
    with tracer.start_as_current_span("mine") as span:
        async with httpx.AsyncClient(trust_env=False) as client:
            await client.get(elsewhere.url, headers=propagation.inject())

    told = propagation.span_context(elsewhere.headers[0]["traceparent"])
    assert told is not None
    assert told.span_id == span.get_span_context().span_id
    assert elsewhere.told == [{"traceparent"}]


def test_a_message_carries_its_publish_span_and_no_baggage(tracer: Tracer) -> None:
    token = context.attach(baggage.set_baggage("who", "k4n4r1e"))
    with publish_span(tracer, "rabbitmq", "jobs", "7", exchange="x") as headers:
        pass
    context.detach(token)

    assert headers.keys() == {"traceparent"}


def test_processing_is_child_of_and_linked_to_the_publishing(
    tracer: Tracer, spans: InMemorySpanExporter
) -> None:
    with publish_span(tracer, "rabbitmq", "jobs", "7", exchange="x") as headers:
        pass
    # Whoever works on it is in the middle of something else.
    with (
        tracer.start_as_current_span("other"),
        process_span(tracer, "rabbitmq", "jobs", "7", headers, exchange="x", delivery=2),
    ):
        pass

    published, processed, _ = spans.get_finished_spans()
    assert processed.parent is not None
    assert _ids(processed.parent) == _ids(published.context)
    assert [_ids(link.context) for link in processed.links] == [_ids(published.context)]
    assert (processed.attributes or {})["messaging.message.delivery"] == 2


@pytest.mark.parametrize("headers", [{}, {"traceparent": "garbage"}, {"traceparent": "00-0-0-01"}])
def test_a_message_without_a_usable_trace_begins_one(
    tracer: Tracer, spans: InMemorySpanExporter, headers: dict[str, str]
) -> None:
    with process_span(tracer, "rabbitmq", "jobs", "7", headers):
        pass

    (processed,) = spans.get_finished_spans()
    assert (processed.parent, list(processed.links)) == (None, [])


def test_a_work_that_another_request_goes_on_with_stays_in_its_trace(
    tracer: Tracer, spans: InMemorySpanExporter
) -> None:
    with tracer.start_as_current_span("first request"):
        begun = propagation.inject()["traceparent"]
    with (
        tracer.start_as_current_span("second request"),
        publish_span(tracer, "rabbitmq", "jobs", "7", goes_on=begun) as headers,
    ):
        pass

    first, published, second = spans.get_finished_spans()
    assert published.parent is not None
    assert _ids(published.parent) == _ids(first.context)
    assert [_ids(link.context) for link in published.links] == [_ids(second.context)]
    assert headers["traceparent"].split("-")[1] == begun.split("-")[1]


async def test_a_failed_publish_and_a_failed_work_are_errors_but_a_cancelled_one_is_none(
    tracer: Tracer, spans: InMemorySpanExporter
) -> None:
    with pytest.raises(KeyError), publish_span(tracer, "rabbitmq", "jobs", "7"):
        raise KeyError("k4n4r1e")
    with pytest.raises(asyncio.CancelledError), process_span(tracer, "rabbitmq", "jobs", "7", {}):
        raise asyncio.CancelledError

    failed, cancelled = spans.get_finished_spans()
    assert (failed.attributes or {})["error.type"] == "KeyError"
    assert (failed.status.is_ok, cancelled.status.is_ok) == (False, True)
    assert "k4n4r1e" not in failed.to_json()


def _ids(span: Any) -> tuple[int, int]:
    return span.trace_id, span.span_id
