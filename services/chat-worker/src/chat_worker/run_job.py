"""Runs one attempt at one job: from taking it over to its terminal event."""

import asyncio
import contextlib
import logging
import time
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from eco2_bus.events import Ended, Source, Usage, to_json
from eco2_bus.job import ChatJob
from eco2_bus.log import EventLog, KeptAnswer, LogUnavailable
from eco2_bus.writer import LogWriter
from eco2_telemetry import propagation
from opentelemetry.trace import Tracer
from pydantic import BaseModel

from chat_worker.errors import AnswerError, DeadlineExceeded
from chat_worker.graph.build import ChatGraph
from chat_worker.graph.memory import trim
from chat_worker.graph.state import TurnContext
from chat_worker.metrics.stream import StreamMetrics, StreamMetricsTracker
from chat_worker.ports import Tools
from chat_worker.speaker import Speaker

_log = logging.getLogger(__name__)


class HandedBack(Exception):
    """The worker is leaving and the job goes on elsewhere."""


class Stop(Enum):
    """Why a run is stopped from outside."""

    CANCELLED = auto()
    LOST = auto()
    LEAVING = auto()
    DEADLINE = auto()


@dataclass(frozen=True)
class Workshop:
    """What every run needs."""

    graph: ChatGraph
    tools: Tools
    log: EventLog
    tracer: Tracer
    job_deadline_s: float
    answer_max_chars: int
    is_sample_data: bool
    metrics: StreamMetrics


class JobRun:
    """One attempt. `run` returns once the terminal event is in the log."""

    def __init__(self, job: ChatJob, workshop: Workshop) -> None:
        self._job = job
        self._shop = workshop
        self._stop: Stop | None = None
        self._lost: Exception | None = None
        self._answering: asyncio.Task[None] | None = None
        self.tracker = StreamMetricsTracker(workshop.metrics)

    def stop(self, why: Stop) -> None:
        """Ends the run early; the first reason counts."""
        if self._stop is None:
            self._stop = why
            if self._answering is not None:
                self._answering.cancel()

    def lose(self, error: Exception) -> None:
        """The log is no longer ours to write."""
        self._lost = error
        self.stop(Stop.LOST)

    async def run(self, writer: LogWriter) -> None:
        """Answers the job; raises Fenced, LogGone or HandedBack, or what made the attempt fail."""
        speaker = Speaker(writer, self.tracker, answer_max_chars=self._shop.answer_max_chars)
        log = self._shop.log
        with (
            self._shop.tracer.start_as_current_span("process_chat"),
            log.on_cancel(self._job.job_id, lambda: self.stop(Stop.CANCELLED)),
            self.tracker,
        ):
            # Looked at beside the work: one that comes before this is rare, and a round trip is not.
            looking = asyncio.create_task(self._look_for_cancel())
            try:
                await self._answer_within_deadline(speaker)
                await self._finish(writer, speaker)
            except AnswerError as error:
                _log.warning("ended with %s: %s", error.code, error)
                problem = error.problem(propagation.current_trace_id())
                await self._end(writer, "error", problem, _broken_off(speaker.usage))
                self.tracker.finish("error")
            finally:
                looking.cancel()

    async def _look_for_cancel(self) -> None:
        # The announcement, and the look at the flag every second, come all the same.
        with contextlib.suppress(LogUnavailable):
            if await self._shop.log.is_cancel_requested(self._job.job_id):
                self.stop(Stop.CANCELLED)

    async def _answer_within_deadline(self, speaker: Speaker) -> None:
        if self._stop is not None:
            return
        self._answering = asyncio.create_task(self._answer(speaker), name=f"graph:{self._job.job_id}")
        try:
            await asyncio.wait({self._answering}, timeout=self._shop.job_deadline_s)
            if not self._answering.done():
                self.stop(Stop.DEADLINE)
            await self._answering
        except asyncio.CancelledError:
            if self._stop is None:
                raise
        finally:
            self._answering.cancel()

    async def _answer(self, speaker: Speaker) -> None:
        context = TurnContext(speaker, self._shop.tools, self._shop.tracer, trim)
        config: Any = {
            "configurable": {"thread_id": self._job.session_id},
            "run_name": f"chat:{self._job.job_id}",
            "metadata": {"job_id": self._job.job_id, "session_id": self._job.session_id},
        }
        turn: Any = {
            "job_id": self._job.job_id,
            "question": self._job.message,
            "answer": "",
            "intents": [],
            "findings": None,
            "usage": None,
        }
        graph: Any = self._shop.graph
        await graph.ainvoke(turn, config, context=context, durability="exit")

    async def _finish(self, writer: LogWriter, speaker: Speaker) -> None:
        match self._stop:
            case None:
                usage = speaker.usage
                await self._end(writer, "done", self._ended(writer, speaker, usage), usage)
                self.tracker.finish("success" if writer.attempt == 1 else "recovered")
            case Stop.CANCELLED:
                usage = _broken_off(speaker.usage)
                await self._end(writer, "cancelled", self._ended(writer, speaker, usage), usage)
                self.tracker.finish("cancelled")
            case Stop.DEADLINE:
                raise DeadlineExceeded
            case Stop.LEAVING:
                await writer.flush()
                self.tracker.finish(None)
                raise HandedBack
            case Stop.LOST:
                assert self._lost is not None
                raise self._lost

    def _ended(self, writer: LogWriter, speaker: Speaker, usage: Usage) -> Ended:
        return Ended(
            answer=speaker.answer,
            intents=list(dict.fromkeys(speaker.intents)),
            sources=[Source.model_validate(source) for source in speaker.heard_sources],
            usage=usage,
            attempts=writer.attempt,
            duration_ms=time.time_ns() // 1_000_000 - self._job.created_at_ms,
            trace_id=propagation.current_trace_id(),
            sample_data=self._shop.is_sample_data,
        )

    async def _end(self, writer: LogWriter, event: str, last: BaseModel, usage: Usage) -> None:
        """Writes usage and the terminal event, and keeps that beyond the log's expiry."""
        data = to_json(last)
        writer.event("usage", to_json(usage))
        await writer.end(event, data)
        answer = KeptAnswer(self._job.owner, self._job.session_id, event, data)
        await keep(self._shop.log, self._job.job_id, answer)


async def keep(log: EventLog, job_id: str, answer: KeptAnswer) -> None:
    """Keeps an answer; a failure costs only what the log itself still tells for an hour."""
    try:
        await log.keep_answer(job_id, answer)
    except LogUnavailable as error:
        _log.warning("the answer of job %s is kept only in its log: %s", job_id, error)


def _broken_off(usage: Usage) -> Usage:
    """What a call that was broken off took in, nobody has told."""
    return usage.model_copy(update={"estimated": True})
