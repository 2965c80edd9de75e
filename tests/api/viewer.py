"""A reader of an event stream over a socket of its own, so that a test decides about every byte."""

import asyncio
import json
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlsplit

IN_TIME_S = 20.0


@dataclass(frozen=True)
class Block:
    """What lies between two blank lines of a stream."""

    event: str = ""
    data: str = ""
    id: str | None = None
    retry: int | None = None
    comment: str | None = None

    @classmethod
    def parse(cls, text: str) -> "Block":
        fields: dict[str, Any] = {}
        for line in text.split("\n"):
            name, colon, value = line.partition(":")
            assert colon, f"no field: {line!r}"
            fields[name or "comment"] = value.removeprefix(" ")
        if "retry" in fields:
            fields["retry"] = int(fields["retry"])
        return cls(**fields)

    def json(self) -> Any:
        return json.loads(self.data)


class Viewer:
    """One request whose answer is read piece by piece."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.status = 0
        self.headers: dict[str, str] = {}
        self.blocks: list[Block] = []
        """Everything received, comments and retry lines included."""
        self.is_whole = False
        """The server has ended the stream in an orderly way."""
        self._text = b""
        self._ready: list[Block] = []

    @classmethod
    async def open(
        cls,
        base_url: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        method: str = "GET",
        body: bytes = b"",
        receive_buffer: int | None = None,
    ) -> Self:
        """Sends the request; returns once the head of the answer is there."""
        viewer = await cls.connect(base_url, receive_buffer)
        await viewer.send(path, headers=headers, method=method, body=body)
        await viewer.read_head()
        return viewer

    @classmethod
    async def connect(cls, base_url: str, receive_buffer: int | None = None) -> Self:
        address = urlsplit(base_url)
        link = socket.socket()
        link.setblocking(False)
        if receive_buffer is not None:
            link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        await asyncio.get_running_loop().sock_connect(link, (address.hostname or "", address.port or 80))
        limit = receive_buffer or 2**20
        return cls(*await asyncio.open_connection(sock=link, limit=limit))

    async def send(
        self, path: str, *, headers: Mapping[str, str] | None = None, method: str = "GET", body: bytes = b""
    ) -> None:
        """Sends a request head and body as they are, without tidying the path."""
        lines = [f"{method} {path} HTTP/1.1", "Host: localhost"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        if body:
            lines.append(f"Content-Length: {len(body)}")
        self.writer.write("\r\n".join([*lines, "", ""]).encode("utf-8") + body)
        await self.writer.drain()

    async def read_head(self) -> None:
        async with asyncio.timeout(IN_TIME_S):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        status_line, *lines = head.split("\r\n")
        self.status = int(status_line.split(" ")[1])
        pairs = (line.partition(":") for line in lines if line)
        self.headers = {name.lower(): value.strip() for name, _, value in pairs}

    async def body(self) -> bytes:
        """The whole of an answer that is no stream."""
        async with asyncio.timeout(IN_TIME_S):
            return await self.reader.readexactly(int(self.headers.get("content-length", "0")))

    async def block(self, within_s: float = IN_TIME_S) -> Block | None:
        """The next block, comments included; None once the stream has ended."""
        async with asyncio.timeout(within_s):
            while not self._ready:
                chunk = await self._chunk()
                if chunk is None:
                    return None
                self._take(chunk)
        block = self._ready.pop(0)
        self.blocks.append(block)
        return block

    async def event(self, within_s: float = IN_TIME_S) -> Block | None:
        """The next event; None once the stream has ended."""
        while (block := await self.block(within_s)) is not None and not block.event:
            pass
        return block

    async def until(self, last: str) -> list[Block]:
        """All events up to the one of this id or name."""
        seen: list[Block] = []
        while not seen or last not in (seen[-1].id, seen[-1].event):
            event = await self.event()
            assert event is not None, f"the stream ended before {last}: {seen}"
            seen.append(event)
        return seen

    async def rest(self, within_s: float = IN_TIME_S) -> list[Block]:
        """All events until the stream ends."""
        seen: list[Block] = []
        while (event := await self.event(within_s)) is not None:
            seen.append(event)
        return seen

    async def close(self) -> None:
        """Leaves, as a browser that closes its tab does."""
        self.writer.transport.abort()
        try:
            await self.writer.wait_closed()
        except OSError:
            return

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _chunk(self) -> bytes | None:
        if self.is_whole or self.headers.get("transfer-encoding") != "chunked":
            return None
        try:
            length = int(await self.reader.readuntil(b"\r\n"), 16)
            chunk = (await self.reader.readexactly(length + 2))[:-2]
        except (asyncio.IncompleteReadError, OSError):
            return None
        if not length:
            self.is_whole = True
            return None
        return chunk

    def _take(self, chunk: bytes) -> None:
        *blocks, self._text = (self._text + chunk).split(b"\n\n")
        self._ready += [Block.parse(block.decode()) for block in blocks]


def ids(blocks: Sequence[Block]) -> list[str | None]:
    return [block.id for block in blocks]


def names(blocks: Sequence[Block]) -> list[str]:
    return [block.event for block in blocks]


def text_of(blocks: Sequence[Block]) -> str:
    """What a page shows: the text after the last reset."""
    text: list[str] = []
    for block in blocks:
        if block.event == "reset":
            text.clear()
        elif block.event == "token":
            text.append(block.json()["text"])
    return "".join(text)
