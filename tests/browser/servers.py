"""The product and its stand-in model, each as a process of its own."""

import os
import sys
from collections.abc import Mapping
from typing import Any, ClassVar

import httpx
from eco2_devservers import Server
from eco2_devservers.ports import reply_of

PACE_MS = 5
INPUT_WAIT_S = 20


class Sandbox(Server):
    """The stand-in model, whose pace and faults a test sets."""

    name: ClassVar[str] = "Sandbox"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def behave(self, **behaviour: Any) -> None:
        body = {"for_requests": "stream", **behaviour}
        httpx.put(f"{self.url}/sandbox/behaviour", json=body).raise_for_status()

    def _prepare(self) -> None:
        """The sandbox keeps nothing."""

    def _command(self) -> list[str]:
        return [sys.executable, "-m", "eco2_sandbox", "--port", str(self.port)]

    def _env(self) -> Mapping[str, str]:
        return {**os.environ, "SANDBOX_TOKEN_MS": str(PACE_MS), "SANDBOX_FOR_REQUESTS": "stream"}

    def _is_ready(self) -> bool:
        return b"200 OK" in reply_of(self.port, b"GET /sandbox/behaviour HTTP/1.0\r\n\r\n")


class Product(Server):
    """The whole product in one process."""

    name: ClassVar[str] = "Product"
    ready_within_s: ClassVar[float] = 90

    def __init__(self, sandbox: Sandbox, **settings: str) -> None:
        super().__init__()
        self._sandbox = sandbox
        self._settings = settings

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def _prepare(self) -> None:
        """The product makes what it needs."""

    def _command(self) -> list[str]:
        return [sys.executable, "-m", "all_in_one", "--port", str(self.port)]

    def _env(self) -> Mapping[str, str]:
        return {
            **os.environ,
            "OPENAI_BASE_URL": f"{self._sandbox.url}/v1",
            "OPENAI_API_KEY": "any",
            "STAND_INS_URL": self._sandbox.url,
            "INPUT_WAIT_S": str(INPUT_WAIT_S),
            "IS_SAMPLE_DATA": "true",
            "DATABASE_URL": f"sqlite:///{self.folder}/eco2.sqlite",
            **self._settings,
        }

    def _is_ready(self) -> bool:
        return b"200 OK" in reply_of(self.port, b"GET /readyz HTTP/1.0\r\n\r\n")
