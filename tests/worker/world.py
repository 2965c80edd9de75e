"""A worker over the ports in memory, the verbs that drive it, and the story that a job's log tells."""

import asyncio
import contextlib
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Self

import orjson
from chat_worker.adapters.session_memory import SessionMemory
from chat_worker.archive import Archive
from chat_worker.consumer import Consumer
from chat_worker.graph.build import build_graph
from chat_worker.metrics.requests import PrometheusMetricsAdapter
from chat_worker.metrics.stream import StreamMetrics
from chat_worker.ports import ChatModel, Tools
from chat_worker.run_job import Workshop
from eco2_bus.events import INPUT_REQUIRED, START, LogEntry
from eco2_bus.job import ChatJob, Location, Resume
from eco2_bus.log import JobHead, TakeOverResult
from eco2_history import TurnStore
from langgraph.checkpoint.memory import InMemorySaver
from opentelemetry.trace import NoOpTracer
from prometheus_client import CollectorRegistry

from tests.worker.fakes import FakeGuide, FakeModel, SpyLog, SpyQueue

WAIT_S = 10.0


@dataclass(frozen=True)
class Story:
    """What the log of one job tells, held to the rules that every log keeps."""

    entries: list[LogEntry]

    def __post_init__(self) -> None:
        ids = [entry.id for entry in self.entries]
        assert ids == sorted(set(ids))
        assert [entry.ends_job for entry in self.entries] == [False] * (len(ids) - 1) + [True]
        assert self.names[0] == "queued"
        if self.end in ("done", "cancelled"):
            assert self.text == self.ended["answer"]

    @property
    def names(self) -> list[str]:
        return [entry.event for entry in self.entries]

    @property
    def end(self) -> str:
        return self.entries[-1].event

    @property
    def ended(self) -> dict[str, Any]:
        """The data of the terminal event."""
        return self.entries[-1].json()

    @property
    def text(self) -> str:
        """The answer text after the last reset."""
        text = ""
        for entry in self.entries:
            if entry.event == "reset":
                text = ""
            elif entry.event == "token":
                text += entry.json()["text"]
        return text

    def all(self, event: str) -> list[Any]:
        """The data of every event of this name."""
        return [entry.json() for entry in self.entries if entry.event == event]

    def stages(self, *statuses: str) -> list[tuple[str, str]]:
        """Nodes with their statuses, in order; of these statuses, or all."""
        told = [(stage["node"], stage["status"]) for stage in self.all("stage")]
        return [(node, status) for node, status in told if not statuses or status in statuses]


