"""How the product's processes are started for a run."""

import contextlib
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from eco2_devservers import free_port

from bench.chain import Servers

CONCURRENCY = 250


_TRACED = {
    "OTEL_TRACES_SAMPLER": "parentbased_traceidratio",
    # The targets are set with tracing on, one trace in ten recorded.
    "OTEL_TRACES_SAMPLER_ARG": "0.1",
}
TELEMETRY_OFF = "telemetry-off"
_ALL_TRACED = {"OTEL_TRACES_SAMPLER": "parentbased_always_on"}
TELEMETRY: dict[str, Mapping[str, str]] = {
    "product": _TRACED,
    TELEMETRY_OFF: {"OTEL_SDK_DISABLED": "true"},
    "all-traced": _ALL_TRACED,
    "langsmith-otel": {**_ALL_TRACED, "LANGCHAIN_TRACING_V2": "true", "LANGSMITH_OTEL_ENABLED": "true"},
}
"""The same product, by what it tells of itself."""


@contextlib.contextmanager
def product_commands(
    servers: Servers, port: int, telemetry: Mapping[str, str] = _TRACED
) -> Iterator[dict[str, tuple[list[str], Mapping[str, str]]]]:
    """Commands and settings of API and worker; the checkpoints live as long as the context."""
    with tempfile.TemporaryDirectory(prefix="eco2-bench-") as folder:
        shared = {
            "REDIS_URL": servers.redis.url,
            "AMQP_URL": servers.rabbitmq.url,
            "OTEL_EXPORTER_OTLP_ENDPOINT": servers.model_url.removesuffix("/v1"),
            **telemetry,
            "DATABASE_URL": f"sqlite:///{Path(folder) / 'eco2.sqlite'}",
        }
        worker = {
            "OPENAI_BASE_URL": servers.model_url,
            "OPENAI_API_KEY": "none",
            "OPENAI_MODEL": "sim",
            "WORKER_CONCURRENCY": str(CONCURRENCY),
            "METRICS_PORT": str(free_port()),
        }
        yield {
            "api": (["chat_api", "--host", "127.0.0.1", "--port", str(port)], shared),
            "worker": (["chat_worker"], {**shared, **worker}),
        }
