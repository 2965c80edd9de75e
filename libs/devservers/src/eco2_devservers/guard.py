"""This process's line to its guardian."""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

from eco2_devservers.process_tree import Kin

_lock = threading.Lock()
_lines: dict[int, "subprocess.Popen[bytes]"] = {}


def hold(kin: Kin) -> None:
    """Have this process and everything below it killed when we die."""
    _tell("hold", *kin)


def release(kin: Kin) -> None:
    """Stop looking after a process that has ended."""
    _tell("release", *kin)


def keep(folder: Path) -> None:
    """Have this folder removed when we die."""
    _tell("keep", str(folder))


def forget(folder: Path) -> None:
    """Stop looking after a folder that has been removed."""
    _tell("forget", str(folder))


def dismiss() -> None:
    """Let the guardian go; it ends whatever has not been released."""
    with _lock:
        guardian = _lines.pop(os.getpid(), None)
    if guardian is not None:
        guardian.communicate()


def _tell(*message: str | int) -> None:
    with _lock:
        # Keyed by pid: a forked child must not speak for its parent.
        guardian = _lines.get(os.getpid()) or _engage()
        assert guardian.stdin is not None
        guardian.stdin.write(json.dumps(message).encode() + b"\n")


def _engage() -> "subprocess.Popen[bytes]":
    guardian = subprocess.Popen(
        [sys.executable, "-P", "-m", "eco2_devservers.guardian", str(os.getpid())],
        bufsize=0,
        stdin=subprocess.PIPE,
        # Nobody who waits for the end of our output may have to wait for the guardian too.
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        cwd="/",
    )
    _lines[os.getpid()] = guardian
    return guardian
