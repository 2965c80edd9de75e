"""A service of nobody's, as a process of its own: what it costs to start, to work and to leave."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

# Every test's process inherits the test's environment, which a fixture has emptied of telemetry.


@contextmanager
def program(script: str, **env: str) -> Iterator[subprocess.Popen[str]]:
    """`python -c script`; killed at the end if it is still there."""
    process = subprocess.Popen(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **env},
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def said_by(process: subprocess.Popen[str], line: str) -> None:
    """Waits until the process says this."""
    assert process.stdout is not None
    told = process.stdout.readline()
    assert told.strip() == line, process.stderr.read() if process.stderr else ""


def left_within(process: subprocess.Popen[str], limit_s: float) -> float:
    """How long the process takes to leave, in seconds."""
    began = time.monotonic()
    process.wait(limit_s)
    return time.monotonic() - began


def run(script: str, env: Mapping[str, str] | None = None) -> str:
    """What a program says that ends well."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, **(env or {})},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
