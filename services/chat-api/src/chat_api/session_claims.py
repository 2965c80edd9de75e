"""Whose a session is, which job has its turn to speak, and which jobs it has had."""

import hashlib
import time
import uuid
from dataclasses import dataclass, field
from typing import NamedTuple

SESSION_HOLD_S = 24 * 3600
SESSION_KEPT_S = 49 * 3600
"""Longer than anything of a job is kept: a day until it ends, and another for its answer."""
ERASED_KEPT_S = 24 * 3600
SWEEP_S = 60.0

_ERASER = "eraser-"


class SessionOfAnother(Exception):
    """The session belongs to somebody else."""


class Bid(NamedTuple):
    """A job that wants its session's turn to speak; `key` names its idempotency claim, if it has one."""

    session_id: str
    owner: str
    job_id: str
    key: str = ""
    hold_s: int = SESSION_HOLD_S


def new_eraser() -> str:
    """Holds a session like a job, while the session is erased."""
    return f"{_ERASER}{uuid.uuid4().hex}"


def is_eraser(holder: str) -> bool:
    """True for what holds a session only to erase it."""
    return holder.startswith(_ERASER)


def erased_name(session_id: str, owner: str) -> str:
    """What is remembered of an erased session; neither id can be read from it."""
    return hashlib.sha256(f"{owner}\0{session_id}".encode()).hexdigest()


@dataclass
class _Session:
    owner: str
    holder: str = ""
    held_until: float = 0.0
    kept_until: float = 0.0
    jobs: dict[str, tuple[float, str]] = field(default_factory=dict[str, tuple[float, str]])
    """When each job came, and its idempotency claim."""
    rated: set[str] = field(default_factory=set[str])


class MemorySessions:
    """The sessions of one process."""

    def __init__(self) -> None:
        self._sessions: dict[str, _Session] = {}
        self._erased: dict[str, float] = {}
        self._swept_at = 0.0

    async def take_session(self, bid: Bid, instead_of: str | None) -> str | None:
        now = time.monotonic()
        self._sweep_sessions(now)
        session = self._sessions.get(bid.session_id) or _Session(bid.owner)
        if session.owner != bid.owner:
            raise SessionOfAnother
        if session.held_until > now and session.holder not in (instead_of, bid.job_id):
            return session.holder
        session.holder, session.held_until = bid.job_id, now + bid.hold_s
        session.jobs[bid.job_id] = now, bid.key
        session.kept_until = now + SESSION_KEPT_S
        self._sessions[bid.session_id] = session
        return None

    async def free_session(self, session_id: str, job_id: str) -> None:
        session = self._sessions.get(session_id)
        if session is None:
            return
        if session.holder == job_id:
            session.holder, session.held_until = "", 0.0
        session.jobs.pop(job_id, None)
        if not session.jobs:
            del self._sessions[session_id]

    async def session_owner(self, session_id: str) -> str | None:
        session = self._sessions.get(session_id)
        return session.owner if session is not None and session.kept_until > time.monotonic() else None

    async def session_holder(self, session_id: str) -> str | None:
        session = self._sessions.get(session_id)
        return (session.holder or None) if session is not None else None

    async def session_jobs(self, session_id: str) -> dict[str, str]:
        session = self._sessions.get(session_id)
        jobs = {} if session is None else session.jobs
        return {name: key for name, (_, key) in jobs.items() if not is_eraser(name)}

    async def claim_rating(self, session_id: str, job_id: str) -> bool:
        session = self._sessions.get(session_id)
        if session is None or job_id not in session.jobs:
            return True
        is_first = job_id not in session.rated
        session.rated.add(job_id)
        return is_first

    async def forget_session(self, session_id: str, owner: str) -> None:
        self._sessions.pop(session_id, None)
        self._erased[erased_name(session_id, owner)] = time.monotonic() + ERASED_KEPT_S

    async def was_erased(self, session_id: str, owner: str) -> bool:
        return self._erased.get(erased_name(session_id, owner), 0.0) > time.monotonic()

    def _sweep_sessions(self, now: float) -> None:
        if now < self._swept_at + SWEEP_S:
            return
        self._swept_at = now
        self._erased = {name: until for name, until in self._erased.items() if until > now}
        self._sessions = {name: one for name, one in self._sessions.items() if one.kept_until > now}
        for session in self._sessions.values():
            oldest = now - SESSION_KEPT_S
            session.jobs = {name: job for name, job in session.jobs.items() if job[0] > oldest}
            session.rated &= session.jobs.keys()
