"""Erases a session, so that nothing of it is left."""

import asyncio
import logging

from eco2_bus.log import LogUnavailable
from eco2_history import UnknownSession
from fastapi import APIRouter

from chat_api import errors, sessions
from chat_api.deps import Deps, Owner, Services
from chat_api.limits.submits import Admission, Admitting
from chat_api.session_claims import Bid, new_eraser

_log = logging.getLogger(__name__)

router = APIRouter(prefix="/api/v1/sessions", tags=["sessions"])

HOLD_S = 60
"""A session whose erasure was broken off can be used, and erased, again after this."""


@router.delete("/{session_id}", status_code=204)
async def erase(session_id: str, services: Deps, caller: Owner, admission: Admitting) -> None:
    """Ends what the session is working on, and removes all that is kept of it, its dead letters as well."""
    owner = await sessions.owner_of(services, session_id)
    if owner is None and await services.claims.was_erased(session_id, caller):
        return
    if owner != caller:
        raise errors.unknown_session()
    # Held like by a job: no question comes in while the session goes.
    bid = Bid(session_id, caller, new_eraser(), hold_s=HOLD_S)
    await sessions.take_turn(services, bid, "interrupt")
    try:
        await _erase(services, session_id, caller, admission)
    except BaseException:
        await _free(services, bid)
        raise


async def _erase(services: Services, session_id: str, owner: str, admission: Admission) -> None:
    """The claims last: with them the owner can repeat what failed half-way."""
    claimed = await services.claims.session_jobs(session_id)
    jobs = {*claimed, *await services.turns.jobs_of(session_id, owner)}
    await services.pictures.erase(session_id)
    await asyncio.gather(*(services.log.forget(job_id) for job_id in jobs))
    # Without its log a job of the last minute would pass for one that is about to begin.
    await asyncio.gather(*(admission.leave(job_id) for job_id in claimed))
    try:
        await services.turns.erase(session_id, owner, jobs=jobs)
    except UnknownSession:
        # The claims of its first owner are lost, and its turns are not.
        raise errors.unknown_session() from None
    await services.dead_letters.remove(jobs)
    for key in filter(None, claimed.values()):
        await services.claims.free_key(key)
    await services.claims.forget_session(session_id, owner)


async def _free(services: Services, bid: Bid) -> None:
    try:
        await services.claims.free_session(bid.session_id, bid.job_id)
    except LogUnavailable as error:
        _log.warning("a session stays held for %d s: %s", HOLD_S, error)
