"""Examples of the documents as a reader would run them."""

import base64
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.npm import NODE

ADDRESSES = ("http://127.0.0.1:8000", "http://localhost:8000", "localhost:8000", "https://chat.example.org")
BOTTLE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
LIMIT_S = 100


@dataclass(frozen=True)
class Examples:
    """The address that stands for those in the documents, and the folder that the examples run in."""

    url: str
    folder: Path

    def bash(self, code: str) -> str:
        """What the commands print; any that fails fails the test."""
        (self.folder / "bottle.jpg").write_bytes(BOTTLE)
        return self._run("bash", "-euo", "pipefail", "-c", self._here(code))

    def python(self, code: str) -> str:
        return self._run(sys.executable, "-c", self._here(code))

    def node(self, code: str, packages: Path) -> str:
        """What a module prints that may import the packages."""
        script = packages / f"{self.folder.name}.mjs"
        script.write_text(self._here(code), encoding="utf-8")
        return self._run(str(NODE), str(script))

    def _here(self, code: str) -> str:
        for address in ADDRESSES:
            code = code.replace(address, self.url)
        return code

    def _run(self, *command: str) -> str:
        # As in a shell with the environment of `make install` first in its path, and nobody's settings.
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("ECO2_", "OPENAI_"))}
        done = subprocess.run(
            command,
            cwd=self.folder,
            env={**kept, "PATH": path, "ECO2_URL": self.url},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            check=False,
        )
        assert done.returncode == 0, f"{done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
        return done.stdout
