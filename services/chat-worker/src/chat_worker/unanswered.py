"""Jobs that this worker does not answer: unreadable, of a later version, or too old to matter."""

import asyncio
import logging
import time

import orjson
from eco2_bus import topology
from eco2_bus.job import ChatJob
from eco2_bus.log import Claim, TakeOverResult, confirm_written
from eco2_bus.queue import Delivery, QueueFull, QueueUnavailable
from eco2_telemetry import propagation

from chat_worker.errors import AnswerError, Expired, UnreadableJob, UnsupportedSchema
from chat_worker.patience import growing_pauses_s, patiently
from chat_worker.run_job import Workshop

_log = logging.getLogger(__name__)

POSTPONED_AT_MOST = 60
"""Five minutes of `topology.LATER_S`: how long a roll-out may leave old workers only."""
CLOCKS_DIFFER_MS = 30_000
"""By how much the clock of a chat-api may be behind ours without a job of its expiring early."""


class Unanswered:
    """Ends their logs, so that no viewer waits for ever; `max_age_s` 0 lets no job expire."""

    def __init__(self, workshop: Workshop, max_age_s: float) -> None:
        self._shop = workshop
        self._max_age_s = max_age_s

    async def refuse(self, delivery: Delivery, reason: str) -> None:
        """A message that cannot be read: its viewers are told, and it lies in the dead letters."""
        await self._end(delivery.job_id, UnreadableJob(), only_if_idle=False)
        await delivery.dead_letter(f"malformed: {reason}")

    async def leave_to_newer(self, delivery: Delivery, reason: str) -> None:
        """A job of a later schema comes again until a newer worker takes it, for a limited time.

        Raises QueueFull.
        """
        if delivery.postponed < POSTPONED_AT_MOST and delivery.deliveries < topology.DELIVERY_LIMIT:
            _log.info("left to a newer worker: %s", reason)
            await _postpone(delivery)
            return
        # A fresh one may be a duplicate of what a newer worker is busy with.
        is_fresh = not (delivery.is_handed_back or delivery.is_redelivered)
        await self._end(delivery.job_id, UnsupportedSchema(), only_if_idle=is_fresh)
        self._count(UnsupportedSchema.code)
        await delivery.dead_letter(f"no newer worker came: {reason}")

    def is_too_old(self, job: ChatJob, delivery: Delivery) -> bool:
        """True for a job that nobody has begun, or sent back, and whose user has waited for too long."""
        has_been_out = (
            delivery.is_redelivered or delivery.is_handed_back or delivery.postponed or job.resume is not None
        )
        if has_been_out or not self._max_age_s:
            return False
        return _age_ms(job) > self._max_age_s * 1000 + CLOCKS_DIFFER_MS

    async def expire(self, job: ChatJob, delivery: Delivery) -> None:
        """Ends a job instead of beginning it; one that has been begun all the same is left alone."""
        problem = Expired().problem(propagation.current_trace_id())
        data = orjson.dumps(problem.model_dump())
        log = self._shop.log

        async def tell() -> TakeOverResult:
            epoch = log.epoch
            taken = await log.take_over(job.job_id, Claim.FRESH, poison_after=0, poison=data)
            await confirm_written(log, job.job_id, epoch)
            return taken.result

        result = await patiently(tell)
        if result in (TakeOverResult.POISONED, TakeOverResult.ENDED):
            _log.warning("not begun: it has waited for %d s", _age_ms(job) // 1000)
        if result is TakeOverResult.POISONED:
            await self._shop.archive.keep(job, "error", data)
            self._shop.metrics.track_request("none", "error", self._shop.provider, _age_ms(job) / 1000)
            self._count(Expired.code)
        elif result is TakeOverResult.ENDED:
            # By its user, or by us with the reply lost.
            await self._shop.archive.keep_end(job)
        await delivery.ack()

    async def _end(self, job_id: str, error: AnswerError, *, only_if_idle: bool) -> None:
        if len(job_id) != 32:
            return
        data = orjson.dumps(error.problem("").model_dump())
        log = self._shop.log

        async def tell() -> None:
            epoch = log.epoch
            await log.end(job_id, "error", data, only_if_idle=only_if_idle)
            await confirm_written(log, job_id, epoch)

        await patiently(tell)

    def _count(self, code: str) -> None:
        self._shop.metrics.track_error("none", code)


async def _postpone(delivery: Delivery) -> None:
    """Waits for a broker that takes nothing: few failed deliveries are allowed."""
    pauses_s = growing_pauses_s()
    while delivery.has_lease:
        try:
            await delivery.postpone()
            return
        except QueueFull:
            # Here it would wait for those that wait for its slot.
            raise
        except QueueUnavailable as error:
            _log.warning("cannot leave it to a newer worker yet: %s", error)
        await asyncio.sleep(next(pauses_s))


def _age_ms(job: ChatJob) -> int:
    return time.time_ns() // 1_000_000 - job.created_at_ms
