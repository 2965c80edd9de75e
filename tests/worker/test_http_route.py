"""The ways to a model: in TLS, and through the proxy of the environment."""

import asyncio
import base64
import socket
import ssl
import subprocess
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from chat_worker.adapters.http_link import HttpLink, LinkBroken

from tests.worker.world import until

REPLY = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
SECRET = "se:cret@"
IN_URL = "me:se%3Acret%40"
KNOWN = b"Proxy-Authorization: Basic " + base64.b64encode(f"me:{SECRET}".encode())


@pytest.fixture
def certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A certificate for `model.test` and `localhost` that this process trusts, with its key in one file."""
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-nodes", "-days", "1", "-subj", "/CN=model.test"),
            *("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-addext", "subjectAltName=DNS:model.test,DNS:localhost"),
            *("-keyout", str(key), "-out", str(certificate)),
        ],
        check=True,
        capture_output=True,
    )
    both = tmp_path / "both.pem"
    both.write_bytes(certificate.read_bytes() + key.read_bytes())
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    return both


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@dataclass
class Seen:
    """A server's port and what it was asked."""

    port: int = 0
    heads: list[bytes] = field(default_factory=list[bytes])
    open: int = 0


async def _answer(seen: Seen, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    seen.open += 1
    try:
        while True:
            seen.heads.append(await reader.readuntil(b"\r\n\r\n"))
            await reader.readexactly(2)
            writer.write(REPLY)
    except (ConnectionError, asyncio.IncompleteReadError):
        writer.close()
    finally:
        seen.open -= 1


@asynccontextmanager
async def model(certificate: Path | None = None) -> AsyncGenerator[Seen]:
    seen, tls = Seen(), None
    if certificate is not None:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(certificate)
    server = await asyncio.start_server(lambda r, w: _answer(seen, r, w), "127.0.0.1", 0, ssl=tls)
    seen.port = server.sockets[0].getsockname()[1]
    yield seen
    server.close()
    await until(lambda: not seen.open)


@asynccontextmanager
async def proxy(to_port: int, refusal: bytes = b"") -> AsyncGenerator[Seen]:
    """Takes every host for the server on that port."""
    seen = Seen()
    open_: set[asyncio.StreamWriter] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        open_.add(writer)
        await pass_on(reader, writer)
        open_.discard(writer)

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.heads.append(await reader.readuntil(b"\r\n\r\n"))
        if refusal:
            writer.write(refusal)
            writer.close()
            return
        there, here = await asyncio.open_connection("127.0.0.1", to_port)
        if seen.heads[-1].startswith(b"CONNECT"):
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        else:
            here.write(seen.heads[-1])
        await asyncio.gather(_pour(reader, here), _pour(there, writer))

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    seen.port = server.sockets[0].getsockname()[1]
    yield seen
    server.close()
    await until(lambda: not open_)


async def _pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65_536):
            writer.write(data)
    except ConnectionError:
        pass
    writer.close()


async def ask(url: str) -> bytes:
    """The body of two replies over one link."""
    link = HttpLink(url, {}, connect_timeout_s=5, read_timeout_s=5)
    heard: list[bytes] = []

    def take(data: bytes) -> bool:
        heard.append(data)
        return True

    try:
        for _ in range(2):
            await link.post(b"{}", {}, lambda _status: take)
    finally:
        await link.close()
    return b"".join(heard)


async def test_https_is_spoken_in_tls(certificate: Path) -> None:
    async with model(certificate) as server:
        assert await ask(f"https://localhost:{server.port}/v1") == b"okok"
    assert b"Host: localhost:" in server.heads[0]


async def test_a_certificate_of_somebody_else_is_not_trusted(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    async with model(certificate) as server:
        with pytest.raises(LinkBroken):
            await ask(f"https://localhost:{server.port}/v1")
    assert server.heads == []


async def test_a_certificate_for_another_name_is_not_trusted(certificate: Path) -> None:
    async with model(certificate) as server:
        with pytest.raises(LinkBroken):
            await ask(f"https://127.0.0.1:{server.port}/v1")
    assert server.heads == []


@pytest.mark.parametrize("scheme", ["http://", ""], ids=["as a URL", "as host and port"])
async def test_https_goes_through_the_proxy_unread(
    certificate: Path, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    async with model(certificate) as server, proxy(server.port) as between:
        monkeypatch.setenv("https_proxy", f"{scheme}{IN_URL}@127.0.0.1:{between.port}")
        assert await ask("https://model.test/v1/chat") == b"okok"
    (asked,) = between.heads
    assert asked.startswith(b"CONNECT model.test:443 HTTP/1.1\r\n")
    assert KNOWN in asked
    assert [head.split(b"\r\n")[0] for head in server.heads] == [b"POST /v1/chat HTTP/1.1"] * 2
    assert b"Proxy-Authorization" not in server.heads[0]


async def test_http_goes_through_the_proxy_by_its_whole_address(monkeypatch: pytest.MonkeyPatch) -> None:
    async with model() as server, proxy(server.port) as between:
        monkeypatch.setenv("http_proxy", f"http://{IN_URL}@127.0.0.1:{between.port}")
        assert await ask("http://model.test:8080/v1/chat?a=b") == b"okok"
    assert between.heads[0].startswith(b"POST http://model.test:8080/v1/chat?a=b HTTP/1.1\r\n")
    assert KNOWN in between.heads[0]
    assert b"Host: model.test:8080\r\n" in between.heads[0]


@pytest.mark.parametrize("name", ["no_proxy", "NO_PROXY"])
async def test_a_host_that_needs_no_proxy_is_asked_straight(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    async with proxy(9) as between:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{between.port}")
        monkeypatch.setenv(name, "model.invalid")
        with pytest.raises(LinkBroken):
            await ask("http://model.invalid/v1")
    assert between.heads == []


@pytest.mark.parametrize(
    "refusal", [b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", b"SSH-2.0\r\n", b"\0" * 40_000]
)
async def test_a_proxy_that_refuses_breaks_the_link(
    certificate: Path, monkeypatch: pytest.MonkeyPatch, refusal: bytes
) -> None:
    async with model(certificate) as server, proxy(server.port, refusal) as between:
        monkeypatch.setenv("https_proxy", f"http://{IN_URL}@127.0.0.1:{between.port}")
        with pytest.raises(LinkBroken) as broken:
            await ask("https://model.test/v1/chat")
    assert SECRET not in str(broken.value)
    assert server.heads == []


def test_a_proxy_of_another_kind_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "socks5://127.0.0.1:1080")
    with pytest.raises(ValueError, match="only a proxy"):
        HttpLink("https://model.test/v1", {}, connect_timeout_s=5, read_timeout_s=5)


async def test_an_address_that_does_not_answer_holds_up_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.2", 0), backlog=0) as dead:
        port = dead.getsockname()[1]
        # Its queue is full: who connects now hears nothing.
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(("127.0.0.2", port))
        seen = Seen()
        server = await asyncio.start_server(lambda r, w: _answer(seen, r, w), "127.0.0.1", port)

        async def found(*_: object, **__: object) -> list[tuple[object, ...]]:
            tcp = (socket.AF_INET, socket.SOCK_STREAM, 6, "")
            return [(*tcp, ("127.0.0.2", port)), (*tcp, ("127.0.0.1", port))]

        monkeypatch.setattr(type(asyncio.get_running_loop()), "getaddrinfo", found)
        assert await ask(f"http://model.test:{port}/v1") == b"okok"
        server.close()
        await until(lambda: not seen.open)
        for one in waiting:
            one.close()
