import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import httpx
import pytest
import uvicorn
from eco2_sandbox.app import create_app
from eco2_sandbox.server import Clock, utc_now
from eco2_sandbox.settings import Settings
from openai import AsyncOpenAI, OpenAI

from tests.sandbox.vendors import NOW, Vendors

WAIT_S = 10
# One client for all: each new one would read the system's certificates again.
HTTP = httpx.Client(timeout=WAIT_S)


@pytest.fixture(scope="session", autouse=True)
def _http() -> Iterator[None]:
    with HTTP:
        yield


@dataclass(frozen=True)
class Sandbox:
    """A running sandbox, its control door, and clients for it."""

    url: str
    before: dict[str, dict[str, int]] = field(default_factory=dict)

    def behave(self, **behaviour: Any) -> None:
        HTTP.put(f"{self.url}/sandbox/behaviour", json=behaviour).raise_for_status()

    def counts(self, kind: str = "stream") -> dict[str, int]:
        """Return what was counted since this test began."""
        now = HTTP.get(f"{self.url}/sandbox/requests").json()
        return {name: count - self.before.get(kind, {}).get(name, 0) for name, count in now[kind].items()}

    def wait_for(self, holds: Callable[[dict[str, int]], bool], kind: str = "stream") -> None:
        deadline = time.monotonic() + WAIT_S
        while not holds(self.counts(kind)):
            assert time.monotonic() < deadline, self.counts(kind)
            time.sleep(0.01)

    def client(self, **options: Any) -> AsyncOpenAI:
        return AsyncOpenAI(base_url=f"{self.url}/v1", api_key="any", max_retries=0, timeout=WAIT_S, **options)

    def sync_client(self) -> OpenAI:
        return OpenAI(base_url=f"{self.url}/v1", api_key="any", max_retries=0, timeout=WAIT_S)

    def post(self, body: Any, path: str = "chat/completions") -> httpx.Response:
        return HTTP.post(f"{self.url}/v1/{path}", json=body, headers={"Authorization": "Bearer any"})


@contextmanager
def serving(settings: Settings, now: Clock = utc_now) -> Iterator[Sandbox]:
    config = uvicorn.Config(
        create_app(settings, now), port=0, ws="none", log_level="critical", timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    deadline = time.monotonic() + WAIT_S
    while not server.started:
        assert time.monotonic() < deadline
        time.sleep(0.005)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield Sandbox(f"http://127.0.0.1:{port}")
    finally:
        server.should_exit = True
        thread.join(WAIT_S)


@pytest.fixture(scope="session")
def running() -> Iterator[Sandbox]:
    with serving(Settings()) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running: Sandbox) -> Sandbox:
    """The one running sandbox, behaving as at its start and counting from nothing."""
    HTTP.delete(f"{running.url}/sandbox/behaviour").raise_for_status()
    return replace(running, before=HTTP.get(f"{running.url}/sandbox/requests").json())


@pytest.fixture
def serve() -> Callable[..., Any]:
    return lambda **settings: serving(Settings(**settings))


@pytest.fixture(scope="session")
def _running_vendors() -> Iterator[Sandbox]:
    with serving(Settings(), lambda: NOW) as sandbox:
        yield sandbox


@pytest.fixture
def vendors(_running_vendors: Sandbox) -> Vendors:
    """The stand-in vendors at a fixed time, behaving as usual."""
    for door in ("vendors", "profile", "behaviour"):
        HTTP.delete(f"{_running_vendors.url}/sandbox/{door}").raise_for_status()
    return Vendors(_running_vendors.url, HTTP)
