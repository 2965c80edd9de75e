"""A user's places for jobs that have not ended, and the look at who has ended when they run out."""

import asyncio
import hashlib
import logging

from eco2_bus.log import EventLog, LogGone, LogUnavailable

from chat_api.limits.live_jobs import LiveJobs
from chat_api.settings import ApiSettings

_log = logging.getLogger(__name__)

BEGINS_WITHIN_S = 60.0
"""A job that has no log may be about to begin it; after this it never will."""


class Places:
    """The places of one kind; `kind` keeps them apart from others of the same user."""

    def __init__(self, live_jobs: LiveJobs, log: EventLog, settings: ApiSettings, *, kind: str = "") -> None:
        self._live_jobs = live_jobs
        self._log = log
        self._kept_s = settings.log_ttl_s
        self._begun_within_s = settings.begun_within_s
        self._kind = kind

    async def take(self, user: str, job_id: str, at_most: int) -> dict[str, float] | None:
        """None when the job has a place; else who has them, each with its age. Raises LogUnavailable."""
        return await self._live_jobs.enter(self._name(user), job_id, at_most, self._kept_s)

    async def take_anothers(self, user: str, job_id: str, at_most: int, others: dict[str, float]) -> bool:
        """Takes the place of a job that has ended, if there is one. Raises LogUnavailable."""
        lives = await asyncio.gather(*(self._is_live(other, age_s) for other, age_s in others.items()))
        ended = [other for other, is_live in zip(others, lives, strict=True) if not is_live]
        if not ended:
            return False
        await self._live_jobs.leave(self._name(user), *ended)
        return await self.take(user, job_id, at_most) is None

    async def leave(self, user: str, job_id: str) -> None:
        """Gives back the place of a job that came to nothing."""
        try:
            await self._live_jobs.leave(self._name(user), job_id)
        except LogUnavailable as error:
            # Without a log it loses its place all the same.
            _log.warning("could not free a live job's place: %s", error)

    async def _is_live(self, job_id: str, age_s: float) -> bool:
        try:
            last = (await self._log.summary(job_id)).last
            # One that nobody has begun for so long was lost before the broker had it, or will expire.
            return not last.ends_job and (last.id.attempt > 0 or age_s < self._begun_within_s)
        except LogGone:
            return age_s < BEGINS_WITHIN_S

    def _name(self, user: str) -> str:
        return f"{self._kind}{hidden(user)}"


def hidden(name: str) -> str:
    """A counter's name tells nobody who is counted."""
    return hashlib.sha256(name.encode()).hexdigest()[:32]
