"""Finding a job for the one who asks, and stopping it."""

import contextlib
import time

import orjson
from eco2_bus.events import Ended, Source, Usage, to_json
from eco2_bus.log import JobHead, KeptAnswer, LogGone, LogSummary, TakeOverResult, confirm_written
from eco2_history import Turn
from eco2_telemetry import logs, propagation

from chat_api import errors
from chat_api.deps import Services


async def find_job(services: Services, job_id: str, caller: str) -> LogSummary | KeptAnswer:
    """The job's log, or its answer; raises `404` for unknown and for others' jobs alike."""
    if not is_job_id(job_id):
        raise errors.unknown_job()
    logs.job_id.set(job_id)
    try:
        summary = await services.log.summary(job_id)
    except LogGone:
        kept = await services.log.kept_answer(job_id) or await _stored_answer(services, job_id)
        if kept is None or kept.owner != caller:
            raise errors.unknown_job() from None
        return kept
    if summary.head.owner != caller:
        raise errors.unknown_job()
    return summary


async def _stored_answer(services: Services, job_id: str) -> KeptAnswer | None:
    turn = await services.turns.answer_of(job_id)
    return None if turn is None else KeptAnswer(turn.owner, turn.session_id, turn.status, _last_event(turn))


def _last_event(turn: Turn) -> bytes:
    if turn.error is not None:
        return orjson.dumps(turn.error)
    ended = Ended(
        answer=turn.answer,
        intents=list(turn.intents),
        sources=[Source.model_validate(source) for source in turn.sources],
        usage=Usage.model_validate(turn.usage),
        attempts=turn.attempts,
        duration_ms=turn.ended_at_ms - turn.created_at_ms,
        trace_id=turn.trace_id,
        sample_data=turn.sample_data,
    )
    return to_json(ended)


async def cancel_job(services: Services, job_id: str, known: LogSummary) -> None:
    """Ends a job that nobody works on; has the worker end any other."""
    if await end_idle(services, job_id, known) is TakeOverResult.RUNNING:
        await services.log.request_cancel(job_id)
        with contextlib.suppress(LogGone):
            # It may have begun to wait for its user in between, and then no worker looks at the wish.
            await end_idle(services, job_id, await services.log.summary(job_id))


async def end_idle(services: Services, job_id: str, known: LogSummary) -> TakeOverResult:
    """Ends a job only if nobody works on it."""
    attempts = known.last.id.attempt
    # What an attempt that waits has used, only its worker knew.
    usage = Usage(estimated=attempts > 0)
    ended = Ended(
        answer="",
        usage=usage,
        attempts=attempts,
        duration_ms=time.time_ns() // 1_000_000 - known.head.created_at_ms,
        trace_id=_trace_id(known.head),
    )
    data, head = to_json(ended), known.head
    taken = await services.log.end(
        job_id, "cancelled", data, only_if_idle=True, usage=to_json(usage) if attempts else b""
    )
    if taken.result is TakeOverResult.OWNED:
        # The end that viewers see must not be lost, or a worker would find the job as if nobody had ended it.
        await confirm_written(services.log, job_id, services.log.epoch)
        await services.log.keep_answer(job_id, KeptAnswer(head.owner, head.session_id, "cancelled", data))
    return taken.result


def _trace_id(head: JobHead) -> str:
    job = propagation.span_context(head.traceparent)
    return f"{job.trace_id:032x}" if job is not None else ""


def is_job_id(text: str) -> bool:
    """True for what may be the id of a job."""
    return len(text) == 32 and all(character in "0123456789abcdef" for character in text)
