"""The sandbox in this process, and a server that answers with whatever bytes it is told to."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from eco2_sandbox.app import create_app
from eco2_sandbox.behaviour import Behaviour
from eco2_sandbox.server import Server
from eco2_sandbox.settings import Settings
from eco2_sandbox.traffic import Tally

from tests.worker.world import until

Reply = Callable[[asyncio.StreamWriter], Awaitable[None]]


class _InnerServer(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


@dataclass(frozen=True)
class Sandbox:
    """A running sandbox, its behaviour and its counts."""

    base_url: str
    server: Server

    def behave(self, **behaviour: Any) -> None:
        self.server.controls.replace(Behaviour(**behaviour))

    @property
    def streams(self) -> Tally:
        return self.server.traffic.stream

    @property
    def plain(self) -> Tally:
        return self.server.traffic.plain


@asynccontextmanager
async def running_sandbox() -> AsyncGenerator[Sandbox]:
    app = create_app(Settings())
    config = uvicorn.Config(app, log_config=None, lifespan="off", timeout_graceful_shutdown=1)
    server = _InnerServer(config)
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as listener:
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        await until(lambda: server.started)
        yield Sandbox(f"http://127.0.0.1:{listener.getsockname()[1]}/v1", app.state.server)
        server.should_exit = True
        await serving


@dataclass
class RawServer:
    """Answers each request with the next of its replies; the last one again and again."""

    replies: list[Reply]
    requests: list[bytes] = field(default_factory=list[bytes])
    port: int = 0
    clients_left: int = 0

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
            self.requests.append(await reader.readexactly(length))
            reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
            await reply(writer)
            if not await reader.read(1):
                self.clients_left += 1
        except (ConnectionError, asyncio.IncompleteReadError):
            self.clients_left += 1
        finally:
            writer.close()


@asynccontextmanager
async def raw_server(*replies: Reply) -> AsyncGenerator[RawServer]:
    raw = RawServer(list(replies))
    server = await asyncio.start_server(raw.serve, "127.0.0.1", 0)
    raw.port = server.sockets[0].getsockname()[1]
    try:
        yield raw
    finally:
        server.close()


def sends(*parts: bytes, status: str = "200 OK", ends: bool = True, resets: bool = False) -> Reply:
    """A chunked reply in these parts; without its end the connection stays open, or is reset."""

    async def reply(writer: asyncio.StreamWriter) -> None:
        kind = b"text/event-stream" if status.startswith("200") else b"application/json"
        head = b"HTTP/1.1 %b\r\ncontent-type: %b\r\n" % (status.encode(), kind)
        writer.write(head + b"transfer-encoding: chunked\r\nconnection: close\r\n\r\n")
        for part in parts:
            writer.write(b"%x\r\n%b\r\n" % (len(part), part))
            await writer.drain()
            await asyncio.sleep(0.001)
        if ends:
            writer.write(b"0\r\n\r\n")
            await writer.drain()
            writer.close()
        elif resets:
            writer.transport.abort()

    return reply


async def says_nothing(_writer: asyncio.StreamWriter) -> None:
    """Takes the request and never answers."""


async def hangs_up(writer: asyncio.StreamWriter) -> None:
    """Takes the request and closes the connection."""
    writer.close()
