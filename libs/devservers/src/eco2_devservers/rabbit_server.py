"""A private RabbitMQ node with a private port mapper."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from eco2_devservers.ports import free_port, reply_of
from eco2_devservers.process import OwnedProcess
from eco2_devservers.server import Server

# Debian's wrappers in /usr/sbin change user; the programs themselves run as whoever starts them.
RABBIT_PROGRAMS = Path("/usr/lib/rabbitmq/bin")
# Plugins that listen on a port of their own, and the name of that port in rabbitmq.conf.
_LISTENING_PLUGINS = {"rabbitmq_prometheus": "prometheus", "rabbitmq_management": "management"}
# Without -noinput Erlang reads commands from standard input and ends with it.
_ERLANG_ARGS = "-noinput -kernel inet_dist_use_interface {127,0,0,1}"


class RabbitServer(Server):
    """RabbitMQ on loopback only, with its own port mapper (epmd), cookie and data; ready in about 10 s."""

    name: ClassVar[str] = "RabbitMQ"
    ready_within_s: ClassVar[float] = 90
    stops_within_s: ClassVar[float] = 30

    def __init__(self, plugins: Sequence[str] = ()) -> None:
        super().__init__()
        self._plugins = tuple(plugins)
        self._node = f"eco2-{self.port}@localhost"
        self._dist_port = free_port()
        self._epmd_port = free_port()
        self._epmd: OwnedProcess | None = None
        self._plugin_ports = {plugin: free_port() for plugin in plugins if plugin in _LISTENING_PLUGINS}

    @property
    def url(self) -> str:
        """AMQP URL of the default virtual host, as guest."""
        return f"amqp://guest:guest@127.0.0.1:{self.port}/"

    def plugin_url(self, plugin: str) -> str:
        """HTTP address of a plugin that listens by itself, such as rabbitmq_prometheus."""
        return f"http://127.0.0.1:{self._plugin_ports[plugin]}"

    def ctl(self, *arguments: str, timeout_s: float = 30) -> str:
        """Run `rabbitmqctl` on this node and return what it prints; raises CalledProcessError."""
        command = [str(RABBIT_PROGRAMS / "rabbitmqctl"), "--quiet", *arguments]
        done = subprocess.run(
            command,
            env=self._env(),
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=True,
        )
        return done.stdout

    def settle(self) -> None:
        """Wait until the node has saved which quorum queues it has, about 1 s after the last was declared.

        A kill before that leaves the queue without a leader for ever: RabbitMQ's own gap, closed by waiting.
        """
        self._wait_until(self._has_saved_its_queues, self._running_process())

    def close(self) -> None:
        """End the node and its port mapper and remove the folder."""
        # Nobody needs the data any more, and an orderly end takes seconds.
        self.kill()
        if self._epmd is not None:
            self._epmd.kill()
            self._epmd = None
        super().close()

    def _prepare(self) -> None:
        settings = [f"{_LISTENING_PLUGINS[p]}.tcp.port = {port}" for p, port in self._plugin_ports.items()]
        settings += [f"{_LISTENING_PLUGINS[p]}.tcp.ip = 127.0.0.1" for p in self._plugin_ports]
        (self.folder / "rabbitmq.conf").write_text("\n".join(settings) + "\n")
        (self.folder / "enabled_plugins").write_text(f"[{','.join(self._plugins)}].\n")
        # Ours before the node looks for one: otherwise it starts a daemon that outlives it.
        self._epmd = self._spawn(["epmd", "-port", str(self._epmd_port), "-address", "127.0.0.1"])
        self._wait_until(self._is_mapping_ports, self._epmd)

    def _command(self) -> list[str]:
        return [str(RABBIT_PROGRAMS / "rabbitmq-server")]

    def _is_mapping_ports(self) -> bool:
        # NAMES_REQ of the EPMD protocol, with its length before it; the answer begins with the port.
        return reply_of(self._epmd_port, b"\x00\x01n") != b""

    def _has_saved_its_queues(self) -> bool:
        names = self.folder / "mnesia" / self._node / "quorum" / self._node / "names.dets"
        # The third word of Erlang's dets format is 1 when nothing is unsaved.
        return names.read_bytes()[8:12] == b"\x00\x00\x00\x01"

    def _is_ready(self) -> bool:
        # The answer to the AMQP 0-9-1 header is a method frame (type 1) on channel 0.
        return reply_of(self.port, b"AMQP\x00\x00\x09\x01").startswith(b"\x01\x00\x00")

    def _env(self) -> Mapping[str, str]:
        folder = self.folder
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(("RABBITMQ_", "ERL_"))}
        return inherited | {
            "HOME": str(folder),
            "ERL_EPMD_PORT": str(self._epmd_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": self._node,
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_DIST_PORT": str(self._dist_port),
            "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
            "RABBITMQ_PID_FILE": str(folder / "rabbitmq.pid"),
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            # Makes the start script become the node instead of waiting beside it, so the pid is the node's.
            "RABBITMQ_ALLOW_INPUT": "1",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": _ERLANG_ARGS,
        }
