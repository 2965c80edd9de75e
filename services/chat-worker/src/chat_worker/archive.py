"""What stays of a job that has ended: its terminal event for a day, its turn as long as the session."""

import asyncio
import contextlib
import logging
import time
from typing import Any

from eco2_bus.events import Ended, LogEntry
from eco2_bus.job import ChatJob
from eco2_bus.log import EventLog, KeptAnswer, LogGone, LogUnavailable
from eco2_history import HistoryUnavailable, Turn, TurnRefused, TurnStore
from pydantic import TypeAdapter

_log = logging.getLogger(__name__)

_OBJECT = TypeAdapter(dict[str, Any])

TRIES = 3
PAUSE_S = 0.5


class Archive:
    """Keeps ended jobs in the log's store and in the history; both are tried, neither can fail the job."""

    def __init__(self, log: EventLog, turns: TurnStore) -> None:
        self._log = log
        self._turns = turns

    async def keep(self, job: ChatJob, event: str, data: bytes) -> None:
        """Returns once the end is kept in both, or cannot be."""
        await asyncio.gather(self._keep_answer(job, event, data), self._keep_turn(job, event, data))

    async def keep_end(self, job: ChatJob) -> LogEntry | None:
        """Keeps the end that somebody else gave a job: a worker that died before it had, or the API.

        Gives the terminal event where the log can tell it.
        """
        with contextlib.suppress(LogGone, LogUnavailable):
            last = (await self._log.summary(job.job_id)).last
            if last.ends_job:
                await self.keep(job, last.event, last.data)
                return last
        return None

    async def _keep_answer(self, job: ChatJob, event: str, data: bytes) -> None:
        try:
            await self._log.keep_answer(job.job_id, KeptAnswer(job.owner, job.session_id, event, data))
        except LogUnavailable as error:
            # What the log itself still tells for an hour.
            _log.warning("the answer of job %s is kept only in its log: %s", job.job_id, error)

    async def _keep_turn(self, job: ChatJob, event: str, data: bytes) -> None:
        try:
            turn = turn_of(job, event, data)
        except ValueError as error:
            # Written by another version; its log and its kept answer tell it as it is.
            _log.error("the end of job %s cannot be read: %s", job.job_id, type(error).__name__)
            return
        for left in reversed(range(TRIES)):
            try:
                await self._turns.save(turn)
                return
            except TurnRefused as error:
                _log.error("the turn of job %s is refused: %s", job.job_id, type(error).__name__)
                return
            except HistoryUnavailable as error:
                _log.warning("the turn of job %s is not in the history yet: %s", job.job_id, error)
            if left:
                await asyncio.sleep(PAUSE_S)


def turn_of(job: ChatJob, event: str, data: bytes) -> Turn:
    """The turn that a terminal event ends; raises ValueError for data that no such event has."""
    now_ms = time.time_ns() // 1_000_000
    fields = _OBJECT.validate_json(data)
    if event == "error":
        return Turn(
            job_id=job.job_id,
            session_id=job.session_id,
            owner=job.owner,
            question=job.message,
            answer="",
            status="error",
            created_at_ms=job.created_at_ms,
            ended_at_ms=now_ms,
            image_url=job.image_url,
            trace_id=fields.get("trace_id", ""),
            error=fields,
        )
    ended = Ended.model_validate(fields)
    return Turn(
        job_id=job.job_id,
        session_id=job.session_id,
        owner=job.owner,
        question=job.message,
        answer=ended.answer,
        status="done" if event == "done" else "cancelled",
        created_at_ms=job.created_at_ms,
        ended_at_ms=now_ms,
        intents=tuple(ended.intents),
        sources=tuple(source.model_dump() for source in ended.sources),
        usage=ended.usage.model_dump(),
        attempts=ended.attempts,
        trace_id=ended.trace_id,
        sample_data=ended.sample_data,
        image_url=job.image_url,
    )
