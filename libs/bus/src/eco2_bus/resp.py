"""A Redis connection for the token path: every command of one loop turn leaves in one write.

redis-py spends 80-120 us of CPU on an awaited command, this spends about 8 (docs/decisions/0002).
It speaks RESP2 through hiredis, pipelines by itself, and reconnects by itself. It talks to one Redis, with
replicas or without, and follows no redirections of a cluster. The API asks its claims and limits over it too.
"""

import asyncio
import contextlib
import logging
import random
import ssl
from collections import deque
from collections.abc import Callable
from typing import Any, cast

import hiredis
from redis.asyncio.connection import parse_url

from eco2_bus.log import LogUnavailable

_log = logging.getLogger(__name__)

Reply = Any
Argument = bytes | str | int
OnMessage = Callable[[bytes, bytes], None]
"""Takes the channel and the payload of a published message."""

_UNFINISHED = object()
# Errors of a server that is starting, failing over or full: the same command may succeed later.
_PASSING = (
    *("LOADING", "READONLY", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN"),
    *("BUSY", "OOM", "MISCONF", "NOREPLICAS"),
)
# hiredis types the command as a tuple of one.
_pack: Callable[[tuple[Argument, ...]], bytes] = cast(Any, hiredis).pack_command


class RedisUnavailable(LogUnavailable):
    """No answer from Redis; whether the command took effect is unknown."""


class RedisRefused(RuntimeError):
    """Redis answered with an error that a retry will not mend."""


class _Connection(asyncio.Protocol):
    def __init__(self, on_message: OnMessage | None, on_close: Callable[[], None]) -> None:
        self._reader = hiredis.Reader(notEnoughData=_UNFINISHED)
        self._waiting: deque[asyncio.Future[Reply]] = deque()
        self._outgoing: list[bytes] = []
        self._on_message = on_message
        self._on_close = on_close
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.WriteTransport | None = None
        self._heard_at = self._loop.time()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are no subclasses of asyncio's.
        transport = cast(asyncio.WriteTransport, transport)
        transport.set_write_buffer_limits(high=4 * 1024 * 1024)
        self._transport = transport

    def send(self, arguments: tuple[Argument, ...]) -> asyncio.Future[Reply]:
        future: asyncio.Future[Reply] = self._loop.create_future()
        if self._transport is None or self._transport.is_closing():
            future.set_exception(RedisUnavailable("connection is closed"))
            return future
        # First: what cannot be packed must not leave a reply without its command.
        packed = _pack(arguments)
        if not self._waiting:
            self._heard_at = self._loop.time()
        self._waiting.append(future)
        if not self._outgoing:
            self._loop.call_soon(self._write)
        self._outgoing.append(packed)
        return future

    def _write(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(b"".join(self._outgoing))
        self._outgoing.clear()

    def data_received(self, data: bytes) -> None:
        self._heard_at = self._loop.time()
        self._reader.feed(data)
        try:
            while (reply := self._reader.gets()) is not _UNFINISHED:
                self._dispatch(reply)
        except hiredis.ProtocolError:
            _log.exception("Redis sent something that is no RESP; reconnecting")
            self.abort()

    def _dispatch(self, reply: Reply) -> None:
        if (
            self._on_message is not None
            and isinstance(reply, list)
            and cast("list[bytes]", reply)[0] == b"message"
        ):
            self._on_message(*cast("list[bytes]", reply)[1:])
            return
        if not self._waiting:
            return
        future = self._waiting.popleft()
        if future.done():
            return
        if not isinstance(reply, hiredis.ReplyError):
            future.set_result(reply)
        elif str(reply).startswith(_PASSING) or " -OOM " in str(reply):
            future.set_exception(RedisUnavailable(str(reply)))
            if str(reply).startswith("READONLY"):
                self.abort()
        else:
            future.set_exception(RedisRefused(str(reply)))

    def connection_lost(self, exc: Exception | None) -> None:
        for future in self._waiting:
            if not future.done():
                future.set_exception(RedisUnavailable("connection lost"))
        self._waiting.clear()
        self._on_close()

    def silent_for_s(self) -> float:
        """How long a reply has been owed without a byte arriving."""
        return self._loop.time() - self._heard_at if self._waiting else 0.0

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()


class RedisLink:
    """One connection to Redis that is always either up or being brought up.

    `epoch` grows with every connection: what was written under an older one may be lost (failover,
    restart), so a writer checks its log again when the epoch has moved.
    """

    def __init__(
        self,
        url: str,
        *,
        name: str,
        on_message: OnMessage | None = None,
        on_connect: Callable[[], None] | None = None,
        channels: tuple[str, ...] = (),
        reply_timeout_s: float = 5.0,
    ) -> None:
        self.epoch = 0
        self._options: dict[str, Any] = dict(parse_url(url))
        self._name = name
        self._on_message = on_message
        self._on_connect = on_connect
        self._channels = channels
        self._reply_timeout_s = reply_timeout_s
        self._connection: _Connection | None = None
        self._up = asyncio.Event()
        self._lost = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None
        self._is_closed = False

    @property
    def is_up(self) -> bool:
        """True while there is a connection whose handshake has succeeded."""
        return self._up.is_set()

    def send(self, *arguments: Argument) -> "asyncio.Future[Reply]":
        """Sends one command; the future fails with RedisUnavailable or RedisRefused."""
        if self._connection is None or not self._up.is_set():
            future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
            future.set_exception(RedisUnavailable("not connected"))
            return future
        return self._connection.send(arguments)

    async def execute(self, *arguments: Argument, wait_s: float = 2.0) -> Reply:
        """As `send`, but waits up to `wait_s` for a connection that is being brought up."""
        if self._is_closed:
            raise RedisUnavailable("closed")
        if not self._up.is_set():
            self.start()
            try:
                await asyncio.wait_for(self._up.wait(), wait_s)
            except TimeoutError:
                raise RedisUnavailable("not connected") from None
        return await self.send(*arguments)

    def start(self) -> None:
        """Begins to connect; safe to call again, and without effect once closed."""
        if self._is_closed:
            return
        if self._keeper is None or self._keeper.done():
            self._keeper = asyncio.create_task(self._keep_connected(), name=f"redis:{self._name}")

    async def close(self) -> None:
        """Closes for good; commands under way fail with RedisUnavailable."""
        self._is_closed = True
        if self._keeper is not None:
            self._keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._keeper
        self._up.clear()

    async def _keep_connected(self) -> None:
        delay_s = 0.05
        while True:
            connection: _Connection | None = None
            try:
                connection = await self._connect()
                delay_s = 0.05
                await self._watch(connection)
                _log.warning("lost Redis (%s), reconnecting", self._name)
            except (OSError, RedisUnavailable, RedisRefused, TimeoutError) as error:
                _log.warning("no Redis (%s): %s", self._name, type(error).__name__)
            finally:
                self._up.clear()
                self._connection = None
                if connection is not None:
                    connection.abort()
            await asyncio.sleep(delay_s * random.uniform(0.5, 1.5))
            delay_s = min(delay_s * 2, 1.0)

    async def _connect(self) -> _Connection:
        self._lost = lost = asyncio.Event()
        loop = asyncio.get_running_loop()
        connection = _Connection(self._on_message, lost.set)
        async with asyncio.timeout(self._reply_timeout_s):
            if "path" in self._options:
                await loop.create_unix_connection(lambda: connection, self._options["path"])
            else:
                tls = ssl.create_default_context() if "connection_class" in self._options else None
                host, port = self._options.get("host", "localhost"), self._options.get("port", 6379)
                await loop.create_connection(lambda: connection, host, port, ssl=tls)
            try:
                await self._handshake(connection)
            except BaseException:
                connection.abort()
                raise
        self._connection = connection
        self.epoch += 1
        self._up.set()
        if self._on_connect is not None:
            self._on_connect()
        return connection

    async def _handshake(self, connection: _Connection) -> None:
        if password := self._options.get("password"):
            user = self._options.get("username")
            await connection.send(("AUTH", user, password) if user else ("AUTH", password))
        await connection.send(("CLIENT", "SETNAME", f"eco2:{self._name}"))
        if database := self._options.get("db"):
            await connection.send(("SELECT", database))
        # A replica or a server that is still loading must not count as up.
        if not self._channels:
            await connection.send(("PING",))
        for channel in self._channels:
            await connection.send(("SUBSCRIBE", channel))

    async def _watch(self, connection: _Connection) -> None:
        while not self._lost.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._lost.wait(), 1.0)
            if connection.silent_for_s() > self._reply_timeout_s:
                _log.warning("Redis (%s) owes a reply for too long, reconnecting", self._name)
                connection.abort()
            elif self._channels:
                # A subscriber owes nothing, so a dead peer would go unnoticed without this.
                connection.send(("PING",)).add_done_callback(_ignore)


def _ignore(future: "asyncio.Future[Reply]") -> None:
    if not future.cancelled():
        future.exception()
