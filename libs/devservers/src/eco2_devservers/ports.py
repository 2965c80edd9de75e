"""Free loopback ports that stay free while a server of ours is down between two starts."""

import random
import socket

# Below Linux's ephemeral range: no outgoing connection can be given the port of a server that is restarting.
_RANGE = range(20_000, 32_000)
_given: set[int] = set()


def free_port() -> int:
    """Return a loopback TCP port that nothing listens on and that this process has not been given before."""
    for port in random.sample(_RANGE, len(_RANGE)):
        if port not in _given and _is_free(port):
            _given.add(port)
            return port
    raise OSError(f"no free loopback port between {_RANGE.start} and {_RANGE.stop}")


def reply_of(port: int, request: bytes) -> bytes:
    """Return the first bytes a loopback server answers to `request`, or nothing when it does not answer."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(request)
            return connection.recv(4096)
    except OSError:
        return b""


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
