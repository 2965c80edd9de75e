"""The viewers of a flood come back where they were, and see what a server loses, doubles or misplaces."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence

import pytest

from bench.viewer import Storm, Viewer

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
RETRY = b"retry: 10\n\n"


def event(id_: str, name: str, data: str) -> bytes:
    return f"id: {id_}\nevent: {name}\ndata: {data}\n\n".encode()


def token(id_: str, text: str) -> bytes:
    return event(id_, "token", f'{{"text":"{text}","node":"answer"}}')


DONE = event("1-9", "done", '{"answer":"ab"}')


@contextlib.asynccontextmanager
async def serving(*replies: bytes) -> AsyncIterator[tuple[tuple[str, int], list[str]]]:
    """Each connection gets the next reply, and is then cut; gives the Last-Event-IDs that were sent."""
    left, asked = list(replies), list[str]()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        asked.append(
            next((line[15:] for line in head.splitlines() if line.startswith("last-event-id: ")), "")
        )
        body = left.pop(0)
        writer.write(HEAD + b"%x\r\n" % len(body) + body + b"\r\n")
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname(), asked


async def watched(*replies: bytes) -> tuple[Viewer, list[str]]:
    async with serving(*replies) as (address, asked), asyncio.timeout(20):
        viewer = Viewer("/events", address, Storm())
        await viewer.watch()
        return viewer, asked


async def test_a_viewer_comes_back_after_the_last_whole_event() -> None:
    cut = token("1-2", "b")[:-7]
    viewer, asked = await watched(RETRY + token("1-1", "a") + cut, token("1-2", "b") + DONE)
    assert asked == ["", "1-1"]
    assert (viewer.text, viewer.faults, viewer.breaks) == ("ab", [], 1)


@pytest.mark.parametrize(
    ("events", "faults"),
    [
        ([token("1-1", "a")], ["lost"]),
        ([token("1-1", "a"), token("1-1", "b")], ["doubled"]),
        ([token("1-2", "a"), token("1-1", "b")], ["misordered"]),
        ([token("1-1", "xx"), event("2-1", "reset", "{}"), token("2-2", "ab")], ["misordered"]),
    ],
)
async def test_what_a_server_gets_wrong_is_seen(events: Sequence[bytes], faults: list[str]) -> None:
    viewer, _ = await watched(RETRY + b"".join(events) + DONE)
    assert viewer.faults == faults
