"""The embedded product and the stand-in vendors as two processes, so that the weather of one can be set."""

import os
import sys
from collections.abc import Mapping
from typing import ClassVar

import httpx
from eco2_devservers import Server


class _PythonServer(Server):
    """A Python program of ours that is ready once an address of it answers 200."""

    ready_within_s: ClassVar[float] = 60
    ready_path: ClassVar[str]

    def __init__(self, **env: str) -> None:
        super().__init__()
        self._changes = env

    @property
    def url(self) -> str:
        """Address of the program."""
        return f"http://127.0.0.1:{self.port}"

    def _env(self) -> Mapping[str, str]:
        return os.environ | self._changes

    def _prepare(self) -> None:
        """The programs make what they need."""

    def _is_ready(self) -> bool:
        try:
            # A proxy of the environment has no business between us and our own machine.
            with httpx.Client(trust_env=False, timeout=5) as client:
                return client.get(f"{self.url}{self.ready_path}").status_code == 200
        except httpx.HTTPError:
            return False


class SandboxServer(_PythonServer):
    """Every outside vendor; its control door is below `/sandbox`."""

    name: ClassVar[str] = "Sandbox"
    ready_path: ClassVar[str] = "/sandbox/profile"

    def _command(self) -> list[str]:
        return [sys.executable, "-m", "eco2_sandbox", "--port", str(self.port)]

    def put(self, path: str, body: object) -> None:
        """Changes the weather; raises HTTPStatusError when the sandbox knows no such thing."""
        with httpx.Client(trust_env=False, timeout=5) as client:
            client.put(f"{self.url}/sandbox/{path}", json=body).raise_for_status()

    def reset(self, path: str) -> None:
        """Has a part of it behave as usual again."""
        with httpx.Client(trust_env=False, timeout=5) as client:
            client.delete(f"{self.url}/sandbox/{path}").raise_for_status()


class ProductServer(_PythonServer):
    """The whole product in one process, answered by the sandbox; settings are environment variables."""

    name: ClassVar[str] = "Product"
    ready_path: ClassVar[str] = "/readyz"

    def __init__(self, sandbox: SandboxServer, **env: str) -> None:
        vendors = {
            "OPENAI_API_KEY": "stand-in",
            "OPENAI_BASE_URL": f"{sandbox.url}/v1",
            "OPENAI_MODEL": "eco2-sandbox",
            "STAND_INS_URL": sandbox.url,
            "IS_SAMPLE_DATA": "true",
        }
        super().__init__(**vendors | env)

    def _command(self) -> list[str]:
        return [sys.executable, "-m", "all_in_one", "--port", str(self.port)]
