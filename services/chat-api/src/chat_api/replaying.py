"""Has a job that was given up done after all."""

import time
from dataclasses import dataclass

from eco2_bus import topology
from eco2_bus.dead_letters import DeadLetter
from eco2_bus.job import ChatJob, MalformedJob
from eco2_bus.log import EventLog, LogGone

from chat_api import claims, sessions
from chat_api.deps import Services
from chat_api.submission import submit_job


class NotReplayable(Exception):
    """Nobody can do this job any more; the text says why."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """The job that does the work now."""

    job_id: str
    is_new: bool
    """True when the log of the one that was given up has ended, or is gone: that one cannot go on."""


async def replay(services: Services, letter: DeadLetter) -> Replayed:
    """Publishes the job, confirmed, and only then settles the letter; safe to repeat when it breaks off.

    Raises NotReplayable, ApiProblem when its session is busy, LogUnavailable, QueueUnavailable and
    HistoryUnavailable.
    """
    try:
        job = ChatJob.from_body(letter.body)
    except MalformedJob as error:
        raise NotReplayable(f"it cannot be read: {error}") from None
    is_new = not await _goes_on(services.log, job.job_id)
    if is_new:
        job = await _anew(services, job)
        await submit_job(services, job, "reject")
    else:
        # As a fresh message it would be dropped for a duplicate of the attempt that came to nothing.
        await services.queue.publish(job, {**letter.headers, topology.HANDED_BACK_HEADER: "1"})
    await letter.settle()
    return Replayed(job.job_id, is_new)


async def _goes_on(log: EventLog, job_id: str) -> bool:
    try:
        return not (await log.summary(job_id)).last.ends_job
    except LogGone:
        return False


async def _anew(services: Services, job: ChatJob) -> ChatJob:
    """The same question as a job of its own; the same one when a replay that broke off is repeated."""
    await sessions.check_owner(services, job.session_id, job.owner)
    is_kept = await sessions.owner_of(services, job.session_id) is not None
    if not is_kept and await services.claims.was_erased(job.session_id, job.owner):
        raise NotReplayable("its session was deleted")
    return ChatJob(
        job_id=claims.fingerprint(f"replay\0{job.job_id}".encode())[:32],
        session_id=job.session_id,
        owner=job.owner,
        message=job.message,
        image_url=job.image_url,
        location=job.location or (job.resume.location if job.resume is not None else None),
        created_at_ms=time.time_ns() // 1_000_000,
    )
