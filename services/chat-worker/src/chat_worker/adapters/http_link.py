"""HTTP/1.1 for the token path: a piece of a reply is taken inside the read that brought it.

A client that wakes a task per piece spends 15 us more on each at a reader's pace (docs/decisions/0003). This
calls a function. Connections are kept for the next request, one request at a time on each.
"""

import asyncio
import contextvars
from collections.abc import Callable, Mapping
from typing import cast

import httptools

from chat_worker.adapters.http_route import Route

KEPT_S = 15.0
"""How long a connection without a request is kept; servers close theirs later."""
READ_OUT_S = 0.1
"""How long a reply of which no more is needed may take to end before its connection is given up."""

Take = Callable[[bytes], bool]
"""Takes a piece of a body; False when no more is needed. What it raises ends the request at once."""
Answered = Callable[[int], Take]
"""Takes the status, and says who takes the body. Both run in the context of whoever asked."""


class LinkBroken(Exception):
    """The server could not be reached, hung up, was silent for too long, or does not speak HTTP."""


class _HungUp(LinkBroken):
    """The connection ended under the request."""


class HttpLink:
    """Posts to one URL; raises ValueError when the URL or a header cannot be used."""

    def __init__(
        self, url: str, headers: Mapping[str, str], *, connect_timeout_s: float, read_timeout_s: float
    ) -> None:
        self._route = Route(url)
        head = {"Host": self._route.host_header, **headers, **self._route.proxy_headers}
        self._head = f"POST {self._route.target} HTTP/1.1\r\n".encode() + _lines(head)
        self._connect_timeout_s = connect_timeout_s
        self._read_timeout_s = read_timeout_s
        self._idle: list[_Connection] = []
        self._open: set[_Connection] = set()
        self._is_closed = False

    async def post(self, body: bytes, headers: Mapping[str, str], answered: Answered) -> None:
        """Returns when the reply has ended or no more of it is needed; raises LinkBroken, or what was raised.

        Cancelled, it closes the connection, and so stops a server that is still speaking.
        """
        told = {**headers, "Content-Length": str(len(body))}
        request = self._head + _lines(told) + b"\r\n" + body
        if self._idle:
            kept = self._idle.pop()
            try:
                await kept.exchange(request, answered)
                return
            except _HungUp:
                # A server may close a kept connection in the very moment in which it is used again. Once:
                # it may as well have died of the question.
                if kept.was_answered:
                    raise
        connection = await self._connect()
        await connection.exchange(request, answered)

    async def close(self) -> None:
        """Closes all connections for good; requests under way fail with LinkBroken."""
        self._is_closed = True
        for connection in list(self._open):
            connection.abort()

    async def _connect(self) -> "_Connection":
        if self._is_closed:
            raise LinkBroken("closed")
        try:
            async with asyncio.timeout(self._connect_timeout_s):
                connection = await self._route.connect(
                    lambda: _Connection(self._idle, self._open, self._read_timeout_s)
                )
        except (OSError, TimeoutError) as error:
            raise LinkBroken(type(error).__name__) from error
        if self._is_closed:
            connection.abort()
            raise LinkBroken("closed")
        return connection


class _Connection(asyncio.Protocol):
    """One connection: a request and its reply, then the next."""

    def __init__(self, idle: "list[_Connection]", open_: "set[_Connection]", timeout_s: float) -> None:
        self.was_answered = False
        self._idle = idle
        self._open = open_
        self._timeout_s = timeout_s
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._heard_at = 0.0
        self._parser: httptools.HttpResponseParser | None = None
        self._done: asyncio.Future[None] | None = None
        self._context = contextvars.Context()
        self._answered: Answered | None = None
        self._take: Take | None = None
        self._ends_with_connection = True

    async def exchange(self, request: bytes, answered: Answered) -> None:
        """As `HttpLink.post`."""
        self._ends_with_connection, self.was_answered = True, False
        if self._transport is None or self._transport.is_closing():
            raise _HungUp("hung up")
        self._parser = httptools.HttpResponseParser(self)
        self._context, self._answered, self._take = contextvars.copy_context(), answered, None
        done = self._done = self._loop.create_future()
        self._heard_at = self._loop.time()
        self._set_timer(self._timeout_s, self._look_for_silence)
        self._transport.write(request)
        try:
            await done
        except BaseException:
            # Its reply may have ended meanwhile, and the connection be somebody else's.
            if self._done is done:
                self.abort()
            raise

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are no subclasses of asyncio's.
        self._transport = cast(asyncio.Transport, transport)
        self._open.add(self)

    def data_received(self, data: bytes) -> None:
        self._heard_at = self._loop.time()
        if self._parser is None:
            # Nobody has asked for anything.
            self.abort()
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._fail(LinkBroken("no HTTP"))

    def connection_lost(self, exc: Exception | None) -> None:
        self._open.discard(self)
        if self in self._idle:
            self._idle.remove(self)
        if self._take is not None and self._ends_with_connection and exc is None:
            self._end(None)
        else:
            self._end(_HungUp("hung up"))
        self._set_timer(None)

    def abort(self) -> None:
        """Closes at once."""
        self._end(LinkBroken("closed"))
        if self._transport is not None:
            self._transport.abort()

    # What the parser finds.

    def on_header(self, name: bytes, _value: bytes) -> None:
        if name.lower() in (b"content-length", b"transfer-encoding"):
            self._ends_with_connection = False

    def on_headers_complete(self) -> None:
        assert self._parser is not None
        status = self._parser.get_status_code()
        if self._answered is None or status < 200:
            return
        answered, self._answered, self.was_answered = self._answered, None, True
        try:
            self._take = self._context.run(answered, status)
        except Exception as error:
            self._fail(error)

    def on_body(self, body: bytes) -> None:
        if self._take is None:
            return
        try:
            wants_more = self._context.run(self._take, body)
        except Exception as error:
            self._fail(error)
            return
        if not wants_more:
            self._end(None)
            self._set_timer(READ_OUT_S, self.abort)

    def on_message_complete(self) -> None:
        if not self.was_answered or self._parser is None or self._transport is None:
            return
        is_kept = self._parser.should_keep_alive() and not self._transport.is_closing()
        self._parser = None
        if is_kept:
            self._idle.append(self)
            self._set_timer(KEPT_S, self.abort)
        self._end(None)
        if not is_kept:
            self._transport.abort()

    def _fail(self, error: Exception) -> None:
        self._end(error)
        self.abort()

    def _end(self, error: Exception | None) -> None:
        done, self._done, self._take, self._answered = self._done, None, None, None
        if done is None or done.done():
            return
        if error is None:
            done.set_result(None)
        else:
            done.set_exception(error)

    def _look_for_silence(self) -> None:
        if self._transport is not None and self._transport.get_write_buffer_size():
            # Who is still being told the question cannot answer.
            self._heard_at = self._loop.time()
        left_s = self._heard_at + self._timeout_s - self._loop.time()
        if left_s > 0:
            # One timer that looks again costs less than one that every piece sets anew.
            self._set_timer(left_s, self._look_for_silence)
        else:
            self._fail(LinkBroken("silent for too long"))

    def _set_timer(self, after_s: float | None, what: Callable[[], None] | None = None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_later(after_s, what) if after_s is not None and what else None


def _lines(headers: Mapping[str, str]) -> bytes:
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    if lines.count("\r") != len(headers) or lines.count("\n") != len(headers):
        raise ValueError("a header has a line break")
    return lines.encode("latin-1")
