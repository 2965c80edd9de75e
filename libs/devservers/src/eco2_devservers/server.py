"""What all private servers share: a port, a folder, a life that ends with ours."""

import atexit
import os
import shutil
import signal
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import ClassVar, Self

from eco2_devservers import guard
from eco2_devservers.ports import free_port
from eco2_devservers.process import OwnedProcess

_open: dict["Server", int] = {}


class ServerFailed(Exception):
    """A private server did not become ready; the message ends with the tail of its log."""


class Server(ABC):
    """A real server of our own on a free loopback port, with a private folder.

    `start` after `stop` or `kill` serves the same data on the same port. `close`, the end of the `with` block
    or the end of this process, however it comes, ends the server and removes its folder.
    """

    name: ClassVar[str]
    ready_within_s: ClassVar[float] = 30
    stops_within_s: ClassVar[float] = 20
    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM

    def __init__(self) -> None:
        self.port = free_port()
        self._folder: Path | None = None
        self._process: OwnedProcess | None = None

    @property
    @abstractmethod
    def url(self) -> str:
        """What a client connects to."""

    @abstractmethod
    def _command(self) -> list[str]: ...

    @abstractmethod
    def _is_ready(self) -> bool: ...

    @abstractmethod
    def _prepare(self) -> None:
        """Fill the new folder before the first start."""

    def _env(self) -> Mapping[str, str]:
        return os.environ

    @property
    def folder(self) -> Path:
        """The private folder: data and log; it exists from the first start until `close`."""
        if self._folder is None:
            raise RuntimeError(f"{self.name} has not been started")
        return self._folder

    @property
    def log(self) -> Path:
        """The file that receives the server's output."""
        return self.folder / "server.log"

    @property
    def pid(self) -> int:
        """The server's process id while it runs."""
        return self._running_process().pid

    @property
    def is_running(self) -> bool:
        """Whether the server's process lives; a paused one does."""
        return self._process is not None and self._process.exit_code is None

    def start(self) -> Self:
        """Start, on the data that is there, and return once clients are served; raises ServerFailed."""
        if self.is_running:
            return self
        try:
            if self._folder is None:
                self._make_folder()
                self._prepare()
            self._process = self._spawn(self._command())
            self._wait_until(self._is_ready, self._process)
        except BaseException:
            # Closed, not only killed: a folder half prepared must not serve the next start.
            self.close()
            raise
        return self

    def stop(self) -> None:
        """End the server in its own orderly way; the data stays for the next `start`."""
        if self._process is not None:
            self._process.stop(self.stop_signal, self.stops_within_s)
            self._process = None

    def kill(self) -> None:
        """SIGKILL, as a crash; the data stays for the next `start`."""
        if self._process is not None:
            self._process.kill()
            self._process = None

    def pause(self) -> None:
        """SIGSTOP: connections stay open and nothing answers."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT after `pause`."""
        os.kill(self.pid, signal.SIGCONT)

    def close(self) -> None:
        """Stop the server and remove its folder."""
        self.stop()
        if self._folder is not None:
            shutil.rmtree(self._folder)
            guard.forget(self._folder)
            self._folder = None
        _open.pop(self, None)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()

    def _running_process(self) -> OwnedProcess:
        if self._process is None:
            raise RuntimeError(f"{self.name} is not running")
        return self._process

    def _make_folder(self) -> None:
        _open[self] = os.getpid()
        self._folder = Path(tempfile.mkdtemp(prefix=f"eco2-{self.name.lower()}-"))
        guard.keep(self._folder)

    def _spawn(self, command: list[str]) -> OwnedProcess:
        return OwnedProcess(command, log=self.log, folder=self.folder, env=self._env())

    def _wait_until(self, is_ready: Callable[[], bool], process: OwnedProcess) -> None:
        deadline = time.monotonic() + self.ready_within_s
        while not is_ready():
            if process.exit_code is not None:
                raise ServerFailed(f"{self.name} ended with code {process.exit_code}\n{self._log_tail()}")
            if time.monotonic() > deadline:
                raise ServerFailed(f"{self.name}: waited {self.ready_within_s} s in vain\n{self._log_tail()}")
            time.sleep(0.02)

    def _log_tail(self) -> str:
        return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-40:])


@atexit.register
def _close_all() -> None:
    for server, owner in list(_open.items()):
        if owner == os.getpid():  # a forked child must not stop its parent's servers
            server.close()
    guard.dismiss()
