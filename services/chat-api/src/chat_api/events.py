"""A job's event log as server-sent events."""

import random
import time
from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Annotated

from eco2_bus.events import EVENT_ID_PATTERN, START, CredentialExpired, EntryId, Gap, to_json
from eco2_bus.log import KeptAnswer, LogGone, LogSummary, LogUnavailable
from eco2_history import HistoryUnavailable
from eco2_telemetry import propagation
from fastapi import APIRouter, Header, Query, Response
from opentelemetry import trace

from chat_api import errors
from chat_api.auth.lasting import CredentialEnded, while_valid
from chat_api.auth.links import Links
from chat_api.deps import Deps, EventsReader, Services
from chat_api.job_events import JobEvents
from chat_api.jobs import find_job
from chat_api.limits.streams import EventsPlace
from chat_api.metrics import ApiMetrics, Metrics

# Only the document is told: FastAPI's own check would answer 422.
AN_EVENT_ID = {"pattern": EVENT_ID_PATTERN}

router = APIRouter(prefix="/api/v1/chat", tags=["chat"])

RETRY_MS = 2_000
_HELLO = b"retry: %d\n: stream\n\n" % RETRY_MS


@router.get(
    "/{job_id}/events",
    status_code=200,
    response_class=JobEvents,
    responses={204: {"description": "The last event was the end"}},
)
async def events(
    job_id: str,
    services: Deps,
    links: EventsReader,
    metrics: Metrics,
    place: EventsPlace,
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
        return event_stream(services, metrics, links, job_id, START, place=place)
    if known.last.ends_job and known.last.id == after:
        return Response(status_code=204)
    metrics.resumed("gap" if is_gap else "ok")
    if is_gap:
        gap = Gap(requested=str(after), resumed_from=str(known.first_id))
        return event_stream(services, metrics, links, job_id, START, gap=gap, place=place)
    return event_stream(services, metrics, links, job_id, after, place=place)


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
    place: AbstractContextManager[None] | None = None,
) -> Response:
    """The response that streams a job's log."""
    frames = _frames(services, metrics, links, job_id, after, gap)
    return JobEvents(frames, services.settings, headers=headers, place=place)


async def _frames(
    services: Services, metrics: ApiMetrics, links: Links, job_id: str, after: EntryId, gap: Gap | None
) -> AsyncGenerator[bytes]:
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
