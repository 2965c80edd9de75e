"""The product, RabbitMQ and Prometheus side by side, once for all that looks at them."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from eco2_devservers import PrometheusServer, RabbitServer

from observability.embedded import ProductServer, SandboxServer
from observability.local import Target, write_config
from tests.observability.prometheus import Prometheus
from tests.observability.queue_traffic import move_the_queue
from tests.observability.traffic import Traffic

PLUGIN = "rabbitmq_prometheus"


@dataclass(frozen=True)
class Watched:
    """What was loaded, as Prometheus saw it."""

    prometheus: Prometheus
    trace_ids: frozenset[str]
    """Of every question that was asked."""


class _Taker(BaseHTTPRequestHandler):
    """Takes every trace, so that traces are kept and exemplars lead to them."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        return None


@contextmanager
def trace_taker() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), _Taker) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="session")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    folder: Path = tmp_path_factory.mktemp("prometheus")
    rabbit = RabbitServer(plugins=[PLUGIN])
    with trace_taker() as taker, SandboxServer() as sandbox, rabbit:
        env = {"OTEL_EXPORTER_OTLP_ENDPOINT": taker, "LOG_TTL_AFTER_END_S": "2", "BODY_MAX_BYTES": "20000"}
        with ProductServer(sandbox, **env) as product:
            rabbit_address = rabbit.plugin_url(PLUGIN).removeprefix("http://")
            targets = [
                # One process serves the metrics of all services.
                Target("chat-worker", product.url.removeprefix("http://")),
                Target("rabbitmq", rabbit_address, "/metrics/per-object"),
            ]
            with PrometheusServer(write_config(folder, targets, 1)) as server:
                prometheus = Prometheus(server.url)
                # What moves before it is first seen has not moved.
                prometheus.until("sum(up) == 2")

                async def streams_are_seen() -> None:
                    both = "chat_stream_active > 0 and on() chat_api_open_streams > 0"
                    await asyncio.to_thread(prometheus.until, both)

                traffic = Traffic(product.url, sandbox, streams_are_seen=streams_are_seen)
                asyncio.run(traffic.drive())
                asyncio.run(move_the_queue(rabbit))
                prometheus.until('rabbitmq_queue_messages{queue="chat.jobs.dead"} == 1')
                prometheus.rest_for_scrapes(3)
                yield Watched(prometheus, frozenset(traffic.trace_ids))
