"""The way to a server: straight, or through the proxy that the environment names; https in TLS."""

import asyncio
import base64
import socket
import ssl
from collections.abc import Callable
from typing import TypeVar, cast
from urllib.parse import SplitResult, unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from aiohappyeyeballs import start_connection  # pyright: ignore[reportUnknownVariableType]

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
ANSWER_MAX_BYTES = 16_384
NEXT_ADDRESS_S = 0.25
_PORTS = {"http": 80, "https": 443}

AnyProtocol = TypeVar("AnyProtocol", bound=asyncio.Protocol)


class Route:
    """Where requests to one URL are sent. Raises ValueError when the URL, or its proxy's, cannot be used."""

    def __init__(self, url: str) -> None:
        there = urlsplit(url)
        if there.scheme not in _PORTS or there.hostname is None:
            raise ValueError("the model's address is no http or https URL")
        self._host, self._port = there.hostname, _port(there)
        self._tls = _tls() if there.scheme == "https" else None
        self._proxy = _proxy_for(there)
        self.host_header = there.netloc.rpartition("@")[2]
        self.target = (there.path or "/") + (f"?{there.query}" if there.query else "")
        """What the request line names."""
        self.proxy_headers: dict[str, str] = {}
        """Of requests that a proxy reads."""
        if self._proxy is not None and self._tls is None:
            self.target = f"http://{self.host_header}{self.target}"
            self.proxy_headers = _authorization(self._proxy)

    async def connect(self, make: Callable[[], AnyProtocol]) -> AnyProtocol:
        """A connection that requests can be written to; raises OSError."""
        if self._proxy is None:
            return await _connected(make, self._host, self._port, self._tls)
        host, port = self._proxy.hostname or "", _port(self._proxy)
        if self._tls is None:
            return await _connected(make, host, port)
        return await self._through(host, port, self._tls, _authorization(self._proxy), make)

    async def _through(
        self,
        host: str,
        port: int,
        tls: ssl.SSLContext,
        authorization: dict[str, str],
        make: Callable[[], AnyProtocol],
    ) -> AnyProtocol:
        between = await _connected(_Opening, host, port)
        tunnel = between.transport
        try:
            there = f"[{self._host}]" if ":" in self._host else self._host
            headers = "".join(f"{name}: {value}\r\n" for name, value in authorization.items())
            asked = f"CONNECT {there}:{self._port} HTTP/1.1\r\nHost: {there}:{self._port}\r\n{headers}\r\n"
            tunnel.write(asked.encode())
            if (await between.told).split(b" ", 2)[1:2] != [b"200"]:
                raise ConnectionError("the proxy refused")
            protocol = make()
            transport = await asyncio.get_running_loop().start_tls(
                tunnel, protocol, tls, server_hostname=self._host
            )
            if transport is None:
                raise ConnectionError("the proxy hung up")
        except BaseException:
            tunnel.abort()
            raise
        protocol.connection_made(transport)
        return protocol


async def _connected(
    make: Callable[[], AnyProtocol], host: str, port: int, tls: ssl.SSLContext | None = None
) -> AnyProtocol:
    """To the first of the host's addresses that answers; one that is silent holds up no other."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    reached = await start_connection(found, happy_eyeballs_delay=NEXT_ADDRESS_S, interleave=1, loop=loop)
    try:
        _, protocol = await loop.create_connection(
            make, sock=reached, ssl=tls, server_hostname=host if tls else None
        )
    except BaseException:
        reached.close()
        raise
    return protocol


class _Opening(asyncio.Protocol):
    """Hears what a proxy answers to CONNECT."""

    def __init__(self) -> None:
        self.told: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._heard = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are no subclasses of asyncio's.
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._heard += data
        if self.told.done():
            return
        if b"\r\n\r\n" in self._heard:
            self.told.set_result(self._heard)
        elif len(self._heard) > ANSWER_MAX_BYTES:
            self.told.set_exception(ConnectionError("the proxy does not answer as one"))

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.told.done():
            self.told.set_exception(ConnectionError("the proxy hung up"))


def _port(url: SplitResult) -> int:
    return url.port or _PORTS[url.scheme]


def _proxy_for(there: SplitResult) -> SplitResult | None:
    host = there.hostname or ""
    # A proxy of the environment has no business between us and our own machine.
    if host in LOOPBACK or proxy_bypass(host):
        return None
    proxies = getproxies()
    told = proxies.get(there.scheme) or proxies.get("all")
    if not told:
        return None
    proxy = urlsplit(told if "://" in told else f"http://{told}")
    if proxy.scheme != "http" or not proxy.hostname:
        raise ValueError("only a proxy of the kind http:// can be used")
    return proxy


def _authorization(proxy: SplitResult) -> dict[str, str]:
    if not proxy.username:
        return {}
    known = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
    return {"Proxy-Authorization": "Basic " + base64.b64encode(known.encode()).decode()}


def _tls() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context
