"""What an operator is shown of a dead letter: of the user's text nothing, unless it is asked for."""

from collections.abc import Sequence
from typing import Any

import orjson
from eco2_bus.dead_letters import DeadLetter
from eco2_bus.job import ChatJob, MalformedJob
from eco2_bus.log import EventLog, LogGone, LogUnavailable
from eco2_telemetry import propagation

_COLUMNS = ("job_id", "died_at", "reason", "attempts", "ended", "bytes")


async def facts_of(log: EventLog, letter: DeadLetter) -> dict[str, Any]:
    """What can be said without the content; `ended` and `attempts` as far as the log still tells."""
    ended, attempts = await _in_the_log(log, letter.job_id)
    job = _job(letter)
    trace = propagation.span_context(letter.headers.get("traceparent", ""))
    return {
        "job_id": letter.job_id,
        "died_at": letter.died_at.isoformat() if letter.died_at is not None else None,
        "reason": letter.reason,
        "attempts": attempts,
        "ended": ended,
        "bytes": len(letter.body),
        "session": job.session_id if job is not None else None,
        "trace_id": f"{trace.trace_id:032x}" if trace is not None else None,
        "readable": job is not None,
    }


def content_of(letter: DeadLetter) -> dict[str, Any]:
    """The user's text, or the bytes themselves where they are no job."""
    job = _job(letter)
    if job is None:
        return {"body": letter.body.decode(errors="backslashreplace")}
    return job.model_dump(include={"owner", "message", "image_url", "location"}, exclude_none=True)


def table_of(facts: Sequence[dict[str, Any]]) -> str:
    """One line each, under a line of names."""
    rows = [_COLUMNS, *(tuple("-" if one[c] is None else str(one[c]) for c in _COLUMNS) for one in facts)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_COLUMNS))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    return "\n".join(printable(line.rstrip()) for line in lines)


def printable(text: str) -> str:
    """What a terminal may be given: whoever reaches the broker chooses ids and bodies."""
    return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)


def _job(letter: DeadLetter) -> ChatJob | None:
    try:
        return ChatJob.from_body(letter.body)
    except MalformedJob:
        return None


async def _in_the_log(log: EventLog, job_id: str) -> tuple[str, int | None]:
    try:
        last = (await log.summary(job_id)).last
    except LogGone:
        kept = await log.kept_answer(job_id)
        return ("no longer kept", None) if kept is None else (_end(kept.event, kept.data), None)
    except LogUnavailable:
        return "unknown", None
    return (_end(last.event, last.data) if last.ends_job else "no"), last.id.attempt


def _end(event: str, data: bytes) -> str:
    return str(orjson.loads(data).get("code", event)) if event == "error" else event
