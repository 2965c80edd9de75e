"""Submit a question, see how it stands, cancel it."""

import logging
import time
import uuid
from typing import Annotated, Any, Literal, cast

import orjson
from eco2_bus import topology
from eco2_bus.events import START, Ended, Problem, Queued, Source, Usage, to_json
from eco2_bus.job import ChatJob
from eco2_bus.log import JobHead, KeptAnswer, LogExists, LogSummary, LogUnavailable
from eco2_telemetry import propagation
from eco2_telemetry.messaging import publish_span
from fastapi import APIRouter, Header, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from chat_api import claims, errors, sessions
from chat_api.deps import Deps, Owner, Services
from chat_api.events import event_stream
from chat_api.jobs import cancel_job, find_job
from chat_api.requests import ChatRequest

_log = logging.getLogger(__name__)

router = APIRouter(prefix="/api/v1/chat", tags=["chat"])

Status = Literal["queued", "running", "done", "error", "cancelled"]
IdempotencyKey = Annotated[str | None, Header(max_length=255, pattern=r"^[\x21-\x7e]+$")]


class JobStatus(BaseModel):
    """How a job stands; the later fields are there once it has ended."""

    job_id: str
    session_id: str
    status: Status
    answer: str | None = None
    intents: list[str] | None = None
    sources: list[Source] | None = None
    usage: Usage | None = None
    attempts: int | None = None
    duration_ms: int | None = None
    sample_data: bool | None = None
    error: Problem | None = None


@router.post(
    "",
    status_code=202,
    response_model=Queued,
    responses={200: {"description": "The events themselves, with `Accept: text/event-stream`"}},
)
async def submit(
    body: ChatRequest,
    request: Request,
    services: Deps,
    caller: Owner,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Takes a question; answers once the broker has confirmed it."""
    queued = await _submit_once(services, body, caller, idempotency_key)
    headers = {"Location": queued.status_url, "Server-Timing": f'traceparent;desc="{_traceparent()}"'}
    if "text/event-stream" in request.headers.get("accept", ""):
        if idempotency_key is not None:
            await _check_events_are_kept(services, queued, caller)
        return event_stream(services, queued.job_id, START, headers=headers)
    return JSONResponse(queued.model_dump(), status_code=202, headers=headers)


@router.get("/{job_id}", response_model_exclude_none=True)
async def status(job_id: str, services: Deps, caller: Owner) -> JobStatus:
    """How the job stands and, once it has ended, what came of it."""
    known = await find_job(services, job_id, caller)
    if isinstance(known, KeptAnswer):
        return _ended(job_id, known.session_id, known.event, known.data)
    if known.last.ends_job:
        return _ended(job_id, known.head.session_id, known.last.event, known.last.data)
    state: Status = "queued" if known.last.id.attempt == 0 else "running"
    return JobStatus(job_id=job_id, session_id=known.head.session_id, status=state)


@router.post(
    "/{job_id}/cancel",
    status_code=202,
    response_model=JobStatus,
    response_model_exclude_none=True,
    responses={200: {"description": "The job has already ended", "model": JobStatus}},
)
async def cancel(job_id: str, response: Response, services: Deps, caller: Owner) -> JobStatus:
    """Cancels a job wherever it is; safe to repeat."""
    known = await find_job(services, job_id, caller)
    if isinstance(known, LogSummary) and not known.last.ends_job:
        await cancel_job(services, job_id, known.head)
    else:
        response.status_code = 200
    return await status(job_id, services, caller)


async def _check_events_are_kept(services: Services, queued: Queued, caller: str) -> None:
    """An idempotency key outlives the events of its job."""
    if isinstance(await find_job(services, queued.job_id, caller), KeptAnswer):
        raise errors.events_expired(queued.status_url)


async def _submit_once(services: Services, body: ChatRequest, caller: str, key: str | None) -> Queued:
    """Submits, or gives the same answer as the first request with this key and body."""
    if key is None:
        return await _submit(services, body, caller, uuid.uuid4().hex)
    name = claims.key_of(caller, key)
    print_ = claims.fingerprint(body.model_dump_json().encode())
    known = await claims.wait_for_answer(services.claims, name, print_, services.settings.idempotency_wait_s)
    if known is not None:
        return _known_answer(known, print_)
    try:
        # The same key and body name the same job, also when the process that began it is gone.
        job_id = claims.fingerprint(f"{name}{print_}".encode())[:32]
        queued = await _submit(services, body, caller, job_id)
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


async def _submit(services: Services, body: ChatRequest, caller: str, job_id: str) -> Queued:
    job = ChatJob(
        job_id=job_id,
        session_id=body.session_id or uuid.uuid4().hex,
        owner=caller,
        message=body.message,
        image_url=body.image_url,
        location=body.location,
        created_at_ms=time.time_ns() // 1_000_000,
    )
    queued = _queued(job)
    head = JobHead(caller, job.session_id, _traceparent(), to_json(queued), job.created_at_ms)
    try:
        # The log first: a holder of a session that has no log counts as ended.
        await services.log.create(job.job_id, head)
    except LogExists:
        return await _resubmit(services, job)
    try:
        await sessions.take_turn(services, job.session_id, job.job_id, body.on_busy)
        await _publish(services, job)
    except BaseException:
        # The broker may have it all the same: a worker that finds no log drops the job.
        await _quietly(services.log.discard(job.job_id))
        await _quietly(services.claims.free_session(job.session_id, job.job_id))
        raise
    return queued


async def _resubmit(services: Services, job: ChatJob) -> Queued:
    """A request that died before its answer has begun this job; whether it is in the queue is unknown.

    A second message does no harm: the worker drops a fresh duplicate of what is running or has ended.
    """
    head = (await services.log.summary(job.job_id)).head
    known = {"session_id": head.session_id, "created_at_ms": head.created_at_ms}
    await _publish(services, job.model_copy(update=known))
    return Queued.model_validate_json(head.queued)


async def _publish(services: Services, job: ChatJob) -> None:
    tracer = services.telemetry.tracer
    with publish_span(tracer, services.messaging_system, topology.JOBS, job.job_id) as headers:
        await services.queue.publish(job, headers)


def _queued(job: ChatJob) -> Queued:
    url = f"/api/v1/chat/{job.job_id}"
    return Queued(
        job_id=job.job_id,
        session_id=job.session_id,
        status_url=url,
        events_url=f"{url}/events",
        cancel_url=f"{url}/cancel",
        trace_id=propagation.current_trace_id(),
    )


def _ended(job_id: str, session_id: str, event: str, data: bytes) -> JobStatus:
    fields: dict[str, Any] = orjson.loads(data)
    state = cast(Status, event)
    if event == "error":
        return JobStatus(job_id=job_id, session_id=session_id, status=state, error=Problem(**fields))
    ended = Ended(**fields)
    return JobStatus(
        job_id=job_id,
        session_id=session_id,
        status=state,
        answer=ended.answer,
        intents=ended.intents,
        sources=ended.sources,
        usage=ended.usage,
        attempts=ended.attempts,
        duration_ms=ended.duration_ms,
        sample_data=ended.sample_data,
    )


def _traceparent() -> str:
    return propagation.inject().get("traceparent", "")


async def _quietly(cleaning_up: Any) -> None:
    try:
        await cleaning_up
    except LogUnavailable as error:
        _log.warning("could not clean up: %s", error)
