"""A bare HTTP/1.1 client that only notes when which bytes came: reading them is left for after the run."""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Self, cast

import httptools

Chunk = tuple[int, bytes]


class BadReply(Exception):
    """The server answered with an error, or hung up in mid-answer."""


@dataclass
class Reply:
    """One answer: its body in the pieces in which it arrived, each with its arrival in monotonic ns."""

    status: int = 0
    content_type: bytes = b""
    chunks: list[Chunk] = field(default_factory=list)

    @property
    def body(self) -> bytes:
        """All pieces together."""
        return b"".join(data for _, data in self.chunks)


class HttpConnection(asyncio.Protocol):
    """One connection, one request at a time. The methods named `on_*` are called by the HTTP parser."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._reply = Reply()
        self._answered: asyncio.Future[Reply] | None = None
        self._now = 0
        self._closed = asyncio.Event()
        self.first_byte = asyncio.Event()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @classmethod
    async def open(cls, host: str, port: int) -> "HttpConnection":
        """Connect."""
        _, connection = await asyncio.get_running_loop().create_connection(cls, host, port)
        return connection

    @property
    def reply(self) -> Reply:
        """What has come so far of the answer to the last request."""
        return self._reply

    async def request(self, method: str, path: str, headers: dict[str, str], body: bytes = b"") -> Reply:
        """Send a request and return the answer once it is whole; raises BadReply."""
        assert self._transport is not None
        if self._transport.is_closing():
            raise BadReply("connection closed in mid-answer: before the request")
        self._reply, self._parser = Reply(), httptools.HttpResponseParser(self)
        self._answered = asyncio.get_running_loop().create_future()
        lines = [f"{method} {path} HTTP/1.1", "host: 127.0.0.1"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        lines += [f"content-length: {len(body)}", "content-type: application/json"] if body else []
        self._transport.write("\r\n".join([*lines, "", ""]).encode() + body)
        reply = await self._answered
        if reply.status >= 300:
            raise BadReply(f"{method} {path}: {reply.status} {reply.body[:300]!r}")
        return reply

    async def close(self) -> None:
        """Hang up, and return when the socket is closed."""
        if self._transport is not None:
            self._transport.close()
            await self._closed.wait()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way out."""
        # uvloop's transports are not subclasses of asyncio's.
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Note the time and take the HTTP framing off."""
        self._now = time.monotonic_ns()
        self._parser.feed_data(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """An answer that is not whole will never be."""
        self._closed.set()
        if self._answered is not None and not self._answered.done():
            self._answered.set_exception(BadReply(f"connection closed in mid-answer: {exc}"))

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep what tells a stream from a document."""
        if name.lower() == b"content-type":
            self._reply.content_type = value

    def on_headers_complete(self) -> None:
        """Keep the status."""
        self._reply.status = self._parser.get_status_code()

    def on_body(self, data: bytes) -> None:
        """Keep the piece and its time."""
        self._reply.chunks.append((self._now, data))
        self.first_byte.set()

    def on_message_complete(self) -> None:
        """Hand the answer over."""
        if self._answered is not None and not self._answered.done():
            self._answered.set_result(self._reply)
