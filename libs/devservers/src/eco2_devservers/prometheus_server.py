"""A private Prometheus."""

import signal
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from eco2_devservers.ports import reply_of
from eco2_devservers.server import Server


class PrometheusServer(Server):
    """Prometheus on loopback, with a configuration of the caller's; what it scraped outlives a restart.

    Names of rule and target files in the configuration are taken from its folder, as Prometheus does it.
    """

    name: ClassVar[str] = "Prometheus"
    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM

    def __init__(self, config: Path, features: Sequence[str] = ("exemplar-storage",)) -> None:
        super().__init__()
        self._config = config.resolve()
        self._features = tuple(features)

    @property
    def url(self) -> str:
        """Address of its page and of its HTTP API."""
        return f"http://127.0.0.1:{self.port}"

    def _prepare(self) -> None:
        """Prometheus makes what it needs."""

    def _command(self) -> list[str]:
        options = {
            "config.file": str(self._config),
            "storage.tsdb.path": str(self.folder / "data"),
            "web.listen-address": f"127.0.0.1:{self.port}",
            "log.level": "warn",
        }
        if self._features:
            options["enable-feature"] = ",".join(self._features)
        return ["prometheus", *(f"--{key}={value}" for key, value in options.items())]

    def _is_ready(self) -> bool:
        request = b"GET /-/ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        return reply_of(self.port, request).startswith(b"HTTP/1.1 200")
