"""Two things only one request may hold: an idempotency key, and a session's turn to speak."""

import asyncio
import hashlib
import time
from typing import NamedTuple, Protocol

PENDING_S = 30
"""A key whose request died is free again after this."""
SESSION_HOLD_S = 24 * 3600
SWEEP_S = 60.0


class Claimed(NamedTuple):
    """What is known of an idempotency key: the fingerprint of the first body, and its answer once given."""

    fingerprint: str
    answer: str | None


class Claims(Protocol):
    """Claims shared by all replicas. Every method may raise LogUnavailable."""

    async def claim_key(self, key: str, fingerprint: str) -> Claimed | None:
        """None when the key is now the caller's; else what is known of it."""
        ...

    async def answer_key(self, key: str, fingerprint: str, answer: str, ttl_s: int) -> None:
        """Keeps the answer for every later request with the key."""
        ...

    async def free_key(self, key: str) -> None:
        """Gives a key back whose request failed."""
        ...

    async def take_session(self, session_id: str, job_id: str, instead_of: str | None) -> str | None:
        """None when the session is now the job's; else the job that has it.

        `instead_of` names a holder that is known to have ended.
        """
        ...

    async def free_session(self, session_id: str, job_id: str) -> None:
        """Gives a session back, if the job still has it."""
        ...

    async def close(self) -> None:
        """Frees all connections."""
        ...


def fingerprint(body: bytes) -> str:
    """What two requests with one idempotency key must have in common."""
    return hashlib.sha256(body).hexdigest()


def key_of(owner: str, idempotency_key: str) -> str:
    """The claim's name; keys of different callers never meet."""
    return hashlib.sha256(f"{owner}\0{idempotency_key}".encode()).hexdigest()


class MemoryClaims:
    """Claims of one process."""

    def __init__(self) -> None:
        self._keys: dict[str, tuple[float, Claimed]] = {}
        self._sessions: dict[str, tuple[float, str]] = {}
        self._swept_at = 0.0

    async def claim_key(self, key: str, fingerprint: str) -> Claimed | None:
        now = time.monotonic()
        self._sweep(now)
        until, known = self._keys.get(key, (0.0, None))
        if known is not None and until > now:
            return known
        self._keys[key] = (now + PENDING_S, Claimed(fingerprint, None))
        return None

    async def answer_key(self, key: str, fingerprint: str, answer: str, ttl_s: int) -> None:
        self._keys[key] = (time.monotonic() + ttl_s, Claimed(fingerprint, answer))

    async def free_key(self, key: str) -> None:
        self._keys.pop(key, None)

    async def take_session(self, session_id: str, job_id: str, instead_of: str | None) -> str | None:
        now = time.monotonic()
        self._sweep(now)
        until, holder = self._sessions.get(session_id, (0.0, ""))
        if until > now and holder not in (instead_of, job_id):
            return holder
        self._sessions[session_id] = (now + SESSION_HOLD_S, job_id)
        return None

    async def free_session(self, session_id: str, job_id: str) -> None:
        if self._sessions.get(session_id, (0.0, ""))[1] == job_id:
            del self._sessions[session_id]

    def _sweep(self, now: float) -> None:
        if now > self._swept_at + SWEEP_S:
            self._swept_at = now
            self._keys = {name: kept for name, kept in self._keys.items() if kept[0] > now}
            self._sessions = {name: held for name, held in self._sessions.items() if held[0] > now}

    async def close(self) -> None:
        return None


async def wait_for_answer(claims: Claims, key: str, fingerprint: str, wait_s: float) -> Claimed | None:
    """Claims a key, or waits for the answer of the request that has it.

    None means that the key is the caller's. A result without an answer means that the wait was in vain.
    """
    deadline = time.monotonic() + wait_s
    while True:
        claimed = await claims.claim_key(key, fingerprint)
        if claimed is None or claimed.answer is not None or claimed.fingerprint != fingerprint:
            return claimed
        if time.monotonic() >= deadline:
            return claimed
        await asyncio.sleep(0.05)
