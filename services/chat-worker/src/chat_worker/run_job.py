"""Runs one attempt at one job: from taking it over to its terminal event."""

import asyncio
import contextlib
import logging
import time
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

from eco2_bus.events import Ended, Source, Usage, to_json
from eco2_bus.job import ChatJob, Resume
from eco2_bus.log import EventLog, Fenced, LogGone, LogUnavailable
from eco2_bus.writer import LogWriter
from eco2_telemetry import propagation
from eco2_telemetry.spans import span_of
from langgraph.types import Command
from opentelemetry.trace import StatusCode, Tracer
from pydantic import BaseModel

from chat_worker.archive import Archive
from chat_worker.budget import Budget
from chat_worker.errors import AnswerError, DeadlineExceeded
from chat_worker.graph.build import ChatGraph
from chat_worker.graph.memory import trim
from chat_worker.graph.state import ChatState, TurnContext
from chat_worker.metrics.stream import StreamMetrics, StreamMetricsTracker
from chat_worker.ports import MetricsPort, Tools
from chat_worker.ports.memory import Memory
from chat_worker.ports.telemetry import NoOpTelemetryConfig, TelemetryConfigPort
from chat_worker.speaker import Speaker

_log = logging.getLogger(__name__)


SAVE_PROGRESS_S = 2.0


class HandedBack(Exception):
    """The worker is leaving and the job goes on elsewhere."""


class WaitsForInput(Exception):
    """The graph waits for its user; the run is over, and its job goes on when the input comes."""

    def __init__(self, wish: dict[str, str]) -> None:
        super().__init__(wish["kind"])
        self.wish = wish


_PASSED_ON = (HandedBack, WaitsForInput, Fenced, LogGone)
"""The job goes on elsewhere, or has ended there: no failure of the attempt."""


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
    memory: Memory
    tools: Tools
    log: EventLog
    archive: Archive
    tracer: Tracer
    job_deadline_s: float
    answer_max_chars: int
    job_max_tokens: int
    is_sample_data: bool
    stream_metrics: StreamMetrics
    metrics: MetricsPort
    provider: str
    telemetry: TelemetryConfigPort = field(default_factory=NoOpTelemetryConfig)


