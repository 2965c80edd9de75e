"""A job's event log as server-sent events."""

import random
import time
from collections.abc import AsyncIterator, Mapping
from typing import Annotated

from eco2_bus.events import START, EntryId, Gap, to_json
from eco2_bus.log import KeptAnswer, LogGone
from eco2_telemetry import propagation
from fastapi import APIRouter, Header, Query, Response
from opentelemetry import trace
from sse_starlette import EventSourceResponse, ServerSentEvent
from sse_starlette.sse import SendTimeoutError
from starlette.types import Message, Receive, Scope, Send

from chat_api import errors
from chat_api.deps import Deps, Owner, Services
from chat_api.eager_send import send_within
from chat_api.jobs import find_job

router = APIRouter(prefix="/api/v1/chat", tags=["chat"])

RETRY_MS = 2_000
HEADERS = {"Cache-Control": "no-store, no-transform", "X-Accel-Buffering": "no"}
_HELLO = b"retry: %d\n: stream\n\n" % RETRY_MS


class JobEvents(EventSourceResponse):
    """An event stream whose slow viewer is closed, not reported as a fault of ours: it resumes."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        except SendTimeoutError:
            trace.get_current_span().set_attribute("closed", "slow viewer")

    async def _send_with_timeout(self, send: Send, message: Message) -> None:
        if not await send_within(send, message, self.send_timeout):
            raise SendTimeoutError


@router.get(
    "/{job_id}/events",
    response_class=JobEvents,
    responses={204: {"description": "The last event was the end"}},
)
async def events(
    job_id: str,
    services: Deps,
    caller: Owner,
    last_event_id: Annotated[str | None, Header()] = None,
    last_event_id_query: Annotated[str | None, Query(alias="last_event_id")] = None,
) -> Response:
    """The job's events from the first, or exactly after `Last-Event-ID`, until its end."""
    resume_from = last_event_id if last_event_id is not None else last_event_id_query
    after = _parse(resume_from)
    known = await find_job(services, job_id, caller)
    if isinstance(known, KeptAnswer):
        raise errors.events_expired(f"/api/v1/chat/{job_id}")
    _link_to_job(known.head.traceparent, resume_from)
    if after is not START and known.last.ends_job and known.last.id == after:
        return Response(status_code=204)
    if after is not START and not await services.log.contains(job_id, after):
        gap = Gap(requested=str(after), resumed_from=str(known.first_id))
        return event_stream(services, job_id, START, gap=gap)
    return event_stream(services, job_id, after)


def event_stream(
    services: Services,
    job_id: str,
    after: EntryId,
    *,
    gap: Gap | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The response that streams a job's log."""
    return JobEvents(
        _frames(services, job_id, after, gap),
        headers={**HEADERS, **(headers or {})},
        ping=services.settings.heartbeat_s,
        ping_message_factory=_heartbeat,
        send_timeout=services.settings.send_timeout_s,
        sep="\n",
        # The streams end by themselves as soon as the log stops being followed.
        shutdown_grace_period=3,
    )


async def _frames(services: Services, job_id: str, after: EntryId, gap: Gap | None) -> AsyncIterator[bytes]:
    """Bytes ready for the socket; what is in the log together leaves together."""
    span, began, sent = trace.get_current_span(), time.perf_counter(), 0
    yield _HELLO if gap is None else _HELLO + b"event: gap\ndata: " + to_json(gap) + b"\n\n"
    try:
        async for entries in services.log.follow(job_id, after):
            if not sent:
                span.set_attribute("first_event_ms", round((time.perf_counter() - began) * 1000, 1))
            sent += len(entries)
            yield b"".join([entry.frame for entry in entries])
            if entries[-1].ends_job:
                return
        # Leaving: spread the reconnects, so that they do not all meet the next process at once.
        yield b"retry: %d\n\n" % random.randint(RETRY_MS // 4, RETRY_MS * 2)
    except LogGone:
        return
    finally:
        span.set_attribute("events_sent", sent)


def _parse(text: str | None) -> EntryId:
    if text is None:
        return START
    try:
        return EntryId.parse(text)
    except ValueError:
        raise errors.malformed("Last-Event-ID is no event id of this API.", "malformed_event_id") from None


def _link_to_job(traceparent: str, resume_from: str | None) -> None:
    span = trace.get_current_span()
    job = propagation.span_context(traceparent)
    if job is not None:
        span.add_link(job)
    if resume_from is not None:
        span.set_attribute("resumed_from", resume_from)


def _heartbeat() -> ServerSentEvent:
    return ServerSentEvent(comment="heartbeat", sep="\n")