class World:
    """One worker; give another one the same log, queue and memory to have two."""

    def __init__(
        self,
        *,
        beside: "World | None" = None,
        model: ChatModel | None = None,
        log: SpyLog | None = None,
        queue: SpyQueue | None = None,
        concurrency: int = 64,
        poison_after: int = 3,
        max_age_s: float = 300,
        job_deadline_s: float = 30,
        answer_max_chars: int = 20_000,
        job_max_tokens: int = 0,
        tools: Tools | None = None,
        save_after_s: float = 0.4,
        store: Any = None,
        turns: Any = None,
    ) -> None:
        steps: list[str] = []
        self.model = FakeModel()
        self.guide = FakeGuide()
        self.log = log or (beside.log if beside else SpyLog(steps))
        self.queue = queue or (beside.queue if beside else SpyQueue(steps))
        self.store: Any = store or (beside.store if beside else InMemorySaver())
        self.turns: Any = turns or (beside.turns if beside else TurnStore("memory:"))
        self._owns_turns = beside is None
        self.memory = SessionMemory(self.store, delay_s=save_after_s)
        self.registry = CollectorRegistry()
        self.tools = replace(tools or Tools(model=self.model, guide=self.guide), model=model or self.model)
        workshop = Workshop(
            graph=build_graph(self.memory),
            memory=self.memory,
            tools=self.tools,
            log=self.log,
            archive=Archive(self.log, self.turns),
            tracer=NoOpTracer(),
            job_deadline_s=job_deadline_s,
            answer_max_chars=answer_max_chars,
            job_max_tokens=job_max_tokens,
            is_sample_data=True,
            stream_metrics=StreamMetrics(self.registry, provider="fake"),
            metrics=PrometheusMetricsAdapter(self.registry, provider="fake"),
            provider="fake",
        )
        self.consumer = Consumer(
            self.queue,
            workshop,
            concurrency=concurrency,
            poison_after=poison_after,
            max_age_s=max_age_s,
            messaging_system="memory",
        )
        self._consuming: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._consuming = asyncio.create_task(self.consumer.consume())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.leave(0)
        if self._owns_turns:
            await self.turns.close()

    async def leave(self, drain_s: float) -> None:
        """As at SIGTERM."""
        await self.stop_consuming()
        await self.consumer.drain(drain_s)

    async def stop_consuming(self) -> None:
        """Takes no more jobs; those under way go on."""
        if self._consuming is not None:
            self._consuming.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._consuming
            self._consuming = None

    async def ask(self, message: str = "페트병 어떻게 버려?", session: str = "s1", **more: Any) -> str:
        """Submits a question as chat-api does."""
        job = await self.create(message, session, **more)
        await self.queue.publish(job, {})
        return job.job_id

    async def create(self, message: str = "페트병 어떻게 버려?", session: str = "s1", **more: Any) -> ChatJob:
        """A job with its log, not yet published; `more` are fields of the job."""
        now_ms = time.time_ns() // 1_000_000
        job = ChatJob(
            job_id=uuid.uuid4().hex,
            session_id=session,
            owner="someone",
            message=message,
            created_at_ms=now_ms,
            **more,
        )
        head = JobHead("someone", session, "", b'{"status":"queued"}', now_ms)
        await self.log.create(job.job_id, head)
        return job

    async def cancel(self, job_id: str) -> None:
        """Cancels as chat-api does."""
        data = orjson.dumps({"answer": "", "attempts": 0})
        taken = await self.log.end(job_id, "cancelled", data, only_if_idle=True)
        if taken.result is TakeOverResult.RUNNING:
            await self.log.request_cancel(job_id)

    async def story(self, job_id: str) -> Story:
        """The whole log, once it has ended."""
        entries: list[LogEntry] = []
        async with asyncio.timeout(WAIT_S):
            async for some in self.log.follow(job_id, START):
                entries += some
        return Story(entries)

    async def answer(self, message: str = "페트병 어떻게 버려?", session: str = "s1", **more: Any) -> Story:
        """Asks, and waits for the end."""
        return await self.story(await self.ask(message, session, **more))

    async def input_wanted(self, job_id: str) -> LogEntry:
        """The entry at which a job waits for its user, once nobody has the job any more."""
        async with asyncio.timeout(WAIT_S):
            while (last := (await self.log.summary(job_id)).last).event != INPUT_REQUIRED:  # noqa: ASYNC110
                await asyncio.sleep(0.002)
        await self.settled()
        return last

    async def give(self, job_id: str, location: Location | None) -> None:
        """Answers a job that waits, as chat-api does."""
        last = (await self.log.summary(job_id)).last
        body = await self.log.parked_job(job_id)
        assert body is not None
        answered = Resume(after=str(last.id), location=location)
        await self.queue.publish(ChatJob.from_body(body).model_copy(update={"resume": answered}), {})

    async def shown(self, job_id: str) -> list[LogEntry]:
        """The log so far."""
        last = (await self.log.summary(job_id)).last.id
        entries: list[LogEntry] = []
        async for some in self.log.follow(job_id, START):
            entries += some
            if entries[-1].id >= last:
                break
        return entries

    async def settled(self) -> None:
        """Waits until nothing is queued or on loan."""
        await until(lambda: not self.queue.on_loan and not self.queue.waiting)


async def until(holds: Callable[[], object]) -> None:
    """Waits for a condition."""
    async with asyncio.timeout(WAIT_S):
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0.002)
