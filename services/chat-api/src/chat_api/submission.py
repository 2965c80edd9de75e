"""Takes a question: once, in its session's turn, and confirmed by the broker or not at all."""

import logging
import time
import uuid
from dataclasses import dataclass
from typing import Any, Literal

from eco2_bus import topology
from eco2_bus.events import Queued, to_json
from eco2_bus.job import ChatJob
from eco2_bus.log import JobHead, LogExists, LogGone, LogUnavailable, confirm_written
from eco2_bus.pictures import Picture, reference, referred_id
from eco2_bus.queue import QueueFull
from eco2_telemetry import logs, propagation
from eco2_telemetry.messaging import publish_span

from chat_api import claims, errors, sessions
from chat_api.deps import Services
from chat_api.limits.submits import Admission
from chat_api.queue_depth import QueuePlace
from chat_api.requests import ChatRequest, Upload
from chat_api.session_claims import Bid

_log = logging.getLogger(__name__)

MAIN_LANE = QueuePlace()


@dataclass(frozen=True, slots=True)
class Question:
    """What was asked, by whom, and the picture that came with it."""

    body: ChatRequest
    owner: str
    upload: Upload | None
    admission: Admission

    def fingerprint(self) -> str:
        """What two requests with one idempotency key must have in common."""
        body = self.body
        if self.upload is not None:
            body = body.model_copy(update={"image_url": self.upload.digest})
        return claims.fingerprint(body.model_dump_json().encode())


async def submit_once(services: Services, question: Question, key: str | None) -> Queued:
    """Submits, or gives the same answer as the first request with this key and body."""
    if question.body.session_id is not None:
        await sessions.check_owner(services, question.body.session_id, question.owner)
    if key is None:
        return await _admitted(services, question, uuid.uuid4().hex, "")
    name = claims.key_of(question.owner, key)
    print_ = question.fingerprint()
    known = await claims.wait_for_answer(services.claims, name, print_, services.settings.idempotency_wait_s)
    if known is not None:
        return _known_answer(known, print_)
    try:
        # The same key and body name the same job, also when the process that began it is gone.
        job_id = claims.fingerprint(f"{name}{print_}".encode())[:32]
        queued = await _admitted(services, question, job_id, name)
    except BaseException:
        await _quietly(services.claims.free_key(name))
        raise
    answer = queued.model_dump_json()
    await _quietly(services.claims.answer_key(name, print_, answer, services.settings.idempotency_ttl_s))
    return queued


def _known_answer(known: claims.Claimed, fingerprint: str) -> Queued:
    if known.fingerprint != fingerprint:
        raise errors.idempotency_mismatch()
    if known.answer is None:
        raise errors.idempotency_in_flight()
    return Queued.model_validate_json(known.answer)


async def _admitted(services: Services, question: Question, job_id: str, key: str) -> Queued:
    """Submits within the caller's limits; a request whose answer is known is not counted."""
    body = question.body
    interrupts = body.on_busy == "interrupt" and body.session_id is not None
    await question.admission.enter(job_id, interrupts=interrupts)
    try:
        return await _submit(services, question, job_id, key)
    except BaseException:
        await question.admission.leave(job_id)
        raise


async def _submit(services: Services, question: Question, job_id: str, key: str) -> Queued:
    logs.job_id.set(job_id)
    job, on_busy = _job(question, job_id), question.body.on_busy
    place = question.admission.place
    return await submit_job(services, job, on_busy, upload=question.upload, key=key, place=place)


