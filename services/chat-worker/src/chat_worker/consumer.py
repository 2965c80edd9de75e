"""Takes jobs from the queue, runs them, and decides what becomes of each delivery.

A delivery is acknowledged only after its job's terminal event is in the log, or after the work has been
passed on. Everything that a worker may find when it takes a job over is decided here, and nowhere else.
"""

import asyncio
import contextlib
import logging
import random
import uuid
from contextlib import AbstractContextManager
from dataclasses import dataclass

import orjson
from eco2_bus import topology
from eco2_bus.events import EntryId, InputRequired, LogEntry, to_json
from eco2_bus.job import ChatJob, MalformedJob, NewerJob, Resume
from eco2_bus.log import (
    Claim,
    EventLog,
    Fenced,
    LogGone,
    LogUnavailable,
    TakeOver,
    TakeOverResult,
    confirm_written,
)
from eco2_bus.queue import Delivery, JobQueue, QueueFull, QueueUnavailable
from eco2_bus.writer import LogWriter, WriteBeat
from eco2_telemetry import logs, propagation
from eco2_telemetry.messaging import process_span
from opentelemetry import trace
from opentelemetry.trace import Span

from chat_worker.errors import Poisoned
from chat_worker.patience import growing_pauses_s, patiently
from chat_worker.run_job import HandedBack, JobRun, Stop, WaitsForInput, Workshop
from chat_worker.unanswered import Unanswered

_log = logging.getLogger(__name__)


@dataclass(eq=False)
class _Running:
    job_id: str
    run: JobRun
    delivery: Delivery
    """The one to settle: a redelivery that comes while the job runs here takes the place of the first."""
    is_given_up: bool = False
    """The delivery stays unsettled until this process is gone."""

    def has_lease(self) -> bool:
        return self.delivery.has_lease and not self.is_given_up


