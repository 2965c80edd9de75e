"""An OTLP receiver: HTTP with protobuf bodies, as a collector or Jaeger would get them."""

import gzip
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

KINDS = {1: "INTERNAL", 2: "SERVER", 3: "CLIENT", 4: "PRODUCER", 5: "CONSUMER"}
ERROR = 2


@dataclass(frozen=True)
class Span:
    """A span as it was received; times in seconds."""

    service: str
    name: str
    kind: str
    trace_id: str
    span_id: str
    parent_id: str
    start: float
    end: float
    is_error: bool
    attributes: dict[str, Any]
    events: list[tuple[str, dict[str, Any]]]
    links: list[tuple[str, str]]
    resource: dict[str, Any]


@dataclass(frozen=True)
class Point:
    """One data point of a histogram."""

    service: str
    metric: str
    unit: str
    count: int
    sum: float
    labels: dict[str, Any]


class Receiver:
    """What came; it may hang, or refuse what comes."""

    def __init__(self, server: ThreadingHTTPServer) -> None:
        self.url = f"http://127.0.0.1:{server.server_address[1]}"
        self.requests = 0
        self.bodies: list[bytes] = []
        self.hangs = threading.Event()
        self.refuses = threading.Event()
        self.let_go = threading.Event()
        self.points: list[Point] = []
        self._spans: dict[str, Span] = {}
        self._lock = threading.Lock()

    @property
    def spans(self) -> list[Span]:
        """Every span once, though it may have been sent twice."""
        with self._lock:
            return list(self._spans.values())

    def trace(self, trace_id: str) -> list[Span]:
        return sorted((s for s in self.spans if s.trace_id == trace_id), key=lambda span: span.start)

    def take(self, path: str, body: bytes) -> None:
        with self._lock:
            self.bodies.append(body)
            if path.endswith("/v1/traces"):
                for span in _spans(body):
                    self._spans[span.span_id] = span
            else:
                self.points += _points(body)

    def wait(self, holds: Callable[[], Any], within_s: float = 30) -> None:
        """Waits until something is so."""
        deadline = time.monotonic() + within_s
        while not holds():
            assert time.monotonic() < deadline, f"not within {within_s} s; came: {outline(self.spans)}"
            time.sleep(0.02)


def plain(attributes: Any) -> dict[str, Any]:
    return {one.key: _value(one.value) for one in attributes}


def _value(value: Any) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_value(one) for one in value.array_value.values]
    return getattr(value, kind) if kind else None


def _spans(body: bytes) -> Iterator[Span]:
    for of_resource in ExportTraceServiceRequest.FromString(body).resource_spans:
        resource = plain(of_resource.resource.attributes)
        for span in (span for scope in of_resource.scope_spans for span in scope.spans):
            yield Span(
                service=resource["service.name"],
                name=span.name,
                kind=KINDS[span.kind],
                trace_id=span.trace_id.hex(),
                span_id=span.span_id.hex(),
                parent_id=span.parent_span_id.hex(),
                start=span.start_time_unix_nano / 1e9,
                end=span.end_time_unix_nano / 1e9,
                is_error=span.status.code == ERROR,
                attributes=plain(span.attributes),
                events=[(event.name, plain(event.attributes)) for event in span.events],
                links=[(link.trace_id.hex(), link.span_id.hex()) for link in span.links],
                resource=resource,
            )


def _points(body: bytes) -> Iterator[Point]:
    for of_resource in ExportMetricsServiceRequest.FromString(body).resource_metrics:
        service = plain(of_resource.resource.attributes)["service.name"]
        for metric in (metric for scope in of_resource.scope_metrics for metric in scope.metrics):
            for point in metric.histogram.data_points:
                labels = plain(point.attributes)
                yield Point(service, metric.name, metric.unit, point.count, point.sum, labels)


def orphans(spans: list[Span]) -> list[Span]:
    """Spans whose parent never came."""
    known = {span.span_id for span in spans}
    return [span for span in spans if span.parent_id and span.parent_id not in known]


def outline(spans: list[Span]) -> str:
    """The tree as text, for the message of a failing test."""
    known = {span.span_id for span in spans}

    def lines(parent_id: str, depth: int) -> Iterator[str]:
        for span in sorted(spans, key=lambda span: span.start):
            is_top = not depth and span.parent_id not in known
            if is_top or (depth and span.parent_id == parent_id):
                mark = " ORPHAN" if is_top and span.parent_id else ""
                yield f"{'  ' * depth}{span.service} {span.name} {span.kind}{mark}"
                yield from lines(span.span_id, depth + 1)

    return "\n" + "\n".join(lines("", 0))


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver on a free port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Requests)
    server.daemon_threads = True
    receiver = _Requests.receivers[server.server_address[1]] = Receiver(server)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.let_go.set()
        server.shutdown()
        server.server_close()
        thread.join()


class _Requests(BaseHTTPRequestHandler):
    receivers: ClassVar[dict[int, Receiver]] = {}

    def do_POST(self) -> None:
        receiver = self.receivers[self.server.server_address[1]]  # type: ignore[index]
        receiver.requests += 1
        if receiver.hangs.is_set():
            receiver.let_go.wait(60)
            return
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        if self.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        if not receiver.refuses.is_set():
            receiver.take(self.path, body)
        self.send_response(400 if receiver.refuses.is_set() else 200)
        self.send_header("content-type", "application/x-protobuf")
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        return None
