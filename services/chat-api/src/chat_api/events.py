"""A job's event log as server-sent events."""

import random
import time
from collections.abc import AsyncIterator, Generator, Mapping
from contextlib import contextmanager
from typing import Annotated

from eco2_bus.events import EVENT_ID_PATTERN, START, CredentialExpired, EntryId, Gap, to_json
from eco2_bus.log import KeptAnswer, LogGone, LogSummary, LogUnavailable
from eco2_history import HistoryUnavailable
from eco2_telemetry import propagation
from fastapi import APIRouter, Header, Query, Response
from opentelemetry import trace
from prometheus_client import Gauge
from sse_starlette import EventSourceResponse, ServerSentEvent
from sse_starlette.sse import SendTimeoutError
from starlette.types import Message, Receive, Scope, Send

from chat_api import errors
from chat_api.auth.lasting import CredentialEnded, while_valid
from chat_api.auth.links import Links
from chat_api.deps import Deps, EventsReader, Services
from chat_api.eager_send import send_within
from chat_api.jobs import find_job
from chat_api.limits.streams import StreamingEvents
from chat_api.metrics import ApiMetrics, Metrics

# Only the document is told: FastAPI's own check would answer 422.
AN_EVENT_ID = {"pattern": EVENT_ID_PATTERN}

router = APIRouter(prefix="/api/v1/chat", tags=["chat"])

RETRY_MS = 2_000
HEADERS = {"Cache-Control": "no-store, no-transform", "X-Accel-Buffering": "no"}
_HELLO = b"retry: %d\n: stream\n\n" % RETRY_MS


class JobEvents(EventSourceResponse):
    """An event stream whose slow viewer is closed, not reported as a fault of ours: it resumes."""

    open_streams: Gauge

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            with self.open_streams.track_inprogress():
                await super().__call__(scope, receive, send)
        except SendTimeoutError:
            trace.get_current_span().set_attribute("closed", "slow viewer")

    async def _send_with_timeout(self, send: Send, message: Message) -> None:
        if not await send_within(send, message, self.send_timeout):
            raise SendTimeoutError


@router.get(
    "/{job_id}/events",
    response_class=JobEvents,
    dependencies=[StreamingEvents],
    responses={204: {"description": "The last event was the end"}},
)
async def events(
    job_id: str,
    services: Deps,
    links: EventsReader,
    metrics: Metrics,
    last_event_id: Annotated[str | None, Header(json_schema_extra=AN_EVENT_ID)] = None,
    last_event_id_query: Annotated[
        str | None, Query(alias="last_event_id", json_schema_extra=AN_EVENT_ID)
    ] = None,
) -> Response:
    """The job's events from the first, or exactly after `Last-Event-ID`, until its end."""
    in_header, in_query = _parse(last_event_id), _parse(last_event_id_query)
    resume_from = last_event_id if last_event_id is not None else last_event_id_query
    after = in_query if last_event_id is None else in_header
    with _failed_resumes_counted(metrics, after):
        known = await find_job(services, job_id, links.caller.owner)
        is_gap = isinstance(known, LogSummary) and await _is_gap(services, job_id, known, after)
    if isinstance(known, KeptAnswer):
        metrics.resumed("gone")
        raise errors.events_expired(f"/api/v1/chat/{job_id}")
    _link_to_job(known.head.traceparent, resume_from)
    if after is START:
        return event_stream(services, metrics, links, job_id, START)
    if known.last.ends_job and known.last.id == after:
        return Response(status_code=204)
    metrics.resumed("gap" if is_gap else "ok")
    if is_gap:
        gap = Gap(requested=str(after), resumed_from=str(known.first_id))
        return event_stream(services, metrics, links, job_id, START, gap=gap)
    return event_stream(services, metrics, links, job_id, after)


@contextmanager
def _failed_resumes_counted(metrics: ApiMetrics, after: EntryId) -> Generator[None]:
    try:
        yield
    except (LogUnavailable, HistoryUnavailable) as error:
        if after is not START:
            kind = "catch_up" if isinstance(error, LogUnavailable) else "snapshot"
            metrics.track_stream_recovery(kind, "error")
        raise


async def _is_gap(services: Services, job_id: str, known: LogSummary, after: EntryId) -> bool:
    if after is START or after == known.last.id:
        return False
    return not await services.log.contains(job_id, after)


def event_stream(
    services: Services,
    metrics: ApiMetrics,
    links: Links,
    job_id: str,
    after: EntryId,
    *,
    gap: Gap | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The response that streams a job's log."""
    response = JobEvents(
        _frames(services, metrics, links, job_id, after, gap),
        headers={**HEADERS, **(headers or {})},
        ping=services.settings.heartbeat_s,
        ping_message_factory=_heartbeat,
        send_timeout=services.settings.send_timeout_s,
        sep="\n",
        # The streams end by themselves as soon as the log stops being followed.
        shutdown_grace_period=3,
    )
    response.open_streams = metrics.open_streams
    return response


async def _frames(
    services: Services, metrics: ApiMetrics, links: Links, job_id: str, after: EntryId, gap: Gap | None
) -> AsyncIterator[bytes]:
    """Bytes ready for the socket; what is in the log together leaves together."""
    span, began, sent = trace.get_current_span(), time.perf_counter(), 0
    opened_at_ms, relayed = time.time_ns() // 1_000_000, metrics.relay_lag.relayed
    yield _HELLO if gap is None else _HELLO + b"event: gap\ndata: " + to_json(gap) + b"\n\n"
    try:
        async for entries in while_valid(links.caller, services.log.follow(job_id, after)):
            if not sent:
                span.set_attribute("first_event_ms", round((time.perf_counter() - began) * 1000, 1))
            sent += len(entries)
            yield b"".join([entry.frame for entry in links.entries(entries)])
            # What was there before its viewer came is late by no fault of the relay.
            if (written_at_ms := entries[0].at_ms) >= opened_at_ms:
                relayed(written_at_ms)
            if entries[-1].ends_job:
                return
        # Leaving: spread the reconnects, so that they do not all meet the next process at once.
        yield b"retry: %d\n\n" % random.randint(RETRY_MS // 4, RETRY_MS * 2)
    except LogGone:
        return
    except CredentialEnded:
        span.set_attribute("closed", "credential expired")
        ended = CredentialExpired(status_url=f"/api/v1/chat/{job_id}")
        yield b"event: credential_expired\ndata: " + to_json(ended) + b"\n\n"
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
