"""A service of ours as a subprocess that can be killed, stopped and started again."""

import os
import signal
import sys
from pathlib import Path

from eco2_devservers.process import OwnedProcess

_CLOSES_WITHIN_S = 8


class Program:
    """`python` with these arguments, in a folder of its own, without the keys and endpoints of this shell.

    Each start appends to the log `{name}.log` in the folder; the process ends with ours, however that ends.
    """

    def __init__(self, name: str, folder: Path, *arguments: str, **env: str) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        self._folder = folder
        self._command = [sys.executable, *arguments]
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "OPENAI_"))
        }
        self._env = {**kept, **env}
        self._process: OwnedProcess | None = None

    def start(self) -> None:
        """Start the process, and do not wait for it to be ready."""
        self._process = OwnedProcess(self._command, log=self.log, folder=self._folder, env=self._env)

    @property
    def is_running(self) -> bool:
        """Whether the process lives; a stopped one (SIGSTOP) does."""
        return self._process is not None and self._process.exit_code is None

    @property
    def exit_code(self) -> int | None:
        """The exit code, negative for a signal; None before the start and while the process runs."""
        return None if self._process is None else self._process.exit_code

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process."""
        assert self._process is not None
        self._process.signal(number)

    def kill(self) -> None:
        """SIGKILL."""
        if self._process is not None:
            self._process.kill()

    def close(self) -> None:
        """SIGTERM, then SIGKILL."""
        if self.is_running and self._process is not None:
            self._process.stop(signal.SIGTERM, _CLOSES_WITHIN_S)
        self.kill()

    def said(self) -> str:
        """All that every start of it has printed."""
        return self.log.read_text(encoding="utf-8", errors="replace")
