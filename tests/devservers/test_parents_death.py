"""Whatever happens to the program that started servers, they end and their folders go."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil

_ALL_SERVERS = """
from eco2_devservers import PostgresServer, RabbitServer, RedisServer
servers = [kind().start() for kind in (RedisServer, PostgresServer, RabbitServer)]
print(*(server.folder for server in servers), flush=True)
input()
"""

_FROM_A_THREAD = """
import threading
from eco2_devservers import RedisServer
server = RedisServer()
thread = threading.Thread(target=server.start)
thread.start()
thread.join()
print(server.folder, flush=True)
input()
assert server.is_running
"""


def _left_below(folders: list[Path]) -> list[psutil.Process]:
    """Processes that work in one of the folders: every server and all it starts."""

    def works_there(process: psutil.Process) -> bool:
        try:
            return any(Path(process.cwd()).is_relative_to(folder) for folder in folders)
        except (psutil.AccessDenied, psutil.NoSuchProcess):
            return False

    return [process for process in psutil.process_iter() if works_there(process)]


def _start(script: str) -> tuple["subprocess.Popen[str]", list[Path]]:
    parent = subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    return parent, [Path(word) for word in parent.stdout.readline().split()]


def test_servers_end_when_their_parent_is_killed(eventually: Callable[[Callable[[], object]], None]) -> None:
    parent, folders = _start(_ALL_SERVERS)
    with parent:
        assert len(_left_below(folders)) >= 3
        parent.kill()
    eventually(lambda: not _left_below(folders))
    eventually(lambda: not any(folder.exists() for folder in folders))


def test_servers_end_with_a_program_that_forgets_them() -> None:
    parent, folders = _start(_FROM_A_THREAD)
    with parent:
        parent.communicate("\n", timeout=20)
    assert parent.returncode == 0, "the server must outlive the thread that started it"
    assert _left_below(folders) == []
    assert not folders[0].exists()
