"""Whose a session is, and one question at a time in it."""

import asyncio
import time
from typing import Literal

from eco2_bus.events import INPUT_REQUIRED
from eco2_bus.job import SessionId
from eco2_bus.log import LogGone, LogSummary
from pydantic import TypeAdapter, ValidationError

from chat_api import errors
from chat_api.deps import Services
from chat_api.jobs import cancel_job, end_idle
from chat_api.session_claims import Bid, SessionOfAnother, is_eraser

_SESSION_ID: TypeAdapter[str] = TypeAdapter(SessionId)


async def owner_of(services: Services, session_id: str) -> str | None:
    """Who used a session first, or None when nobody has."""
    try:
        _SESSION_ID.validate_python(session_id)
    except ValidationError:
        return None
    owner = await services.claims.session_owner(session_id)
    return owner if owner is not None else await services.turns.owner_of(session_id)


async def check_owner(services: Services, session_id: str, caller: str) -> None:
    """Raises `404` for a session of somebody else; one that nobody has used may become the caller's."""
    if await owner_of(services, session_id) not in (None, caller):
        raise errors.unknown_session()


async def take_turn(services: Services, bid: Bid, on_busy: Literal["reject", "interrupt"]) -> None:
    """Makes the job the one that its session works on; raises `409` while another one is."""
    ended: str | None = None
    deadline = time.monotonic() + services.settings.session_wait_s
    interrupted: str | None = None
    while (holder := await _take(services, bid, ended)) is not None:
        working = None if is_eraser(holder) else await _unless_ended(services, holder)
        is_lost = working is not None and on_busy == "reject" and _is_lost(services, working)
        if is_lost or (working is None and not is_eraser(holder)):
            ended = holder
            continue
        if working is not None and working.last.event == INPUT_REQUIRED:
            # Nobody works on it: the new question discards the wait, unless its user has just answered.
            await end_idle(services, holder, working)
            continue
        if on_busy == "reject" or time.monotonic() >= deadline:
            raise errors.session_busy(None if is_eraser(holder) else holder)
        if working is not None and interrupted != holder:
            interrupted = holder
            await cancel_job(services, holder, working)
        else:
            await asyncio.sleep(0.05)


async def _take(services: Services, bid: Bid, ended: str | None) -> str | None:
    try:
        return await services.claims.take_session(bid, ended)
    except SessionOfAnother:
        raise errors.unknown_session() from None


async def _unless_ended(services: Services, job_id: str) -> LogSummary | None:
    try:
        summary = await services.log.summary(job_id)
    except LogGone:
        return None
    return None if summary.last.ends_job else summary


def _is_lost(services: Services, job: LogSummary) -> bool:
    """True for a job whose request died before the broker had it, as far as one can tell.

    It loses its session and nothing else: should it wait in a long queue after all, a worker may have it.
    """
    age_s = time.time() - job.head.created_at_ms / 1000
    return job.last.id.attempt == 0 and age_s > services.settings.begun_within_s
