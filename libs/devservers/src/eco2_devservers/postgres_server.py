"""A private PostgreSQL."""

import os
import shutil
import signal
import subprocess
from pathlib import Path
from typing import ClassVar

from eco2_devservers.server import Server, ServerFailed

_ACCOUNT = "postgres"
_DEBIAN_FOLDER = Path("/usr/lib/postgresql")


def postgres_programs() -> Path | None:
    """Return Debian's program folder of the newest PostgreSQL installed, or None."""
    versions = [found.parent.parent for found in _DEBIAN_FOLDER.glob("*/bin/postgres")]
    return max(versions, key=lambda path: float(path.name)) / "bin" if versions else None


class PostgresServer(Server):
    """PostgreSQL that trusts loopback, without fsync: it survives its own crash, not the machine's."""

    name: ClassVar[str] = "PostgreSQL"
    # "Fast shutdown": SIGTERM would wait for clients to leave.
    stop_signal: ClassVar[signal.Signals] = signal.SIGINT

    @property
    def url(self) -> str:
        """`postgresql://` URL of the database `postgres`, as its superuser."""
        return f"postgresql://{_ACCOUNT}@127.0.0.1:{self.port}/postgres"

    def _prepare(self) -> None:
        if os.getuid() == 0:
            shutil.chown(self.folder, _ACCOUNT, _ACCOUNT)
        initdb = _as_ordinary_user(
            _program("initdb"),
            f"--pgdata={self.folder / 'data'}",
            f"--username={_ACCOUNT}",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--no-sync",
        )
        done = subprocess.run(
            initdb, cwd=self.folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60
        )
        if done.returncode != 0:
            raise ServerFailed(f"initdb ended with code {done.returncode}\n{done.stdout}{done.stderr}")

    def _command(self) -> list[str]:
        settings = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "fsync": "off"}
        # In the data folder rather than in /dev/shm, where a kill would leave it behind.
        settings["dynamic_shared_memory_type"] = "mmap"
        return _as_ordinary_user(
            _program("postgres"),
            "-D",
            str(self.folder / "data"),
            "-p",
            str(self.port),
            *(word for key, value in settings.items() for word in ("-c", f"{key}={value}")),
        )

    def _is_ready(self) -> bool:
        probe = [_program("pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port), "-U", _ACCOUNT]
        return subprocess.run(probe, timeout=10).returncode == 0


def _program(name: str) -> str:
    folder = postgres_programs()
    if folder is None:
        raise ServerFailed(f"PostgreSQL is not installed below {_DEBIAN_FOLDER} (Debian package: postgresql)")
    return str(folder / name)


def _as_ordinary_user(*command: str) -> list[str]:
    # PostgreSQL refuses to run as root.
    if os.getuid() != 0:
        return list(command)
    return ["setpriv", f"--reuid={_ACCOUNT}", f"--regid={_ACCOUNT}", "--init-groups", *command]
