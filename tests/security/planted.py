"""What must not come to light, and the product with all of it planted in its settings and its questions."""

import asyncio
import base64
import contextlib
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import httpx
from chat_api.auth.keys import digest_of
from eco2_devservers import Program, free_port

from tests.telemetry.receiver import Receiver

SECRETS = {
    "OPENAI_API_KEY": "sk-canary-openai-5f1d",
    "KAKAO_REST_API_KEY": "canarykakao5f1d0123456789abcdef01",
    "DATA_GO_KR_KEY": "canary%2Bdatagokr5f1d%3D%3D",
    "TAVILY_API_KEY": "tvly-canary-5f1d",
    "LANGCHAIN_API_KEY": "lsv2_canary_langchain_5f1d",
    "TICKET_SECRET": "canary-ticket-5f1d-of-enough-characters",
    "redis": "canary-redis-5f1d",
    "amqp": "canary-amqp-5f1d",
    "postgres": "canary-postgres-5f1d",
}
ACCESS_KEY = "eco2_canary-access-key-5f1d"
CONTENT = {
    "message": "카나리아질문5f1d",
    "latitude": "37.512345",
    "longitude": "127.043219",
    "comment": "카나리아의견5f1d",
}
PICTURE = b"\x89PNG\r\n\x1a\n" + b"canary-picture-5f1d" * 40
PICTURE_URL = "data:image/png;base64," + base64.b64encode(PICTURE).decode()
WORDS = (*SECRETS.values(), "canary+datagokr5f1d==", ACCESS_KEY)


def found_in(text: str, words: tuple[str, ...] = WORDS) -> list[str]:
    """The canaries that a text tells, as they are or in the ways that URLs and logs write them."""
    # Percent signs are written with letters of either case.
    folded = text.casefold()
    return [
        word
        for word in words
        if any(way in text for way in _spelt(word))
        or any(way.casefold() in folded for way in (quote(word, safe=""), quote_plus(word)))
    ]


def _spelt(word: str) -> Iterator[str]:
    yield word
    yield word.encode("unicode_escape").decode()
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        for before in range(3):
            # A character at either end may hold bits of what stands beside the word.
            first, bits = -(-8 * before // 6), 8 * (before + len(word.encode()))
            yield encode(b" " * before + word.encode()).decode()[first : bits // 6]


CONTENT_WORDS = (*CONTENT.values(), PICTURE_URL[40:120], "canary-picture-5f1d")


class Lure:
    """Listens where every foreign name leads, and counts who comes."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.came = 0
        self.said = b""
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        while True:
            try:
                link, _ = self._listener.accept()
            except OSError:
                return
            self.came += 1
            with link, contextlib.suppress(OSError):
                link.settimeout(0.2)
                self.said += link.recv(4_096)

    def close(self) -> None:
        # Wakes the thread, which a close alone does not.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)


@dataclass
class Watched:
    """The product, the sandbox that answers for its model, and all that can be seen of it from outside."""

    url: str
    sandbox_url: str
    program: Program
    folder: Path
    lure: Lure
    receiver: Receiver

    def reached(self) -> list[str]:
        """Every look-up and every connection so far."""
        return (self.folder / "reached.txt").read_text(encoding="utf-8").splitlines()

    def client(self) -> httpx.AsyncClient:
        """Calls with the access key."""
        headers = {"Authorization": f"Bearer {ACCESS_KEY}"}
        return httpx.AsyncClient(base_url=self.url, headers=headers, timeout=60, trust_env=False)

    async def ask(self, api: httpx.AsyncClient, **body: Any) -> str:
        """Asks, waits for the end, and gives all that the events said."""
        stream = {"Accept": "text/event-stream"}
        async with api.stream("POST", "/api/v1/chat", json=body, headers=stream) as response:
            text = "".join([part async for part in response.aiter_text()])
        assert response.status_code == 200, text
        return text


def environment(folder: Path, sandbox_url: str, receiver: Receiver) -> dict[str, str]:
    """Everything that a leak could tell, in the settings of one process."""
    return {
        **{name: value for name, value in SECRETS.items() if name.isupper()},
        "OPENAI_BASE_URL": f"{sandbox_url}/v1",
        "OPENAI_MODEL": "eco2-sandbox",
        "REDIS_URL": f"redis://:{SECRETS['redis']}@127.0.0.1:9/0",
        "AMQP_URL": f"amqp://eco2:{SECRETS['amqp']}@127.0.0.1:9/",
        "DATABASE_URL": f"sqlite:///{folder}/eco2.sqlite",
        "AUTH_MODE": "api_key",
        "AUTH_API_KEYS": f"canary:{digest_of(ACCESS_KEY).hex()}",
        "LOG_LEVEL": "DEBUG",
        "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url,
        "OTEL_BSP_SCHEDULE_DELAY": "100",
        "TELEMETRY_JOURNAL_DIR": str(folder / "journals"),
    }


@contextlib.asynccontextmanager
async def watched(folder: Path, receiver: Receiver) -> AsyncIterator[Watched]:
    """Starts it with everything planted."""
    port, sandbox_port = free_port(), free_port()
    url, sandbox_url = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{sandbox_port}"
    with _lure() as lure:
        sandbox = Program("sandbox", folder, "-m", "eco2_sandbox", "--port", str(sandbox_port))
        driver = str(Path(__file__).with_name("watched.py"))
        env = environment(folder, sandbox_url, receiver)
        program = Program("product", folder, driver, str(folder), str(lure.port), "--port", str(port), **env)
        try:
            sandbox.start()
            program.start()
            await until_ready(f"{sandbox_url}/livez")
            await until_ready(f"{url}/readyz", program)
            yield Watched(url, sandbox_url, program, folder, lure, receiver)
        finally:
            await asyncio.to_thread(program.close)
            await asyncio.to_thread(sandbox.close)


@contextlib.contextmanager
def _lure() -> Iterator[Lure]:
    lure = Lure()
    try:
        yield lure
    finally:
        lure.close()


async def until_ready(url: str, program: Program | None = None) -> None:
    """Waits until a GET gives 200."""
    async with httpx.AsyncClient(timeout=5, trust_env=False) as client, asyncio.timeout(90):
        while True:
            with contextlib.suppress(httpx.HTTPError):
                if (await client.get(url)).status_code == 200:
                    return
            assert program is None or program.is_running, program.said()
            await asyncio.sleep(0.05)
