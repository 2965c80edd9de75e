"""Two things only one request may hold: an idempotency key, and a session's turn to speak."""

import asyncio
import hashlib
import time
from typing import NamedTuple, Protocol

from chat_api.session_claims import SWEEP_S, Bid, MemorySessions

PENDING_S = 90
"""A key whose request died is free again after this: no submit takes as long, whatever it has to wait for."""


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

    async def take_session(self, bid: Bid, instead_of: str | None) -> str | None:
        """None when the session is now the job's; else who has it. Raises SessionOfAnother.

        `instead_of` names a holder that is known to have ended. The first job makes its owner the session's.
        """
        ...

    async def free_session(self, session_id: str, job_id: str) -> None:
        """Undoes `take_session` for a job that came to nothing."""
        ...

    async def session_owner(self, session_id: str) -> str | None:
        """Whose a session is, or None when nobody has used it of late."""
        ...

    async def session_holder(self, session_id: str) -> str | None:
        """Who has the session, or had it last: a job that may have ended, or an eraser."""
        ...

    async def session_jobs(self, session_id: str) -> dict[str, str]:
        """The jobs of a session of which anything may be left, each with its idempotency claim or ''."""
        ...

    async def claim_rating(self, session_id: str, job_id: str) -> bool:
        """True the first time that a job of the session is rated, and for one that is not known."""
        ...

    async def forget_session(self, session_id: str, owner: str) -> None:
        """Removes all claims on a session, and remembers for a day that its owner wanted that."""
        ...

    async def was_erased(self, session_id: str, owner: str) -> bool:
        """True when the owner had the session forgotten."""
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


class MemoryClaims(MemorySessions):
    """Claims of one process."""

    def __init__(self) -> None:
        super().__init__()
        self._keys: dict[str, tuple[float, Claimed]] = {}
        self._keys_swept_at = 0.0

    async def claim_key(self, key: str, fingerprint: str) -> Claimed | None:
        now = time.monotonic()
        self._sweep_keys(now)
        until, known = self._keys.get(key, (0.0, None))
        if known is not None and until > now:
            return known
        self._keys[key] = (now + PENDING_S, Claimed(fingerprint, None))
        return None

    async def answer_key(self, key: str, fingerprint: str, answer: str, ttl_s: int) -> None:
        self._keys[key] = (time.monotonic() + ttl_s, Claimed(fingerprint, answer))

    async def free_key(self, key: str) -> None:
        self._keys.pop(key, None)

    def _sweep_keys(self, now: float) -> None:
        if now > self._keys_swept_at + SWEEP_S:
            self._keys_swept_at = now
            self._keys = {name: kept for name, kept in self._keys.items() if kept[0] > now}

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
