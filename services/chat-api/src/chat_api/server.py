"""uvicorn, told to let go of its streams before it waits for them."""

import asyncio
import contextlib
import ipaddress
import signal
import socket
from collections.abc import Generator
from types import FrameType
from typing import cast

import uvicorn
from eco2_bus.log import EventLog
from fastapi import FastAPI

from chat_api.job_events import StreamsUnderWay

LEFT_BEHIND_S = 3
"""How long streams whose viewers read nothing hold up the end; all others end by themselves at once."""
SLOW_PEER_TIMEOUT_MS = 60_000


class ApiServer(uvicorn.Server):
    """Serves chat-api; at SIGTERM or Ctrl-C every open stream ends with a `retry:` of its own."""

    def __init__(self, app: FastAPI, log: EventLog, *, grace_s: int = 10, trusted_proxies: str = "") -> None:
        super().__init__(
            uvicorn.Config(
                app,
                loop="uvloop",
                http="httptools",
                log_config=None,
                access_log=False,
                timeout_graceful_shutdown=grace_s,
                timeout_keep_alive=30,
                server_header=False,
                # Off, or uvicorn would believe whoever calls from this machine.
                proxy_headers=bool(trusted_proxies),
                forwarded_allow_ips=_as_peers(trusted_proxies),
            )
        )
        self._event_log = log
        self._app = app
        self.left = asyncio.Event()
        """Set as soon as the server has been told to stop."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        """As uvicorn's, but a signal that was heeded is not raised again: what is left can close in peace."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(number)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        super().handle_exit(sig, frame)
        self._event_log.stop_following()
        under_way = cast(StreamsUnderWay, self._app.state.streams)
        asyncio.get_running_loop().call_later(LEFT_BEHIND_S, under_way.end)
        self.left.set()


def _as_peers(networks: str) -> list[str]:
    """The networks as sockets name them: one for both versions of IP has IPv4 peers inside of IPv6."""
    known = [ipaddress.ip_network(name.strip()) for name in networks.split(",") if name.strip()]
    mapped = [
        f"::ffff:{one.network_address}/{96 + one.prefixlen}"
        for one in known
        if isinstance(one, ipaddress.IPv4Network)
    ]
    return [*map(str, known), *mapped]


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; raises OSError when the port is taken.

    A peer that acknowledges nothing for a minute is dropped by the kernel: a closed connection whose
    peer never reads would otherwise keep its last bytes in memory for ever.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named, because asyncio switches Nagle's delay off only where it sees that the socket is TCP.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, SLOW_PEER_TIMEOUT_MS)
    listener.bind((host, port))
    listener.listen(4096)
    return listener
