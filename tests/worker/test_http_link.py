"""The connection to the model, against servers that speak HTTP in every lawful way, and in others."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar

import pytest
from chat_worker.adapters import http_link
from chat_worker.adapters.http_link import HttpLink, LinkBroken

from tests.worker.world import until

TEXT = b"data: \xeb\xb9\x84\xec\x9a\xb0\xea\xb3\xa0\n\n" * 3
CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + b"".join(
    b"%x\r\n%b\r\n" % (len(part), part) for part in (TEXT[:7], TEXT[7:], b"")
)
SIZED = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(TEXT), TEXT)
UNTIL_ITS_END = b"HTTP/1.1 200 OK\r\n\r\n" + TEXT

Serve = Callable[["Peer"], Awaitable[None]]


class Peer:
    """One connection of a client, as its server sees it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.requests: list[bytes] = []
        self.has_left = False

    async def request(self) -> bytes:
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        self.requests.append(head + await self.reader.readexactly(length))
        return self.requests[-1]

    async def say(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()


@asynccontextmanager
async def serving(serve: Serve) -> AsyncGenerator[tuple[str, list[Peer]]]:
    """A server, its URL, and whoever has connected."""
    peers: list[Peer] = []
    serving_them: list[asyncio.Task[None]] = []

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = Peer(reader, writer)
        peers.append(peer)
        if (task := asyncio.current_task()) is not None:
            serving_them.append(task)
        try:
            await serve(peer)
            await reader.read()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            peer.has_left = True
            writer.close()

    server = await asyncio.start_server(meet, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1/chat/completions?a=b", peers
    finally:
        server.close()
        await until(lambda: all(peer.has_left for peer in peers))
        await asyncio.gather(*serving_them)


def always(reply: bytes, *, closes: bool = False) -> Serve:
    async def serve(peer: Peer) -> None:
        while True:
            await peer.request()
            await peer.say(reply)
            if closes:
                peer.writer.close()
                return

    return serve


@asynccontextmanager
async def link_to(url: str, *, read_timeout_s: float = 5.0) -> AsyncGenerator[HttpLink]:
    link = HttpLink(url, {"Authorization": "Bearer k"}, connect_timeout_s=5.0, read_timeout_s=read_timeout_s)
    yield link
    await link.close()


async def read(link: HttpLink, body: bytes = b"{}") -> tuple[int, bytes]:
    """Status and whole body of one reply."""
    statuses: list[int] = []
    parts: list[bytes] = []

    def answered(status: int) -> http_link.Take:
        statuses.append(status)
        return take

    def take(data: bytes) -> bool:
        parts.append(data)
        return True

    await link.post(body, {"traceparent": "t"}, answered)
    (status,) = statuses
    return status, b"".join(parts)


async def test_a_request_says_what_http_wants_to_know() -> None:
    async with serving(always(SIZED)) as (url, peers), link_to(url) as link:
        await read(link, b'{"a":1}')
    head, _, body = peers[0].requests[0].partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    assert lines[0] == b"POST /v1/chat/completions?a=b HTTP/1.1"
    assert b"Host: " + url.split("/")[2].encode() in lines
    assert {b"Authorization: Bearer k", b"traceparent: t", b"Content-Length: 7"} <= set(lines)
    assert body == b'{"a":1}'


@pytest.mark.parametrize(
    ("reply", "closes"),
    [(CHUNKED, False), (SIZED, False), (UNTIL_ITS_END, True)],
    ids=["chunked", "sized", "eof"],
)
async def test_a_reply_cut_anywhere_gives_its_body(reply: bytes, closes: bool) -> None:
    cuts = iter(range(len(reply)))

    async def serve(peer: Peer) -> None:
        while True:
            await peer.request()
            cut = next(cuts)
            await peer.say(reply[:cut])
            await asyncio.sleep(0.001)
            await peer.say(reply[cut:])
            if closes:
                peer.writer.close()
                return

    async with serving(serve) as (url, _), link_to(url) as link:
        for _ in reply:
            assert await read(link) == (200, TEXT)


async def test_questions_one_after_the_other_share_a_connection() -> None:
    async with serving(always(CHUNKED)) as (url, peers), link_to(url) as link:
        for _ in range(5):
            assert await read(link) == (200, TEXT)
    assert [len(peer.requests) for peer in peers] == [5]


async def test_questions_side_by_side_have_a_connection_each() -> None:
    async with serving(always(CHUNKED)) as (url, peers), link_to(url) as link:
        assert await asyncio.gather(*(read(link) for _ in range(5))) == [(200, TEXT)] * 5
    assert [len(peer.requests) for peer in peers] == [1] * 5


async def test_a_connection_that_the_server_has_given_up_is_not_the_question_s_fault() -> None:
    async with serving(always(SIZED, closes=True)) as (url, peers), link_to(url) as link:
        for _ in range(20):
            assert await read(link) == (200, TEXT)
    assert len(peers) == 20


async def test_a_server_that_dies_of_a_question_is_not_asked_over_every_kept_connection() -> None:
    has_died = False

    async def serve(peer: Peer) -> None:
        await peer.request()
        await peer.say(SIZED)
        await peer.request()
        peer.writer.close()

    async def serve_until_it_dies(peer: Peer) -> None:
        if not has_died:
            await serve(peer)
            return
        await peer.request()
        peer.writer.close()

    async with serving(serve_until_it_dies) as (url, peers), link_to(url) as link:
        await asyncio.gather(*(read(link) for _ in range(10)))
        has_died = True
        with pytest.raises(LinkBroken):
            await read(link)
    assert sum(len(peer.requests) for peer in peers) == 10 + 2


async def test_a_kept_connection_is_closed_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_link, "KEPT_S", 0.05)
    async with serving(always(SIZED)) as (url, peers), link_to(url) as link:
        await read(link)
        await until(lambda: peers[0].has_left)


async def test_a_server_that_wants_the_connection_closed_is_heeded() -> None:
    reply = SIZED.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n", 1)
    async with serving(always(reply)) as (url, peers), link_to(url) as link:
        assert await read(link) == (200, TEXT)
        await until(lambda: peers[0].has_left)


async def test_an_early_hint_is_not_the_answer() -> None:
    reply = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n" + SIZED
    async with serving(always(reply)) as (url, _), link_to(url) as link:
        assert await read(link) == (200, TEXT)
        assert await read(link) == (200, TEXT)


async def test_a_refusal_comes_with_its_body() -> None:
    reply = b"HTTP/1.1 429 Too Many Requests\r\ncontent-length: 2\r\n\r\n{}"
    async with serving(always(reply)) as (url, _), link_to(url) as link:
        assert await read(link) == (429, b"{}")


async def _enough_of(link: HttpLink) -> None:
    await link.post(b"{}", {}, lambda _status: lambda _data: False)


async def test_when_no_more_is_needed_the_rest_is_read_out_and_the_connection_kept() -> None:
    async def serve(peer: Peer) -> None:
        while True:
            await peer.request()
            await peer.say(CHUNKED[:-5])
            await asyncio.sleep(0.01)
            await peer.say(CHUNKED[-5:])

    async with serving(serve) as (url, peers), link_to(url) as link:
        await _enough_of(link)
        await asyncio.sleep(0.05)
        assert await read(link) == (200, TEXT)
    assert [len(peer.requests) for peer in peers] == [2]


async def test_a_reply_that_does_not_end_when_no_more_is_needed_is_left() -> None:
    async with serving(always(CHUNKED[:-5])) as (url, peers), link_to(url) as link:
        await _enough_of(link)
        await until(lambda: peers[0].has_left)


async def test_what_a_taker_raises_ends_the_request_at_once() -> None:
    class Refused(Exception):
        pass

    def refuse(_: object) -> bool:
        raise Refused

    async with serving(always(CHUNKED[:-5])) as (url, peers), link_to(url) as link:
        with pytest.raises(Refused):
            await link.post(b"{}", {}, lambda _status: refuse)
        await until(lambda: peers[0].has_left)
        with pytest.raises(Refused):
            await link.post(b"{}", {}, refuse)  # type: ignore[arg-type]
        await until(lambda: peers[1].has_left)


async def test_a_cancelled_question_closes_its_connection() -> None:
    async with serving(always(CHUNKED[:-5])) as (url, peers), link_to(url) as link:
        asking = asyncio.create_task(read(link))
        await until(lambda: peers and peers[0].requests)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        await until(lambda: peers[0].has_left)


async def test_a_question_that_is_cancelled_as_it_ends_leaves_its_connection_to_the_next() -> None:
    second_may_end = asyncio.Event()

    async def serve(peer: Peer) -> None:
        await peer.request()
        await peer.say(SIZED)
        await peer.request()
        await second_may_end.wait()
        await peer.say(SIZED)

    following: list[asyncio.Task[tuple[int, bytes]]] = []

    async with serving(serve) as (url, peers), link_to(url) as link:
        loop = asyncio.get_running_loop()

        def take(_: bytes) -> bool:
            # Behind the end of this reply, before its task has been woken.
            loop.call_soon(follow)
            return True

        def follow() -> None:
            following.append(loop.create_task(read(link)))
            loop.call_soon(asking.cancel)

        asking = loop.create_task(link.post(b"{}", {}, lambda _status: take))
        await asyncio.gather(asking, return_exceptions=True)
        await until(lambda: following and len(peers[0].requests) == 2)
        second_may_end.set()
        assert await following[0] == (200, TEXT)
    assert len(peers) == 1


async def test_a_question_that_takes_long_to_send_is_no_silence() -> None:
    async def serve(peer: Peer) -> None:
        head = await peer.reader.readuntil(b"\r\n\r\n")
        left = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        await asyncio.sleep(1.2)
        while left > 0:
            left -= len(await peer.reader.read(600_000))
        await peer.say(SIZED)

    async with serving(serve) as (url, _), link_to(url, read_timeout_s=1) as link:
        assert await read(link, b"x" * 40_000_000) == (200, TEXT)


@pytest.mark.parametrize(
    "reply",
    [b"", b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", CHUNKED[:-9]],
    ids=["nothing", "head", "half"],
)
async def test_a_server_that_falls_silent_is_not_waited_for_and_not_asked_again(reply: bytes) -> None:
    async def serve(peer: Peer) -> None:
        await peer.request()
        await peer.say(SIZED)
        await peer.request()
        await peer.say(reply)

    async with serving(serve) as (url, peers), link_to(url, read_timeout_s=0.2) as link:
        await read(link)
        with pytest.raises(LinkBroken, match="silent"):
            await read(link)
        await until(lambda: peers[0].has_left)
    assert len(peers) == 1


async def test_a_server_that_is_slow_but_speaks_is_waited_for() -> None:
    async def serve(peer: Peer) -> None:
        await peer.request()
        for byte in SIZED:
            await peer.say(bytes([byte]))
            await asyncio.sleep(0.005)

    async with serving(serve) as (url, _), link_to(url, read_timeout_s=0.2) as link:
        assert await read(link) == (200, TEXT)


@pytest.mark.parametrize(
    "reply",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        CHUNKED[:-9],
        b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nab",
        b"",
    ],
    ids=["no HTTP", "no chunk", "half", "short", "nothing"],
)
async def test_a_reply_that_is_none_breaks_the_link(reply: bytes) -> None:
    async with serving(always(reply, closes=True)) as (url, _), link_to(url) as link:
        with pytest.raises(LinkBroken):
            await read(link)


async def test_who_speaks_unasked_loses_the_connection() -> None:
    async with serving(always(SIZED + b"HTTP/1.1 200 OK\r\n\r\n")) as (url, peers), link_to(url) as link:
        await read(link)
        await until(lambda: peers[0].has_left)


async def test_nobody_listening_breaks_the_link() -> None:
    async with link_to("http://127.0.0.1:9/v1") as link:
        with pytest.raises(LinkBroken):
            await read(link)


async def test_pieces_are_taken_in_the_context_of_whoever_asked() -> None:
    asked_by: ContextVar[str] = ContextVar("asked_by")
    seen: list[str] = []

    async def ask(name: str) -> None:
        asked_by.set(name)

        def take(_: bytes) -> bool:
            seen.append(asked_by.get())
            return True

        await link.post(b"{}", {}, lambda _status: take)

    async with serving(always(SIZED)) as (url, peers), link_to(url) as link:
        for name in ("one", "another"):
            await asyncio.create_task(ask(name))
    assert (seen, len(peers)) == (["one", "another"], 1)


async def test_closing_ends_what_is_under_way() -> None:
    async with serving(always(b"")) as (url, peers), link_to(url) as link:
        asking = asyncio.create_task(read(link))
        await until(lambda: peers and peers[0].requests)
        await link.close()
        with pytest.raises(LinkBroken, match="closed"):
            await asking
        with pytest.raises(LinkBroken, match="closed"):
            await read(link)
    assert len(peers) == 1


@pytest.mark.parametrize("value", ["a\r\nX: y", "a\ny", "a\r"])
def test_a_header_cannot_bring_another(value: str) -> None:
    with pytest.raises(ValueError, match="line break"):
        HttpLink("http://127.0.0.1/v1", {"Authorization": value}, connect_timeout_s=1, read_timeout_s=1)


@pytest.mark.parametrize("url", ["ftp://model/v1", "model/v1", "http:///v1", "unix:/tmp/model"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="no http"):
        HttpLink(url, {}, connect_timeout_s=1, read_timeout_s=1)
