"""Whether one more question of a user, from an address, is let in."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, cast

from eco2_bus.log import EventLog
from fastapi import Depends, Request
from limits import parse

from chat_api import errors
from chat_api.deps import Owner
from chat_api.limits.address import client_of, tenant_of, user_of
from chat_api.limits.fairness import Fairness
from chat_api.limits.headers import headers_of
from chat_api.limits.places import Places, hidden
from chat_api.limits.rates import Rate, Standing, ask
from chat_api.limits.stores import LimitStores
from chat_api.queue_depth import QueueDepth, QueuePlace
from chat_api.settings import ApiSettings


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
        self._places = Places(stores.live_jobs, log, settings)
        self._stores = stores

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
            standings, others = await asyncio.gather(asking, self._places.take(user, job_id, at_most))
        if not all(standing.is_let_in for standing in standings):
            if others is None:
                await self.leave(user, job_id)
            await self._give_back(rates, standings)
            raise errors.rate_limited(_wait_s(standings), headers_of(standings))
        if others is not None and not await self._places.take_anothers(user, job_id, at_most, others):
            await self._give_back(rates, standings)
            raise errors.too_many_jobs(self._live_jobs_at_most, headers_of(standings))
        return standings

    async def _give_back(self, rates: Sequence[Rate], standings: Sequence[Standing]) -> None:
        """A refused question costs nothing, or who goes on asking shuts out who shares the address."""
        counted = [rate for rate, standing in zip(rates, standings, strict=True) if standing.is_let_in]
        windows = self._stores.windows
        await asyncio.gather(*(windows.give_back(rate.key, rate.item.get_expiry()) for rate in counted))

    async def leave(self, user: str, job_id: str) -> None:
        """Gives back the place of a job that came to nothing."""
        if self._live_jobs_at_most:
            await self._places.leave(user, job_id)


@dataclass(frozen=True)
class Gate:
    """What every request to submit passes in one process."""

    limits: SubmitLimits
    fairness: Fairness
    depth: QueueDepth


class Admission:
    """One request's way in."""

    def __init__(self, gate: Gate, user: str, address: str, tenant: str) -> None:
        self.headers: dict[str, str] = {}
        """What its answer says of the limits, once it was let in."""
        self.place = QueuePlace()
        """Where its job is queued, once it was let in."""
        self._gate = gate
        self._user = user
        self._address = address
        self._tenant = tenant

    async def enter(self, job_id: str, *, interrupts: bool) -> None:
        """As `SubmitLimits.enter`; the lane is chosen meanwhile."""
        limits, fairness = self._gate.limits, self._gate.fairness
        choosing = asyncio.create_task(fairness.lane_of(self._tenant, job_id))
        try:
            standings = await limits.enter(self._user, self._address, job_id, interrupts=interrupts)
            self.place = self._gate.depth.place(await choosing)
        except BaseException:
            choosing.cancel()
            await asyncio.wait({choosing})
            await fairness.leave(self._tenant, job_id)
            raise
        self.headers = headers_of(standings)

    async def leave(self, job_id: str) -> None:
        """As `SubmitLimits.leave`."""
        await self._gate.limits.leave(self._user, job_id)
        await self._gate.fairness.leave(self._tenant, job_id)


async def _admission(request: Request, owner: Owner) -> Admission:
    gate = cast(Gate, request.app.state.gate)
    return Admission(gate, user_of(request, owner), client_of(request), tenant_of(request, owner))


Admitting = Annotated[Admission, Depends(_admission)]


def _wait_s(standings: Sequence[Standing]) -> int:
    return max(standing.next_in_s for standing in standings if not standing.is_let_in)
