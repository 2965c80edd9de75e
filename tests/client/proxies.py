"""Reverse proxies that do what the badly set up ones do."""

import asyncio
import contextlib
import gzip
from collections.abc import AsyncIterator, Callable

Head = list[str]
Keep = Callable[[str], bool]


def everything(_line: str) -> bool:
    return True


class Proxy:
    """Passes each exchange on over a connection of its own; by default it does no harm."""

    def __init__(
        self,
        target_port: int,
        *,
        holds_back: bool = False,
        compresses: bool = False,
        cuts_silence_after_s: float | None = None,
        keeps: Keep = everything,
    ) -> None:
        self.target_port = target_port
        self.holds_back = holds_back
        self.compresses = compresses
        self.cuts_silence_after_s = cuts_silence_after_s
        self.keeps = keeps
        self.port = 0

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[str]:
        """Serves; gives the public address."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield f"http://127.0.0.1:{self.port}"
        finally:
            server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            asked = self._kept(await _head(reader))
            upstream, up = await asyncio.open_connection("127.0.0.1", self.target_port)
            # HTTP/1.0: the body ends with the connection, so nothing here has to read chunks.
            up.write(_bytes([asked[0].replace("HTTP/1.1", "HTTP/1.0"), *asked[1:]]))
            await self._answer(upstream, writer)
            up.close()
        writer.close()

    async def _answer(self, upstream: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = self._kept(await _head(upstream))
        body = await upstream.read() if self.holds_back or self.compresses else b""
        if self.compresses:
            head.append("content-encoding: gzip")
            body = gzip.compress(body)
        writer.write(_bytes([head[0], *head[1:], "connection: close"]) + body)
        while True:
            try:
                async with asyncio.timeout(self.cuts_silence_after_s):
                    chunk = await upstream.read(65_536)
            except TimeoutError:
                writer.transport.abort()
                return
            if not chunk:
                return
            writer.write(chunk)
            await writer.drain()

    def _kept(self, head: Head) -> Head:
        kept = [line for line in head[1:] if self.keeps(line.lower())]
        return [head[0], *(line for line in kept if not line.lower().startswith("connection:"))]


async def _head(reader: asyncio.StreamReader) -> Head:
    return (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").rstrip("\r\n").split("\r\n")


def _bytes(head: Head) -> bytes:
    return "\r\n".join([*head, "", ""]).encode("latin-1")
