"""Processes of a run: start them on their core, count what they cost, stop them by pid."""

import contextlib
import os
import resource
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import psutil

SYSTEM_CORE = 0
LOAD_CORE = 1
# Longer than a worker drains.
STOP_TIMEOUT_S = 30.0

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def on_core(core: int) -> Iterator[None]:
    """Pin this thread, and so whatever it starts meanwhile, to one core (where the machine has it)."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core} & before or before)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def start_module(
    arguments: list[str], *, core: int, log: Path, environment: Mapping[str, str] | None = None
) -> subprocess.Popen[bytes]:
    """Run `python -m <arguments>` on a core; what it prints goes to `log`."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with on_core(core), log.open("wb") as output:
        return subprocess.Popen(
            [sys.executable, "-m", *arguments],
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(environment or {})},
        )


@contextlib.contextmanager
def simulator() -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """The model simulator on the load's core: its process and the base URL of its API."""
    with on_core(LOAD_CORE):
        process = subprocess.Popen([sys.executable, "-m", "bench.simulator"], stdout=subprocess.PIPE)
    assert process.stdout is not None
    try:
        yield process, f"http://127.0.0.1:{int(process.stdout.readline())}/v1"
    finally:
        stop(process)
        process.stdout.close()


def stop(process: subprocess.Popen[bytes]) -> None:
    """Ask a process to end, insist when it does not."""
    if process.poll() is None:
        process.terminate()
    try:
        process.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def cpu_seconds(pid: int) -> float:
    """User and system time of a process, all its threads and its children, living and ended."""
    total = _own_and_waited_for(pid)
    with contextlib.suppress(psutil.NoSuchProcess):
        total += sum(_own_and_waited_for(child.pid) for child in psutil.Process(pid).children(recursive=True))
    return total


def _own_and_waited_for(pid: int) -> float:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    # The command name before the last bracket may hold spaces; utime is the 14th field of the line.
    fields = stat.rpartition(")")[2].split()
    return sum(int(field) for field in fields[11:15]) / _TICKS_PER_S


def rss_bytes(pid: int) -> int:
    """Memory that a process holds in RAM."""
    return psutil.Process(pid).memory_info().rss


def connections_to(pids: list[int], port: int) -> int:
    """How many connections these processes hold open to a server's port."""
    return sum(
        1
        for pid in pids
        for socket in psutil.Process(pid).net_connections("tcp")
        if socket.raddr and socket.raddr.port == port and socket.status == psutil.CONN_ESTABLISHED
    )


def allow_many_files() -> None:
    """5,000 open streams are as many sockets here and in the API, which inherits the limit."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
