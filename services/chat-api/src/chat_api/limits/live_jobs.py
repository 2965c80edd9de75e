"""Which jobs of a user have not ended yet: at most so many at a time.

Places are taken at the submit and are not given back when a job ends, as nobody can promise to be alive
then. They are looked after when they have run out: a job whose log says that it has ended, or that has no
log, leaves. So a place can outlive its job, but never keeps anybody out.
"""

import time
from typing import Protocol


class LiveJobs(Protocol):
    """The places of every user. Every method may raise LogUnavailable."""

    async def enter(self, user: str, job_id: str, at_most: int, kept_s: int) -> dict[str, float] | None:
        """None when the job has a place; else the jobs that have them, each with its age in seconds.

        A job that is in already keeps its place; a place is free again after `kept_s`.
        """
        ...

    async def leave(self, user: str, *job_ids: str) -> None:
        """Frees the places of jobs."""
        ...


class MemoryLiveJobs:
    """The places of one process."""

    def __init__(self) -> None:
        self._places: dict[str, dict[str, float]] = {}
        self._swept_at = time.monotonic()

    async def enter(self, user: str, job_id: str, at_most: int, kept_s: int) -> dict[str, float] | None:
        now = time.monotonic()
        self._sweep(now, kept_s)
        places = self._places.setdefault(user, {})
        for old in [name for name, came in places.items() if came < now - kept_s]:
            del places[old]
        if job_id not in places:
            if len(places) >= at_most:
                return {name: now - came for name, came in places.items()}
            places[job_id] = now
        return None

    async def leave(self, user: str, *job_ids: str) -> None:
        places = self._places.get(user, {})
        for job_id in job_ids:
            places.pop(job_id, None)
        if not places:
            self._places.pop(user, None)

    def _sweep(self, now: float, kept_s: int) -> None:
        """A user who does not come back leaves nothing here for ever."""
        if now < self._swept_at + kept_s:
            return
        self._swept_at = now
        self._places = {
            user: places for user, places in self._places.items() if max(places.values()) >= now - kept_s
        }
