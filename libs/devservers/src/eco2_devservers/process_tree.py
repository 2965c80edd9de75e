"""Processes told apart by pid and start time, so that a pid used again is never taken for ours."""

import os
import signal
import time
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple


class Kin(NamedTuple):
    """One process: its pid, and its start in clock ticks since boot."""

    pid: int
    started: int


class _Stat(NamedTuple):
    kin: Kin
    parent: int
    is_zombie: bool


def identify(pid: int) -> Kin:
    """Return the identity of a running child; raises ProcessLookupError when there is none."""
    stat = _read_stat(pid)
    if stat is None:
        raise ProcessLookupError(pid)
    return stat.kin


def is_alive(kin: Kin) -> bool:
    """Say whether this very process still runs; a zombie does not."""
    stat = _read_stat(kin.pid)
    return stat is not None and stat.kin == kin and not stat.is_zombie


def family(leader: Kin) -> list[Kin]:
    """Return the leader and everything below it, as long as the leader itself lives."""
    if not is_alive(leader):
        return []
    children: dict[int, list[Kin]] = {}
    for stat in _all_stats():
        children.setdefault(stat.parent, []).append(stat.kin)
    members = [leader]
    for member in members:
        members.extend(children.get(member.pid, ()))
    return members


def kill_all(members: Iterable[Kin], within_s: float = 10) -> None:
    """SIGKILL every member that lives and wait until none does; raises TimeoutError."""
    members = list(members)
    for member in members:
        if is_alive(member):
            _kill(member.pid)
    deadline = time.monotonic() + within_s
    while any(is_alive(member) for member in members):
        if time.monotonic() > deadline:
            raise TimeoutError(f"still alive after SIGKILL: {[m.pid for m in members if is_alive(m)]}")
        time.sleep(0.005)


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _all_stats() -> Iterable[_Stat]:
    pids = (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())
    return [stat for stat in map(_read_stat, pids) if stat is not None]


def _read_stat(pid: int) -> _Stat | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    # proc(5): the name in brackets may itself hold spaces and brackets; fields 3, 4 and 22 follow it.
    fields = text.rpartition(")")[2].split()
    return _Stat(Kin(pid, int(fields[19])), parent=int(fields[1]), is_zombie=fields[0] in "ZX")
