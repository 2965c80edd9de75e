"""A private Jaeger, of the program that `scripts/jaeger.sh` builds."""

import json
import os
from pathlib import Path
from typing import ClassVar

from eco2_devservers.ports import free_port, reply_of
from eco2_devservers.server import Server

_READY = b"GET /api/services HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


def jaeger_program() -> Path:
    """Where the program is once it has been built; nothing says that it is."""
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(cache) / "eco2" / "jaeger" / "jaeger"


class JaegerServer(Server):
    """Jaeger on loopback with its traces in memory; takes OTLP over HTTP and serves its JSON API."""

    name: ClassVar[str] = "Jaeger"

    def __init__(self) -> None:
        super().__init__()
        self._query_grpc_port = free_port()
        self._otlp_port = free_port()

    @property
    def url(self) -> str:
        """Address of its page and of its JSON API."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def otlp_url(self) -> str:
        """What OTEL_EXPORTER_OTLP_ENDPOINT is set to."""
        return f"http://127.0.0.1:{self._otlp_port}"

    def _prepare(self) -> None:
        config = {
            "service": {
                "extensions": ["jaeger_storage", "jaeger_query"],
                "pipelines": {"traces": {"receivers": ["otlp"], "exporters": ["jaeger_storage_exporter"]}},
                "telemetry": {"metrics": {"level": "none"}, "logs": {"level": "warn"}},
            },
            "extensions": {
                "jaeger_storage": {"backends": {"main": {"memory": {"max_traces": 20_000}}}},
                "jaeger_query": {
                    "storage": {"traces": "main"},
                    "http": {"endpoint": f"127.0.0.1:{self.port}"},
                    "grpc": {"endpoint": f"127.0.0.1:{self._query_grpc_port}"},
                },
            },
            "receivers": {"otlp": {"protocols": {"http": {"endpoint": f"127.0.0.1:{self._otlp_port}"}}}},
            "exporters": {"jaeger_storage_exporter": {"trace_storage": "main"}},
        }
        # JSON is YAML.
        (self.folder / "jaeger.yaml").write_text(json.dumps(config), encoding="utf-8")

    def _command(self) -> list[str]:
        return [str(jaeger_program()), f"--config=file:{self.folder / 'jaeger.yaml'}"]

    def _is_ready(self) -> bool:
        return reply_of(self.port, _READY).startswith(b"HTTP/1.1 200")
