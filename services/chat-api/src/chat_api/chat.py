"""Submit a question, see how it stands, cancel it."""

from typing import Annotated, Any, Literal, cast

import orjson
from eco2_bus.events import INPUT_REQUIRED, START, Ended, Problem, Queued, Source, Usage
from eco2_bus.log import KeptAnswer, LogSummary
from fastapi import APIRouter, Header, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from chat_api import errors
from chat_api.auth.links import Links
from chat_api.auth.route import GuardedRoute
from chat_api.deps import Addresses, Deps, Services
from chat_api.events import event_stream
from chat_api.jobs import cancel_job, find_job
from chat_api.limits.streams import StreamingIfAsked, wants_stream
from chat_api.limits.submits import Admitting
from chat_api.metrics import Metrics
from chat_api.requests import ChatRequest, upload_of
from chat_api.submission import Question, submit_once, traceparent

router = APIRouter(prefix="/api/v1/chat", tags=["chat"], route_class=GuardedRoute)

Status = Literal["queued", "running", "waiting", "done", "error", "cancelled"]
IdempotencyKey = Annotated[str | None, Header(max_length=255, pattern=r"^[\x21-\x7e]+$")]


class JobStatus(BaseModel):
    """How a job stands; the later fields are there once it has ended."""

    job_id: str
    session_id: str
    status: Status
    events_url: str
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
    dependencies=[StreamingIfAsked],
    responses={200: {"description": "The events themselves, with `Accept: text/event-stream`"}},
)
async def submit(
    body: ChatRequest,
    request: Request,
    services: Deps,
    links: Addresses,
    metrics: Metrics,
    admission: Admitting,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Takes a question; answers once the broker has confirmed it."""
    question = Question(body, links.caller.owner, await upload_of(body), admission)
    queued = await submit_once(services, question, idempotency_key)
    headers = {
        "Location": queued.status_url,
        "Server-Timing": f'traceparent;desc="{traceparent()}"',
        **admission.headers,
    }
    if wants_stream(request):
        if idempotency_key is not None:
            await _check_events_are_kept(services, queued, links.caller.owner)
        return event_stream(services, metrics, links, queued.job_id, START, headers=headers)
    return JSONResponse(links.queued(queued).model_dump(), status_code=202, headers=headers)


@router.get("/{job_id}", response_model_exclude_none=True)
async def status(job_id: str, response: Response, services: Deps, links: Addresses) -> JobStatus:
    """How the job stands and, once it has ended, what came of it."""
    response.headers["Cache-Control"] = "no-store"
    return await status_of(services, links, job_id)


async def status_of(services: Services, links: Links, job_id: str) -> JobStatus:
    """What a caller is told of a job of theirs; raises `404`."""
    known = await find_job(services, job_id, links.caller.owner)
    url = links.events(job_id)
    if isinstance(known, KeptAnswer):
        return _ended(job_id, known.session_id, url, known.event, known.data)
    if known.last.ends_job:
        return _ended(job_id, known.head.session_id, url, known.last.event, known.last.data)
    return JobStatus(job_id=job_id, session_id=known.head.session_id, status=_state(known), events_url=url)


@router.post(
    "/{job_id}/cancel",
    status_code=202,
    response_model=JobStatus,
    response_model_exclude_none=True,
    responses={200: {"description": "The job has already ended", "model": JobStatus}},
)
async def cancel(job_id: str, response: Response, services: Deps, links: Addresses) -> JobStatus:
    """Cancels a job wherever it is; safe to repeat."""
    known = await find_job(services, job_id, links.caller.owner)
    if isinstance(known, LogSummary) and not known.last.ends_job:
        await cancel_job(services, job_id, known)
    else:
        response.status_code = 200
    return await status_of(services, links, job_id)


def _state(known: LogSummary) -> Status:
    if known.last.event == INPUT_REQUIRED:
        return "waiting"
    return "queued" if known.last.id.attempt == 0 else "running"


async def _check_events_are_kept(services: Services, queued: Queued, caller: str) -> None:
    """An idempotency key outlives the events of its job."""
    if isinstance(await find_job(services, queued.job_id, caller), KeptAnswer):
        raise errors.events_expired(queued.status_url)


def _ended(job_id: str, session_id: str, events_url: str, event: str, data: bytes) -> JobStatus:
    fields: dict[str, Any] = orjson.loads(data)
    state = cast(Status, event)
    if event == "error":
        return JobStatus(
            job_id=job_id, session_id=session_id, status=state, events_url=events_url, error=Problem(**fields)
        )
    ended = Ended(**fields)
    return JobStatus(
        job_id=job_id,
        session_id=session_id,
        status=state,
        events_url=events_url,
        answer=ended.answer,
        intents=ended.intents,
        sources=ended.sources,
        usage=ended.usage,
        attempts=ended.attempts,
        duration_ms=ended.duration_ms,
        sample_data=ended.sample_data,
    )
