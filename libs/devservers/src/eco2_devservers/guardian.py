"""A small process that outlives its parent for a moment, to end its servers and remove their folders.

PR_SET_PDEATHSIG would do it in one call, but it fires when the *thread* that started the child ends, which
kills a server started from a worker thread; and it leaves the folders behind.
"""

import json
import os
import select
import shutil
import signal
import sys

from eco2_devservers.process_tree import Kin, family, kill_all


class Charges:
    """What the guardian has been asked to look after: processes and folders."""

    def __init__(self) -> None:
        self._kin: set[Kin] = set()
        self._folders: set[str] = set()

    def take(self, message: str) -> None:
        """Apply one line of the parent's: a verb and what it concerns."""
        match json.loads(message):
            case ["hold", int(pid), int(started)]:
                self._kin.add(Kin(pid, started))
            case ["release", int(pid), int(started)]:
                self._kin.discard(Kin(pid, started))
            case ["keep", str(folder)]:
                self._folders.add(folder)
            case ["forget", str(folder)]:
                self._folders.discard(folder)
            case other:
                raise ValueError(f"not a message to the guardian: {other!r}")

    def end(self) -> None:
        """End every process that is still held, then remove the folders."""
        kill_all([member for leader in self._kin for member in family(leader)])
        for folder in self._folders:
            shutil.rmtree(folder, ignore_errors=True)


def main() -> None:
    """Follow standard input until the parent closes it or dies."""
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    charges = Charges()
    # A forked child of the parent may hold the pipe open: the parent's own death is watched as well.
    parent = _watch(int(sys.argv[1]))
    pending = b""
    while chunk := _next_chunk(parent):
        *lines, pending = (pending + chunk).split(b"\n")
        for line in lines:
            charges.take(line.decode())
    charges.end()


def _watch(pid: int) -> list[int]:
    try:
        return [os.pidfd_open(pid)]
    except OSError:  # gone already, or a kernel without pidfd: the end of standard input still tells
        return []


def _next_chunk(parent: list[int]) -> bytes:
    readable, _, _ = select.select([0, *parent], [], [])
    # What was written before the death is read first.
    return os.read(0, 65536) if 0 in readable else b""


if __name__ == "__main__":
    main()
