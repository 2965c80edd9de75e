"""Access keys, of which only hashes are kept. `python -m chat_api.auth.keys NAME` makes one.

A key has 256 random bits: a plain SHA-256 of it can neither be guessed nor looked up.
"""

import argparse
import hashlib
import hmac
import re
import secrets
import sys
from collections.abc import Sequence
from typing import NamedTuple

from chat_api import errors
from chat_api.auth.caller import Caller, UnusableSettings

KEY_MAX_CHARS = 512
_PAIR = re.compile(r"(?P<name>[A-Za-z0-9._@-]{1,64}):(?P<digest>[0-9a-f]{64})", re.ASCII)
_BETWEEN = re.compile(r"[,\s]+")


class NamedHash(NamedTuple):
    """Whose a key is, and its SHA-256; one name may have several keys, of which the older is to go."""

    name: str
    digest: bytes


def digest_of(key: str) -> bytes:
    """What is kept of a key."""
    return hashlib.sha256(key.encode()).digest()


def read_pairs(text: str) -> list[NamedHash]:
    """The pairs of `AUTH_API_KEYS`; raises UnusableSettings, which tells no value."""
    pairs: list[NamedHash] = []
    for number, pair in enumerate(filter(None, _BETWEEN.split(text)), 1):
        match = _PAIR.fullmatch(pair)
        if match is None:
            raise UnusableSettings(f"AUTH_API_KEYS: entry {number} is no name:sha256 pair")
        pairs.append(NamedHash(match["name"], bytes.fromhex(match["digest"])))
    if len({digest for _, digest in pairs}) < len(pairs):
        raise UnusableSettings("AUTH_API_KEYS: the same key twice")
    return pairs


class ApiKeys:
    """Callers by their keys."""

    def __init__(self, pairs: Sequence[NamedHash]) -> None:
        self._pairs = tuple(pairs)

    async def caller(self, credential: str) -> Caller:
        """Whose key it is; raises `401`."""
        shown = digest_of(credential[: KEY_MAX_CHARS + 1])
        # All are compared, and each in constant time: how long it takes tells nothing about any of them.
        found = [name for name, digest in self._pairs if hmac.compare_digest(shown, digest)]
        if not found:
            raise errors.invalid_credential()
        return Caller(f"key:{found[0]}")

    async def close(self) -> None:
        return None


def new_key() -> str:
    """A key that nobody guesses."""
    return f"eco2_{secrets.token_urlsafe(32)}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints a new key, which nobody can print again, and what of it goes into the settings."""
    parser = argparse.ArgumentParser(prog="chat_api.auth.keys", description="Makes an access key.")
    parser.add_argument("name", help="whose it is: letters, digits and . _ @ -")
    parser.add_argument("--stdin", action="store_true", help="only hash a key from standard input")
    options = parser.parse_args(arguments)
    key = sys.stdin.readline().strip() if options.stdin else new_key()
    pair = f"{options.name}:{digest_of(key).hex()}"
    try:
        read_pairs(pair)
    except UnusableSettings:
        parser.error("a name has up to 64 letters, digits and . _ @ -")
    if not options.stdin:
        print(f"key, for the caller:            {key}")
    print(f"for AUTH_API_KEYS, on the server: {pair}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
