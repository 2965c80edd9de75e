"""The all-in-one product with all its look-ups and connections written down, and a name server of ours.

Run as a program: `python watched.py FOLDER LURE`, then the arguments of all-in-one. Every name that is not of
this machine leads to LURE, the port of a listener on loopback, as an attacker's name would.
"""

import asyncio
import runpy
import socket
import sys
from pathlib import Path
from typing import Any

FOREIGN = "127.0.0.66"
"""The address of every name that is not of this machine; a client puts its own port to it."""


def _watch(folder: Path, lure: int) -> None:
    told = (folder / "reached.txt").open("a", encoding="utf-8", buffering=1)
    own, connect = socket.getaddrinfo, socket.socket.connect

    def look_up(host: Any, port: Any, *rest: Any, **named: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        told.write(f"look-up {name}\n")
        if name in (None, "", "127.0.0.1", "::1", "localhost"):
            return own(host, port, *rest, **named)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (FOREIGN, int(port or 0)))]

    def led(this: socket.socket, address: Any) -> None:
        connect(this, ("127.0.0.1", lure) if address[0] == FOREIGN else address)

    def heard(event: str, details: tuple[Any, ...]) -> None:
        if event == "socket.connect":
            told.write(f"connect {details[1]}\n")

    socket.getaddrinfo, socket.socket.connect = look_up, led  # type: ignore[method-assign]
    sys.addaudithook(heard)


if __name__ == "__main__":
    _watch(Path(sys.argv[1]), int(sys.argv[2]))
    # uvloop asks the system itself, where nobody can listen.
    sys.modules["uvloop"] = asyncio  # type: ignore[assignment]
    sys.argv = ["all_in_one", *sys.argv[3:]]
    runpy.run_module("all_in_one", run_name="__main__")
