"""One chain under test: its processes, its front door, and the servers it stands on."""

import subprocess
import time
import urllib.request
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path

from eco2_devservers import RabbitServer, RedisServer

from bench import system
from bench.load_client import Target, one_call_target

LOGS = Path("out/bench")
READY_TIMEOUT_S = 60.0


@dataclass(frozen=True)
class Servers:
    """What every chain of a run shares."""

    redis: RedisServer
    rabbitmq: RabbitServer
    model_url: str


@dataclass(frozen=True)
class Chain:
    """A running chain. The one without processes is the simulator itself."""

    name: str
    target: Target
    url: str = ""
    servers: Servers | None = None
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def address(self) -> tuple[str, int]:
        """Host and port of the front door."""
        host, port = self.url.removeprefix("http://").split(":")
        return host, int(port)

    def asked_in_one_call(self, name: str) -> "Chain":
        """The same processes, asked by one request instead of two."""
        return replace(self, name=name, target=one_call_target(self.url))

    @property
    def pids(self) -> dict[str, int]:
        """Every process whose CPU time the chain costs."""
        if self.servers is None:
            return {}
        own = {name: process.pid for name, process in self.processes.items()}
        return {**own, "redis": self.servers.redis.pid, "rabbitmq": self.servers.rabbitmq.pid}

    def cpu_seconds(self) -> dict[str, float]:
        """CPU time so far, by process."""
        return {name: system.cpu_seconds(pid) for name, pid in self.pids.items()}

    def connections(self) -> dict[str, int]:
        """Connections that the chain's own processes hold, by server."""
        if self.servers is None:
            return {}
        pids = [process.pid for process in self.processes.values() if process.poll() is None]
        ports = {"redis": self.servers.redis.port, "rabbitmq": self.servers.rabbitmq.port}
        return {name: system.connections_to(pids, port) for name, port in ports.items()}


StartChain = Callable[[Servers], AbstractContextManager[Chain]]


def wait_until_ready(url: str, processes: dict[str, subprocess.Popen[bytes]], logs: dict[str, Path]) -> None:
    """Return once `url` answers 200; raises RuntimeError with the log when a process ends before."""
    deadline = time.monotonic() + READY_TIMEOUT_S
    while not _answers(url):
        for name, process in processes.items():
            if process.poll() is not None:
                tail = logs[name].read_text(errors="replace")[-3000:]
                raise RuntimeError(f"{name} ended with code {process.returncode}\n{tail}")
        if time.monotonic() > deadline:
            raise RuntimeError(f"{url} not ready in {READY_TIMEOUT_S} s; logs in {LOGS}")
        time.sleep(0.05)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as reply:
            return reply.status == 200
    except OSError:
        return False
