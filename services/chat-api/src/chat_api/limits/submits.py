"""Whether one more question of a user, from an address, is let in."""

import asyncio
import hashlib
import logging
from collections.abc import Sequence
from typing import Annotated, cast

from eco2_bus.log import EventLog, LogGone, LogUnavailable
from fastapi import Depends, Request
from limits import parse

from chat_api import errors
from chat_api.deps import Owner
from chat_api.limits.address import client_of, user_of
from chat_api.limits.headers import headers_of
from chat_api.limits.rates import Rate, Standing, ask
from chat_api.limits.stores import LimitStores
from chat_api.settings import ApiSettings

_log = logging.getLogger(__name__)

BEGINS_WITHIN_S = 60.0
"""A job that has no log may be about to begin it; after this it never will."""


class SubmitLimits:
    """The limits of one process, by its settings."""

    def __init__(self, settings: ApiSettings, stores: LimitStores, log: EventLog) -> None:
        self._rates = [
            (name, parse(told))
            for name, told in (
                ("user", settings.limit_submits_per_user),
                ("address", settings.limit_submits_per_address),
            )
            if told
        ]
        self._live_jobs_at_most = settings.limit_live_jobs_per_user
        self._kept_s = settings.log_ttl_s
        self._stores = stores
        self._log = log

    async def enter(
        self, user: str, address: str, job_id: str, *, interrupts: bool = False
    ) -> list[Standing]:
        """Lets a job in, or raises `429`; LogUnavailable where the counters cannot be reached.

        Everything leaves at once, so that a store across the network costs one round trip. A question that
        interrupts another one may come before that one has gone.
        """
        who = {"user": hidden(user), "address": hidden(address) if address else ""}
        rates = [Rate(name, item, who[name]) for name, item in self._rates if who[name]]
        asking = asyncio.gather(*(ask(self._stores.windows, rate) for rate in rates))
        at_most = self._live_jobs_at_most + interrupts
        if not self._live_jobs_at_most:
            standings, others = await asking, None
        else:
            standings, others = await asyncio.gather(asking, self._take_place(user, job_id, at_most))
        if not all(standing.is_let_in for standing in standings):
            if others is None:
                await self.leave(user, job_id)
            raise errors.rate_limited(_wait_s(standings), headers_of(standings))
        if others is not None and not await self._make_room(user, job_id, at_most, others):
            raise errors.too_many_jobs(self._live_jobs_at_most, headers_of(standings))
        return standings

    async def leave(self, user: str, job_id: str) -> None:
        """Gives back the place of a job that came to nothing."""
        if not self._live_jobs_at_most:
            return
        try:
            await self._stores.live_jobs.leave(hidden(user), job_id)
        except LogUnavailable as error:
            # Without a log it loses its place all the same.
            _log.warning("could not free a live job's place: %s", error)

    async def _take_place(self, user: str, job_id: str, at_most: int) -> dict[str, float] | None:
        return await self._stores.live_jobs.enter(hidden(user), job_id, at_most, self._kept_s)

    async def _make_room(self, user: str, job_id: str, at_most: int, others: dict[str, float]) -> bool:
        """Takes the place of a job that has ended, if there is one."""
        lives = await asyncio.gather(*(self._is_live(other, age_s) for other, age_s in others.items()))
        ended = [other for other, is_live in zip(others, lives, strict=True) if not is_live]
        if not ended:
            return False
        await self._stores.live_jobs.leave(hidden(user), *ended)
        return await self._take_place(user, job_id, at_most) is None

    async def _is_live(self, job_id: str, age_s: float) -> bool:
        try:
            return not (await self._log.summary(job_id)).last.ends_job
        except LogGone:
            return age_s < BEGINS_WITHIN_S


class Admission:
    """One request's way in."""

    def __init__(self, limits: SubmitLimits, user: str, address: str) -> None:
        self.headers: dict[str, str] = {}
        """What its answer says of the limits, once it was let in."""
        self._limits = limits
        self._user = user
        self._address = address

    async def enter(self, job_id: str, *, interrupts: bool) -> None:
        """As `SubmitLimits.enter`."""
        entering = self._limits.enter(self._user, self._address, job_id, interrupts=interrupts)
        self.headers = headers_of(await entering)

    async def leave(self, job_id: str) -> None:
        """As `SubmitLimits.leave`."""
        await self._limits.leave(self._user, job_id)


async def _admission(request: Request, owner: Owner) -> Admission:
    limits = cast(SubmitLimits, request.app.state.submit_limits)
    return Admission(limits, user_of(request, owner), client_of(request))


Admitting = Annotated[Admission, Depends(_admission)]


def _wait_s(standings: Sequence[Standing]) -> int:
    return max(standing.next_in_s for standing in standings if not standing.is_let_in)


def hidden(name: str) -> str:
    """A counter's name tells nobody who is counted."""
    return hashlib.sha256(name.encode()).hexdigest()[:32]
