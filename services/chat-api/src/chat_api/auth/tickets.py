"""Tickets: what stands in an address for a credential where a browser can send no header.

A ticket reads one thing until it ends: a job's events, or a picture. It is
`{payload}.{HMAC-SHA256 of scope and payload}`, both base64url, and the scope is not in it: who opens
another address with it has a ticket that was never signed.
"""

import base64
import hashlib
import hmac
import time
from collections.abc import Callable

import orjson

from chat_api import errors
from chat_api.auth.caller import Caller

TICKET_MAX_CHARS = 1_024


def events_scope(job_id: str) -> str:
    """Reads the events of one job."""
    return f"events:{job_id}"


def picture_scope(picture_id: str) -> str:
    """Reads one picture."""
    return f"picture:{picture_id}"


class Tickets:
    """Makes and reads tickets; `now` gives Unix seconds."""

    def __init__(self, secret: bytes, *, ttl_s: float, now: Callable[[], float] = time.time) -> None:
        self._secret = secret
        self._ttl_s = ttl_s
        self._now = now

    def issue(self, scope: str, caller: Caller) -> str:
        """A ticket that outlives neither the caller's credential nor the ticket the caller came with."""
        bounds = (self._now() + self._ttl_s, caller.expires_at_s, caller.ticket_expires_at_s)
        until = int(min(bound for bound in bounds if bound is not None))
        payload = _encoded(orjson.dumps([caller.owner, until, caller.expires_at_s]))
        return f"{payload}.{self._signature(scope, payload)}"

    def read(self, scope: str, ticket: str) -> Caller:
        """Who got the ticket; raises `401` for one that is none, is for something else or has ended."""
        payload, _, signature = ticket[:TICKET_MAX_CHARS].partition(".")
        expected = self._signature(scope, payload)
        if not hmac.compare_digest(signature.encode(), expected.encode()):
            raise errors.invalid_credential()
        owner, until, expires_at_s = orjson.loads(_decoded(payload))
        if self._now() >= until:
            raise errors.credential_expired()
        return Caller(owner, expires_at_s, ticket_expires_at_s=until)

    def _signature(self, scope: str, payload: str) -> str:
        signed = f"eco2 ticket 1\0{scope}\0{payload}".encode()
        return _encoded(hmac.digest(self._secret, signed, hashlib.sha256))


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