class JobRun:
    """One attempt. `run` returns once the terminal event is in the log."""

    def __init__(self, job: ChatJob, workshop: Workshop) -> None:
        self._job = job
        self._shop = workshop
        self._stop: Stop | None = None
        self._lost: Exception | None = None
        self._answering: asyncio.Task[None] | None = None
        self._budget = Budget(workshop.job_max_tokens)
        self.tracker = StreamMetricsTracker(workshop.stream_metrics, passed_on=_PASSED_ON)

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
        """Answers the job.

        Raises Fenced, LogGone, HandedBack or WaitsForInput, or what made the attempt fail.
        """
        speaker = Speaker(writer, self.tracker, answer_max_chars=self._shop.answer_max_chars)
        log = self._shop.log
        about = {"job_id": self._job.job_id, "attempt": writer.attempt}
        with (
            span_of(self._shop.tracer, "process_chat", attributes=about, no_failures=_PASSED_ON) as span,
            log.on_cancel(self._job.job_id, lambda: self.stop(Stop.CANCELLED)),
            self.tracker,
        ):
            # Looked at beside the work: one that comes before this is rare, and a round trip is not.
            looking = asyncio.create_task(self._look_for_cancel())
            try:
                await self._answer_within_deadline(writer, speaker)
                await self._finish(writer, speaker)
            except AnswerError as error:
                _log.warning("ended with %s: %s", error.code, error)
                span.set_status(StatusCode.ERROR)
                span.set_attribute("error.type", error.code)
                problem = error.problem(propagation.current_trace_id())
                await self._end(writer, "error", problem, _broken_off(speaker.usage))
                self._count(speaker, "error")
                self._shop.metrics.track_error(_first(speaker.intents), error.code)
                self.tracker.finish("error")
            finally:
                looking.cancel()

    async def _look_for_cancel(self) -> None:
        # The announcement, and the look at the flag every second, come all the same.
        with contextlib.suppress(LogUnavailable):
            if await self._shop.log.is_cancel_requested(self._job.job_id):
                self.stop(Stop.CANCELLED)

    async def _answer_within_deadline(self, writer: LogWriter, speaker: Speaker) -> None:
        if self._stop is not None:
            return
        answering = self._answer(writer, speaker)
        self._answering = asyncio.create_task(answering, name=f"graph:{self._job.job_id}")
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

    async def _answer(self, writer: LogWriter, speaker: Speaker) -> None:
        shop = self._shop
        tools = self._budget.holds(shop.tools)
        context = TurnContext(speaker, tools, shop.tracer, trim, shop.metrics)
        config: Any = shop.telemetry.get_run_config(
            self._job.job_id, self._job.session_id, self._job.owner, metadata={"attempt": writer.attempt}
        )
        graph: Any = shop.graph
        # Before anything is saved the log confirms that this attempt still owns the job: a worker that was
        # overtaken must not write over a newer memory.
        shop.memory.begin(self._job.session_id, writer.confirm_owner)
        try:
            entering = await self._entrance(graph, config, writer.attempt, speaker)
            with span_of(shop.tracer, "graph chat"):
                result = await graph.ainvoke(entering, config, context=context, durability="async")
                if result.get("__interrupt__") and (resume := self._job.resume) is not None:
                    # The session has lost what it knew of the wait; nobody is asked twice.
                    config.pop("run_id", None)
                    result = await graph.ainvoke(_given(resume), config, context=context, durability="async")
        except BaseException:
            await self._save_progress()
            raise
        await shop.memory.end(self._job.session_id)
        if waiting := result.get("__interrupt__"):
            raise WaitsForInput(waiting[0].value)

    async def _entrance(self, graph: Any, config: Any, attempt: int, speaker: Speaker) -> Any:
        """Where the graph is entered: at its start, or where an earlier attempt has left it."""
        if attempt > 1:
            left = await graph.aget_state(config)
            if left.next and left.values.get("job_id") == self._job.job_id:
                speaker.learned({"intents": left.values["intents"], "usage": left.values["usage"]})
                self._budget.spend(left.values["usage"])
                if (resume := self._job.resume) is not None and left.interrupts:
                    return _given(resume)
                return None
        return self._beginning()

    def _beginning(self) -> ChatState:
        job = self._job
        return {
            "job_id": job.job_id,
            "question": job.message,
            "owner": job.owner,
            "session_id": job.session_id,
            "image_url": job.image_url,
            "location": {"latitude": job.location.latitude, "longitude": job.location.longitude}
            if job.location
            else None,
            "sighting": None,
            "answer": "",
            "intents": [],
            "findings": None,  # pyright: ignore[reportReturnType]
            "usage": None,  # pyright: ignore[reportReturnType]
        }

    async def _save_progress(self) -> None:
        """What finished nodes have brought is worth keeping for the next attempt, if there may be one."""
        session_id = self._job.session_id
        if self._stop in (None, Stop.LEAVING):
            try:
                async with asyncio.timeout(SAVE_PROGRESS_S):
                    await self._shop.memory.end(session_id)
            except Exception as error:
                _log.warning("what was found is not saved for the next attempt: %s", type(error).__name__)
        self._shop.memory.forget(session_id)

    async def _finish(self, writer: LogWriter, speaker: Speaker) -> None:
        match self._stop:
            case None:
                usage = speaker.usage
                await self._end(writer, "done", self._ended(writer, speaker, usage), usage)
                status = "recovered" if writer.attempt > 1 and self._job.resume is None else "success"
                self._count(speaker, "success")
                self.tracker.finish(status)
            case Stop.CANCELLED:
                usage = _broken_off(speaker.usage)
                await self._end(writer, "cancelled", self._ended(writer, speaker, usage), usage)
                self._count(speaker, "cancelled")
                self.tracker.finish("cancelled")
            case Stop.DEADLINE:
                raise DeadlineExceeded
            case Stop.LEAVING:
                await writer.confirm()
                raise HandedBack
            case Stop.LOST:
                assert self._lost is not None
                raise self._lost

    def _ended(self, writer: LogWriter, speaker: Speaker, usage: Usage) -> Ended:
        return Ended(
            answer=speaker.answer,
            finish_reason=speaker.finish_reason,
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
        self._shop.stream_metrics.used(usage.model, usage.input_tokens, usage.output_tokens)
        await self._shop.archive.keep(self._job, event, data)

    def _count(self, speaker: Speaker, status: str) -> None:
        duration_s = time.time() - self._job.created_at_ms / 1000
        self._shop.metrics.track_request(_first(speaker.intents), status, self._shop.provider, duration_s)


def _given(resume: Resume) -> Any:
    """What a graph that waits goes on with."""
    where = resume.location
    return Command(resume={"location": where.model_dump() if where else None})


def _first(intents: list[str]) -> str:
    """What a request counts as when it asks for several things; `none` when it was never understood."""
    return intents[0] if intents else "none"


def _broken_off(usage: Usage) -> Usage:
    """What a call that was broken off took in, nobody has told."""
    return usage.model_copy(update={"estimated": True})
