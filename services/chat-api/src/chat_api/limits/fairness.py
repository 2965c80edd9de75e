"""Which lane a user's next job takes: one user's many must not keep another one's first waiting."""

import logging

from eco2_bus import topology
from eco2_bus.log import EventLog, LogUnavailable

from chat_api.limits.places import Places
from chat_api.limits.stores import LimitStores
from chat_api.settings import ApiSettings

_log = logging.getLogger(__name__)


class Fairness:
    """So many jobs of a user at a time go by the main lane; the others by that of bursts."""

    def __init__(self, settings: ApiSettings, stores: LimitStores, log: EventLog) -> None:
        self._share = settings.fair_share
        self._places = Places(stores.live_jobs, log, settings, kind="lane:")

    async def lane_of(self, tenant: str, job_id: str) -> str:
        """The queue that the job is published to; one round trip, while its user has a place."""
        if not (self._share and tenant):
            return topology.JOBS
        try:
            others = await self._places.take(tenant, job_id, self._share)
            if others is None or await self._places.take_anothers(tenant, job_id, self._share, others):
                return topology.JOBS
        except LogUnavailable as error:
            # Nobody is refused for the sake of order.
            _log.warning("a job's lane could not be chosen: %s", error)
            return topology.JOBS
        return topology.BURST

    async def leave(self, tenant: str, job_id: str) -> None:
        """Gives back the place of a job that came to nothing."""
        if self._share and tenant:
            await self._places.leave(tenant, job_id)