async def submit_job(
    services: Services,
    job: ChatJob,
    on_busy: Literal["reject", "interrupt"],
    *,
    upload: Upload | None = None,
    key: str = "",
    place: QueuePlace = MAIN_LANE,
) -> Queued:
    """Begins a job's log, takes its session's turn and publishes it: all three, or none of them."""
    queued = _queued(job, place)
    head = JobHead(job.owner, job.session_id, traceparent(), to_json(queued), job.created_at_ms)
    try:
        # The log first: a holder of a session that has no log counts as ended.
        await services.log.create(job.job_id, head)
    except LogExists:
        return await _resubmit(services, job, on_busy, upload, key, place)
    epoch = services.log.epoch
    try:
        await sessions.take_turn(services, _bid(job, key), on_busy)
        if services.log.epoch != epoch:
            # A worker drops a job whose log a failover has lost, and this one is about to be answered.
            raise LogUnavailable("the store may have failed over since")
        await _publish(services, job, upload, head, key, place)
    except BaseException:
        # The broker may have it all the same: a worker that finds no log drops the job.
        await _quietly(services.log.discard(job.job_id))
        await _quietly(services.claims.free_session(job.session_id, job.job_id))
        raise
    return queued


async def _resubmit(
    services: Services,
    job: ChatJob,
    on_busy: Literal["reject", "interrupt"],
    upload: Upload | None,
    key: str,
    place: QueuePlace,
) -> Queued:
    """A request that died before its answer has begun this job; whether it is in the queue is unknown.

    A second message does no harm: the worker drops a fresh duplicate of what is running.
    """
    try:
        known = await services.log.summary(job.job_id)
    except LogGone:
        raise LogUnavailable("the request that began the job has just failed") from None
    head = known.head
    if not known.last.ends_job:
        job = job.model_copy(update={"session_id": head.session_id, "created_at_ms": head.created_at_ms})
        epoch = services.log.epoch
        # A request that failed may have given it back although its log stayed.
        await sessions.take_turn(services, _bid(job, key), on_busy)
        await confirm_written(services.log, job.job_id, epoch)
        await _publish(services, job, upload, head, key, place)
    return Queued.model_validate_json(head.queued)


def _bid(job: ChatJob, key: str) -> Bid:
    return Bid(job.session_id, job.owner, job.job_id, key)


async def _publish(
    services: Services, job: ChatJob, upload: Upload | None, head: JobHead, key: str, place: QueuePlace
) -> None:
    job = await _with_picture(services, job, upload)
    tracer = services.telemetry.tracer
    try:
        with publish_span(
            tracer,
            services.messaging_system,
            place.queue,
            job.job_id,
            exchange=topology.EXCHANGE,
            goes_on=head.traceparent,
        ) as headers:
            await services.queue.publish(job, headers, place.queue)
    except BaseException as error:
        # What the broker may have all the same is begun when its key is used again, and needs its picture.
        # That of a job that is replayed is not this call's to remove.
        never_runs = not key or isinstance(error, QueueFull)
        picture_id = referred_id(job.image_url or "")
        if upload is not None and never_runs and picture_id is not None:
            await _quietly(services.pictures.remove(picture_id))
        raise


async def _with_picture(services: Services, job: ChatJob, upload: Upload | None) -> ChatJob:
    """The job travels with a reference; megabytes stay out of the queue."""
    if upload is None:
        return job
    picture_id = await services.pictures.put(Picture(job.owner, job.session_id, upload.data))
    return job.model_copy(update={"image_url": reference(picture_id)})


def _job(question: Question, job_id: str) -> ChatJob:
    return ChatJob(
        job_id=job_id,
        # The same job is of the same session: it may be in the queue twice when its key is used again.
        session_id=question.body.session_id or claims.fingerprint(f"session\0{job_id}".encode())[:32],
        owner=question.owner,
        message=question.body.message,
        image_url=question.body.image_url if question.upload is None else None,
        location=question.body.location,
        created_at_ms=time.time_ns() // 1_000_000,
    )


def _queued(job: ChatJob, place: QueuePlace) -> Queued:
    url = f"/api/v1/chat/{job.job_id}"
    return Queued(
        job_id=job.job_id,
        session_id=job.session_id,
        status_url=url,
        events_url=f"{url}/events",
        cancel_url=f"{url}/cancel",
        trace_id=propagation.current_trace_id(),
        position=place.ahead,
    )


def traceparent() -> str:
    """The W3C header of the current span."""
    return propagation.inject().get("traceparent", "")


async def _quietly(cleaning_up: Any) -> None:
    try:
        await cleaning_up
    except LogUnavailable as error:
        _log.warning("could not clean up: %s", error)
