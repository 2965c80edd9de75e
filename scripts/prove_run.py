"""Prove that `make run` serves and that SIGINT ends it cleanly within 5 s."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

READY_WITHIN_S = 60
ENDS_WITHIN_S = 5


def free_port() -> int:
    """Return a loopback port that is free now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def wait_until_ready(url: str, make: "subprocess.Popen[bytes]") -> None:
    """Return once the URL answers 200; ends the program with the reason otherwise."""
    deadline = time.monotonic() + READY_WITHIN_S
    while not answers(url):
        if make.poll() is not None:
            sys.exit(f"make run ended with code {make.returncode} before it was ready")
        if time.monotonic() > deadline:
            sys.exit(f"{url} did not answer 200 within {READY_WITHIN_S} s")
        time.sleep(0.1)


def answers(url: str) -> bool:
    """Say whether the URL answers 200 now."""
    try:
        with urllib.request.urlopen(url, timeout=2) as response:
            return response.status == 200
    except (urllib.error.URLError, OSError):
        return False


def child_of(pid: int) -> int:
    """Return the one child of make, which reports its exit code; a signal to make itself would hide it."""
    [child] = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return int(child)


def main() -> None:
    """Start, wait, interrupt, and measure."""
    # A shell's background job ignores SIGINT and hands that down; what we start must not.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    port = free_port()
    started = time.monotonic()
    with subprocess.Popen(["make", "run", f"PORT={port}"], stdin=subprocess.DEVNULL) as make:
        try:
            wait_until_ready(f"http://127.0.0.1:{port}/readyz", make)
            print(f"ready in {time.monotonic() - started:.1f} s", flush=True)
            interrupted = time.monotonic()
            os.kill(child_of(make.pid), signal.SIGINT)
            code = make.wait(ENDS_WITHIN_S)
        except subprocess.TimeoutExpired:
            sys.exit(f"make run still ran {ENDS_WITHIN_S} s after SIGINT")
        finally:
            if make.poll() is None:
                os.kill(child_of(make.pid), signal.SIGKILL)
    if code != 0:
        sys.exit(f"make run ended with code {code} after SIGINT")
    print(f"ended cleanly {time.monotonic() - interrupted:.1f} s after SIGINT")


if __name__ == "__main__":
    main()
