"""How many calls, how they end, and how long they take."""

import time
from collections.abc import Generator
from contextlib import contextmanager

import grpc
from eco2_telemetry.grpc import Context, Ended, ObserveCalls
from prometheus_client import CollectorRegistry, Counter, Histogram, start_http_server

BUCKETS = (0.0005, 0.001, 0.003, 0.01, 0.03, 0.1, 0.5, 1)


class CallMetrics(ObserveCalls):
    """Counts the calls of the service by method and status code, neither of which a caller can invent."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._calls = Counter(
            "character_requests", "Calls by method and status code", ("method", "code"), registry=registry
        )
        self._seconds = Histogram(
            "character_request_duration_seconds",
            "Time to answer a call",
            ("method",),
            buckets=BUCKETS,
            registry=registry,
        )

    @contextmanager
    def observing(self, method: str, context: Context) -> Generator[Ended]:
        """One call."""
        name = method.rpartition("/")[2]

        def ended(code: grpc.StatusCode) -> None:
            self._calls.labels(name, code.name).inc()
            self._seconds.labels(name).observe(time.perf_counter() - started)

        started = time.perf_counter()
        yield ended


@contextmanager
def serving(host: str, port: int | None, registry: CollectorRegistry) -> Generator[None]:
    """Serves `/metrics` on a port of its own while the context lasts, or nothing without a port."""
    if port is None:
        yield
        return
    server, thread = start_http_server(port, host, registry)
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