class Consumer:
    """Runs up to `concurrency` jobs of the main lane at a time; beside a burst up to twice as many in all."""

    def __init__(
        self,
        queue: JobQueue,
        workshop: Workshop,
        *,
        concurrency: int,
        poison_after: int,
        input_wait_s: float = 120,
        max_age_s: float = 300,
        messaging_system: str = "rabbitmq",
    ) -> None:
        self._queue = queue
        self._shop = workshop
        self._log: EventLog = workshop.log
        self._concurrency = concurrency
        self._poison_after = poison_after
        self._input_wait_s = input_wait_s
        self._unanswered = Unanswered(workshop, max_age_s)
        self._system = messaging_system
        self._beat = WriteBeat()
        self._running: dict[str, _Running] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def consume(self) -> None:
        """Takes jobs until it is cancelled; the jobs under way go on."""
        async with contextlib.aclosing(self._queue.consume(self._concurrency)) as deliveries:
            async for delivery in deliveries:
                task = asyncio.create_task(self._handle(delivery), name=f"job:{delivery.job_id}")
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    async def drain(self, within_s: float) -> None:
        """Lets the jobs under way finish, then hands the rest back to the queue."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=within_s)
        for running in list(self._running.values()):
            running.run.stop(Stop.LEAVING)
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=5)

    async def _handle(self, delivery: Delivery) -> None:
        logs.job_id.set(delivery.job_id)
        try:
            await self._work_on(delivery)
        except Exception:
            await _pause_after_a_fault()
            await delivery.retry()

    async def _work_on(self, delivery: Delivery) -> None:
        try:
            job = ChatJob.from_body(delivery.body)
        except NewerJob as error:
            await self._unanswered.leave_to_newer(delivery, str(error))
            return
        except MalformedJob as error:
            await self._unanswered.refuse(delivery, str(error))
            return
        if (running := self._running.get(job.job_id)) is not None:
            await self._meet_again(running, delivery)
            return
        if self._unanswered.is_too_old(job, delivery):
            with self._span(job, delivery):
                await self._unanswered.expire(job, delivery)
        else:
            await self._take_over(job, delivery)

    def _span(self, job: ChatJob, delivery: Delivery) -> AbstractContextManager[Span]:
        return process_span(
            self._shop.tracer,
            self._system,
            delivery.queue,
            job.job_id,
            delivery.headers,
            exchange=topology.EXCHANGE,
            delivery=delivery.deliveries,
        )

    async def _meet_again(self, running: _Running, delivery: Delivery) -> None:
        """A job that this very process is working on: a lost connection's redelivery, or a duplicate."""
        if running.delivery.has_lease:
            await delivery.ack()
        else:
            running.delivery = delivery

    async def _take_over(self, job: ChatJob, delivery: Delivery) -> None:
        running = _Running(job.job_id, JobRun(job, self._shop), delivery)
        self._running[job.job_id] = running
        try:
            with self._span(job, delivery):
                await self._claim_and_run(job, running)
        except Exception:
            await _pause_after_a_fault()
            self._forget(running)
            await running.delivery.retry()
        finally:
            self._forget(running)

    async def _claim_and_run(self, job: ChatJob, running: _Running) -> None:
        taken = await self._claim(job, running)
        epoch = self._log.epoch
        match taken.result:
            case TakeOverResult.OWNED:
                await self._run(job, running, taken)
            case TakeOverResult.POISONED:
                await self._shop.archive.keep_end(job)
                await confirm_written(self._log, job.job_id, epoch)
                await running.delivery.dead_letter(f"{taken.failures} failed attempts")
            case TakeOverResult.ENDED:
                last = await self._shop.archive.keep_end(job)
                # The last holder may have died before a replica had the end.
                await confirm_written(self._log, job.job_id, epoch)
                if last is not None and _is_poison(last):
                    await running.delivery.dead_letter("it was poisoned before")
                else:
                    await running.delivery.ack()
            case TakeOverResult.GONE | TakeOverResult.RUNNING:
                _log.info("dropped: %s", taken.result.value)
                self._shop.stream_metrics.dropped[taken.result].inc()
                await running.delivery.ack()

    def _forget(self, running: _Running) -> None:
        """The job may be running here again by now, as a redelivery; that run is kept."""
        if self._running.get(running.job_id) is running:
            del self._running[running.job_id]

    async def _claim(self, job: ChatJob, running: _Running) -> TakeOver:
        """Takes the job over, however long the log's store is away: the delivery stays ours meanwhile."""
        delivery, resume = running.delivery, job.resume
        claim = Claim.FRESH
        if delivery.is_redelivered:
            # First: whoever had a job that was handed back, and lost it, has failed at it like any other.
            claim = Claim.REDELIVERED
        elif delivery.is_handed_back:
            claim = Claim.HANDED_BACK
        elif resume is not None:
            # Input and time-out both come as such a message; the second one finds that the log has moved on.
            claim = Claim.RESUMED
        is_last_delivery = delivery.deliveries >= topology.DELIVERY_LIMIT
        # What nobody has begun has not failed either.
        poison = b"" if claim is Claim.FRESH else _poison()
        # Whether a call without a reply has taken the job is unknown: the next one finds out by this name.
        writer = uuid.uuid4().hex
        return await patiently(
            lambda: self._log.take_over(
                job.job_id,
                claim,
                poison_after=0 if is_last_delivery else self._poison_after,
                poison=poison,
                after=EntryId.parse(resume.after) if resume is not None else None,
                resume=resume.name if resume is not None else "",
                writer=writer,
            )
        )

    async def _run(self, job: ChatJob, running: _Running, taken: TakeOver) -> None:
        trace.get_current_span().set_attribute("attempt", taken.attempt)
        writer = LogWriter(
            self._log,
            self._beat,
            job.job_id,
            taken=taken,
            has_lease=running.has_lease,
            on_lost=running.run.lose,
            on_landed=running.run.tracker.record_tokens,
        )
        if taken.attempt > 1 and taken.first[0] == "reset":
            writer.event("started", b'{"attempt":%d}' % taken.attempt)
        try:
            await running.run.run(writer)
        except HandedBack:
            await self._hand_back(running, writer)
        except WaitsForInput as waiting:
            await self._park(job, running, writer, waiting)
        except Fenced as error:
            _log.info("another worker has the job: %s", error)
            await running.delivery.ack()
        except LogGone as error:
            _log.warning("the job's log is gone: %s", error)
            await running.delivery.ack()
        except Exception:
            _log.exception("attempt %d failed", taken.attempt)
            if taken.failures + 1 < self._poison_after:
                # Later attempts wait longer, so that a model that is down is not hammered. After the last
                # one there is nothing to wait for but bad news.
                await asyncio.sleep(random.uniform(0.1, 0.3) * 3 ** (taken.failures + 1))
            # A failover must not lose what viewers have seen, or the next attempt would use its ids again. It
            # may be the log itself that has failed this attempt: the delivery is settled all the same.
            with contextlib.suppress(Exception):
                await writer.confirm()
            self._forget(running)
            await running.delivery.retry()
        else:
            await running.delivery.ack()

    async def _park(self, job: ChatJob, running: _Running, writer: LogWriter, waiting: WaitsForInput) -> None:
        """The job goes on as a message of its own; this worker is free again."""
        # Its user may answer before the delivery is settled, and this very worker may get that message.
        self._forget(running)
        asked = InputRequired(
            kind="location", message=waiting.wish["message"], expires_in_s=int(self._input_wait_s)
        )
        body = job.model_copy(update={"resume": None}).to_body()
        try:
            await patiently(lambda: self._log.park_job(job.job_id, body))
            writer.event("input_required", to_json(asked))
            await writer.confirm()
        except (Fenced, LogGone) as error:
            _log.info("another worker has the job: %s", error)
        else:
            timed_out = Resume(after=str(writer.last_id))
            await self._send_away(job.model_copy(update={"resume": timed_out}), running.delivery)
        await running.delivery.ack()

    async def _send_away(self, job: ChatJob, delivery: Delivery) -> None:
        """Gives the broker the message that carries the job on; without the lease it does so by itself."""
        pauses_s = growing_pauses_s()
        while delivery.has_lease:
            try:
                # A cancel that came before the entry was left to this run, which ended as a wait.
                goes_on = self._queue.publish if await self._is_cancelled(job) else self._queue.park
                await goes_on(job, delivery.headers)
                return
            except QueueFull:
                # Nobody else can wait now: this one goes on at once, without the place.
                with contextlib.suppress(QueueUnavailable):
                    await self._queue.publish(job, delivery.headers)
                    return
            except QueueUnavailable as error:
                _log.warning("cannot let the job wait yet: %s", error)
            await asyncio.sleep(next(pauses_s))

    async def _is_cancelled(self, job: ChatJob) -> bool:
        with contextlib.suppress(LogUnavailable):
            return await self._log.is_cancel_requested(job.job_id)
        return False

    async def _hand_back(self, running: _Running, writer: LogWriter) -> None:
        # The new message may come to this very process, and must not pass for a duplicate of the old one.
        self._forget(running)
        try:
            await running.delivery.hand_back()
        except QueueUnavailable as error:
            # Left unsettled: the broker delivers it again once this connection is gone. That is no failure of
            # this attempt, which an entry that is written without the lease tells the next one.
            _log.warning("could not hand the job back: %s", error)
            running.is_given_up = True
            writer.event("stage", b'{"node":"answer","status":"skipped"}')
            with contextlib.suppress(Exception):
                await writer.confirm()


async def _pause_after_a_fault() -> None:
    _log.exception("the delivery could not be handled")
    await asyncio.sleep(random.uniform(0.5, 1.5))


def _is_poison(last: LogEntry) -> bool:
    return last.event == "error" and orjson.loads(last.data).get("code") == Poisoned.code


def _poison() -> bytes:
    return orjson.dumps(Poisoned().problem(propagation.current_trace_id()).model_dump())
