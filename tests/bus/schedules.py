"""Arbitrary lives of a job: what its workers do, and when viewers come, leave and resume."""

import asyncio
import contextlib
import itertools
from dataclasses import dataclass, field
from typing import Any

import orjson
from eco2_bus.events import START, EntryId, LogEntry
from eco2_bus.log import Claim, EventLog, Fenced
from eco2_bus.writer import LogWriter, WriteBeat
from hypothesis import strategies as st

from tests.bus.worlds import begin, content, own, read_all, text_of, wait_for_input

_TEXT = st.text(min_size=1, max_size=5)
_CUTS = st.lists(st.integers(0, 6), max_size=4)
_STEP = st.one_of(
    st.tuples(st.just("token"), _TEXT),
    st.tuples(st.just("token"), _TEXT),
    st.tuples(st.just("event"), st.sampled_from(["stage", "sources", "usage"])),
    st.tuples(st.just("flush"), st.none()),
    st.tuples(st.just("pause"), st.integers(0, 12)),
    st.tuples(st.just("take over"), st.sampled_from([Claim.REDELIVERED, Claim.HANDED_BACK])),
    st.tuples(st.just("wait"), st.none()),
    st.tuples(st.just("zombie"), _TEXT),
    st.tuples(st.just("zombie ends"), st.none()),
    st.tuples(st.just("join"), _CUTS),
)
SCHEDULES = st.lists(_STEP, max_size=30)


@dataclass
class Viewer:
    """Reads a job to its end over any number of connections; `cuts` says how long each of them lasts."""

    job_id: str
    cuts: list[int]
    seen: list[LogEntry] = field(default_factory=list)

    async def watch(self, log: EventLog) -> list[LogEntry]:
        for entries_left in itertools.chain(self.cuts, [None]):
            await self._connect(log, entries_left)
        return self.seen

    async def _connect(self, log: EventLog, entries_left: int | None) -> None:
        after = self.seen[-1].id if self.seen else START
        if self.seen and self.seen[-1].ends_job:
            return
        if entries_left == 0:
            return
        batches: Any = log.follow(self.job_id, after)
        async with contextlib.aclosing(batches):
            async for batch in batches:
                received = batch[:entries_left]
                self.seen += received
                if entries_left is not None:
                    entries_left -= len(received)
                    if entries_left == 0:
                        return


class Job:
    """A job with its workers, living and given up, and what the living one has said."""

    def __init__(self, log: EventLog, viewers_log: EventLog, job_id: str, first: LogWriter) -> None:
        self._log = log
        self._viewers_log = viewers_log
        self.job_id = job_id
        self.zombies: list[LogWriter] = []
        self.worker = first
        self.answer = ""
        self.said: list[str] = []
        self.viewers: list[asyncio.Task[list[LogEntry]]] = []
        self.ends: list[asyncio.Task[None]] = []

    async def do(self, step: str, detail: Any) -> None:
        match step:
            case "token":
                self.worker.token(detail)
                self.answer += detail
            case "event":
                self.worker.event(detail, b"{}")
                self.said.append(detail)
            case "flush":
                await self.worker.flush()
            case "pause":
                await asyncio.sleep(detail / 1_000)
            case "take over":
                self.zombies.append(self.worker)
                self.worker = await own(self._log, self.job_id, detail, beat=self.worker._beat)
                self.answer, self.said = "", []
            case "wait":
                after = await wait_for_input(self.worker)
                self.zombies.append(self.worker)
                self.worker = await own(
                    self._log, self.job_id, Claim.RESUMED, after=after, beat=self.worker._beat
                )
                self.said = []
            case "zombie" if self.zombies:
                self.zombies[-1].token(detail)
            case "zombie ends" if self.zombies:
                self.ends.append(asyncio.create_task(self.zombies[-1].end("done", b'{"answer":"zombie"}')))
            case "join":
                self.join(detail)

    def join(self, cuts: list[int]) -> None:
        viewer = Viewer(self.job_id, cuts)
        self.viewers.append(asyncio.create_task(viewer.watch(self._viewers_log)))

    async def end(self) -> None:
        await self.worker.end("done", orjson.dumps({"answer": self.answer}))
        outcomes = await asyncio.gather(*self.ends, return_exceptions=True)
        assert all(isinstance(outcome, Fenced) for outcome in outcomes)


async def play(log: EventLog, viewers_log: EventLog, schedule: list[tuple[str, Any]]) -> None:
    """Plays a schedule and checks what every viewer has seen."""
    async with asyncio.timeout(60):
        job_id = await begin(log)
        job = Job(log, viewers_log, job_id, await own(log, job_id, beat=WriteBeat()))
        job.join([1, 1, 1])
        for step, detail in schedule:
            await job.do(step, detail)
        await job.end()
        job.join([])
        job.join([2, 3])
        whole = await read_all(log, job_id)
        _assert_tells(job, whole)
        for viewer in job.viewers:
            assert content(await viewer) == content(whole)


def _assert_tells(job: Job, whole: list[LogEntry]) -> None:
    seen_ids = [entry.id for entry in whole]
    assert seen_ids == sorted(set(seen_ids))
    assert seen_ids[0] == EntryId(0, 1)
    assert [entry.ends_job for entry in whole].count(True) == 1
    assert whole[-1].json() == {"answer": job.answer}
    assert text_of(whole) == job.answer
    last_attempt = [entry for entry in whole if entry.id.attempt == job.worker.attempt]
    assert [entry.id.seq for entry in last_attempt] == list(range(1, len(last_attempt) + 1))
    assert [entry.event for entry in last_attempt[1:-1] if entry.event != "token"] == job.said
