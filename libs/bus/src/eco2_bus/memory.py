"""The same ports inside one process: the embedded default, and the twin of the real ones in tests."""

import asyncio
import contextlib
import time
import uuid
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Sequence
from dataclasses import dataclass, field

from eco2_bus import topology
from eco2_bus.events import INPUT_REQUIRED, TERMINAL_EVENTS, EntryId, LogEntry
from eco2_bus.feed import Tail
from eco2_bus.job import ChatJob
from eco2_bus.log import (
    DEFAULT_TIMES,
    Append,
    Claim,
    JobHead,
    KeptAnswer,
    LogExists,
    LogGone,
    LogSummary,
    LogTimes,
    LogTop,
    TakeOver,
    TakeOverResult,
)
from eco2_bus.queue import QueueFull

DEAD_KEPT = 1_000


@dataclass
class _Log:
    head: JobHead
    entries: list[LogEntry]
    expires_at: float
    tail: Tail = field(default_factory=Tail)
    failures: int = 0
    writer: str = ""
    resume: str = ""
    lease_lost: bool = False
    parked: bytes | None = None

    @property
    def top(self) -> LogEntry:
        return self.entries[-1]

    def owned(self) -> TakeOver:
        attempt = self.top.id.attempt
        first = next(entry for entry in self.entries if entry.id == EntryId(attempt, 1))
        return TakeOver(
            TakeOverResult.OWNED,
            attempt,
            len(self.entries),
            self.failures,
            (first.event, first.data),
            self.writer,
            self.resume,
        )


class MemoryEventLog:
    """Event logs in memory; they last as long as the process."""

    def __init__(
        self, *, times: LogTimes = DEFAULT_TIMES, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._times = times
        self._clock = clock
        self._logs: dict[str, _Log] = {}
        self._answers: dict[str, tuple[float, KeptAnswer]] = {}
        self._cancelled: dict[str, float] = {}
        self._wakes: dict[str, Callable[[], None]] = {}
        self._is_leaving = False

    @property
    def epoch(self) -> int:
        """Always 0: nothing is ever lost behind the writer's back."""
        return 0

    async def create(self, job_id: str, head: JobHead) -> None:
        self._sweep()
        if job_id in self._logs:
            raise LogExists(job_id)
        queued = LogEntry(EntryId(0, 1), "queued", head.queued, head.created_at_ms)
        self._logs[job_id] = _Log(head, [queued], self._clock() + self._times.log.total_seconds())

    async def discard(self, job_id: str) -> None:
        log = self._logs.pop(job_id, None)
        if log is not None:
            log.tail.doubt()

    async def forget(self, job_id: str) -> None:
        await self.discard(job_id)
        self._answers.pop(job_id, None)
        self._cancelled.pop(job_id, None)

    async def take_over(
        self,
        job_id: str,
        claim: Claim,
        *,
        poison_after: int,
        poison: bytes,
        after: EntryId | None = None,
        resume: str = "",
        writer: str = "",
    ) -> TakeOver:
        log = self._find(job_id)
        refused = _refusal(log)
        if log is None or refused is not None:
            return refused or TakeOver(TakeOverResult.GONE)
        last = log.top.id.attempt
        if writer and writer == log.writer:
            # The caller has asked before, and did not hear the reply.
            return log.owned()
        if resume not in ("", log.resume):
            claim = Claim.RESUMED
        if not _is_free(log, claim, after, resume):
            return TakeOver(TakeOverResult.RUNNING, last)
        if claim is Claim.RESUMED and after is not None:
            # Of a log that lost its last entries, what viewers have seen of that attempt stays behind.
            last = max(last, after.attempt)
        if last > 0 and claim is Claim.REDELIVERED and not log.lease_lost:
            log.failures += 1
        if log.failures >= poison_after:
            self._begin_attempt(log, last + 1, "error", poison)
            return TakeOver(TakeOverResult.POISONED, last + 1, failures=log.failures)
        first = ("started", b'{"attempt":%d}' % (last + 1))
        if last > 0 and claim is not Claim.RESUMED:
            reason = b"handed_back" if claim is Claim.HANDED_BACK else b"worker_lost"
            first = ("reset", b'{"attempt":%d,"reason":"%b"}' % (last + 1, reason))
        self._begin_attempt(log, last + 1, *first)
        log.writer, log.resume = writer or log.writer, resume
        return log.owned()

    async def end(
        self, job_id: str, event: str, data: bytes, *, only_if_idle: bool = False, usage: bytes = b""
    ) -> TakeOver:
        log = self._find(job_id)
        refused = _refusal(log)
        if log is None or refused is not None:
            return refused or TakeOver(TakeOverResult.GONE)
        last = log.top.id.attempt
        if only_if_idle and last > 0 and log.top.event != INPUT_REQUIRED:
            return TakeOver(TakeOverResult.RUNNING, last)
        if usage:
            self._begin_attempt(log, last + 1, "usage", usage)
            self._add(log, EntryId(last + 1, 2), event, data)
        else:
            self._begin_attempt(log, last + 1, event, data)
        return TakeOver(TakeOverResult.OWNED, log.top.id.attempt)

    def append(self, write: Append) -> "asyncio.Future[int | LogTop]":
        answer: asyncio.Future[int | LogTop] = asyncio.get_running_loop().create_future()
        log = self._find(write.job_id)
        if log is None:
            answer.set_exception(LogGone(write.job_id))
        elif len(log.entries) != write.expected_length:
            answer.set_result(LogTop(log.top.id, len(log.entries), log.top.ends_job, log.writer))
        else:
            for seq, (event, data) in enumerate(write.entries, write.first_seq):
                self._add(log, EntryId(write.attempt, seq), event, data)
            log.lease_lost = write.lease_lost
            answer.set_result(len(log.entries))
        return answer

    async def confirm_copied(self, job_id: str) -> None:
        return None

    async def summary(self, job_id: str) -> LogSummary:
        log = self._require(job_id)
        return LogSummary(log.head, log.entries[0].id, log.top)

    async def contains(self, job_id: str, entry_id: EntryId) -> bool:
        log = self._find(job_id)
        return log is not None and any(entry.id == entry_id for entry in log.entries)

    def follow(self, job_id: str, after: EntryId) -> AsyncIterator[list[LogEntry]]:
        return self._follow(job_id, after)

    async def _follow(self, job_id: str, after: EntryId) -> AsyncGenerator[list[LogEntry], None]:
        log = self._require(job_id)
        position = sum(entry.id <= after for entry in log.entries)
        while not self._is_leaving:
            version = log.tail.version
            entries = log.entries[position:]
            if entries:
                position += len(entries)
                yield entries
                if entries[-1].ends_job:
                    return
            elif self._find(job_id) is not log:
                raise LogGone(job_id)
            else:
                await log.tail.changed(version)

    def stop_following(self) -> None:
        self._is_leaving = True
        for log in self._logs.values():
            log.tail.wake()

    async def keep_answer(self, job_id: str, answer: KeptAnswer) -> None:
        if self._find(job_id) is not None:
            self._answers[job_id] = (self._clock() + self._times.answer.total_seconds(), answer)

    async def kept_answer(self, job_id: str) -> KeptAnswer | None:
        expires_at, answer = self._answers.get(job_id, (0.0, None))
        return answer if expires_at > self._clock() else None

    async def park_job(self, job_id: str, body: bytes) -> None:
        self._require(job_id).parked = body

    async def parked_job(self, job_id: str) -> bytes | None:
        log = self._find(job_id)
        return log.parked if log is not None else None

    async def request_cancel(self, job_id: str) -> None:
        self._cancelled[job_id] = self._clock() + self._times.log.total_seconds()
        self._wake(job_id)

    def _wake(self, job_id: str) -> None:
        if (wake := self._wakes.get(job_id)) is not None:
            wake()

    async def is_cancel_requested(self, job_id: str) -> bool:
        return self._is_cancelled(job_id)

    def _is_cancelled(self, job_id: str) -> bool:
        return self._cancelled.get(job_id, 0.0) > self._clock()

    @contextlib.contextmanager
    def on_cancel(self, job_id: str, wake: Callable[[], None]) -> Generator[None]:
        self._wakes[job_id] = wake
        if self._is_cancelled(job_id):
            asyncio.get_running_loop().call_soon(self._wake, job_id)
        try:
            yield
        finally:
            self._wakes.pop(job_id, None)

    async def check(self) -> None:
        return None

    async def close(self) -> None:
        self.stop_following()
        for job_id in list(self._logs):
            await self.discard(job_id)

    def _begin_attempt(self, log: _Log, attempt: int, event: str, data: bytes) -> None:
        self._add(log, EntryId(attempt, 1), event, data)
        log.lease_lost = False
        log.writer = uuid.uuid4().hex

    def _add(self, log: _Log, id_: EntryId, event: str, data: bytes) -> None:
        log.entries.append(LogEntry(id_, event, data, time.time_ns() // 1_000_000))
        if event in TERMINAL_EVENTS:
            log.expires_at = self._clock() + self._times.log_after_end.total_seconds()
        log.tail.wake()

    def _find(self, job_id: str) -> _Log | None:
        log = self._logs.get(job_id)
        return log if log is not None and log.expires_at > self._clock() else None

    def _require(self, job_id: str) -> _Log:
        log = self._find(job_id)
        if log is None:
            raise LogGone(job_id)
        return log

    def _sweep(self) -> None:
        now = self._clock()
        for job_id in [job_id for job_id, log in self._logs.items() if log.expires_at <= now]:
            self._logs.pop(job_id).tail.doubt()
        for job_id in [job_id for job_id, (expires_at, _) in self._answers.items() if expires_at <= now]:
            del self._answers[job_id]
        for job_id in [job_id for job_id, expires_at in self._cancelled.items() if expires_at <= now]:
            del self._cancelled[job_id]


def _refusal(log: _Log | None) -> TakeOver | None:
    if log is None:
        return TakeOver(TakeOverResult.GONE)
    if log.top.ends_job:
        return TakeOver(TakeOverResult.ENDED)
    return None


def _is_free(log: _Log, claim: Claim, after: EntryId | None, resume: str) -> bool:
    if claim is Claim.FRESH:
        return log.top.id.attempt == 0
    if claim is Claim.RESUMED:
        # Before that entry is a log that lost it: nobody is past it, and nobody else will come.
        waits = log.top.event == INPUT_REQUIRED and log.top.id == after
        return after is not None and (waits or log.top.id < after)
    # A message from before a wait does not take the job from the one that goes on after it.
    return log.resume == resume


@dataclass(eq=False)
class _Message:
    job_id: str
    body: bytes
    headers: dict[str, str]
    queue: str = topology.JOBS
    deliveries: int = 0
    handed_back: bool = False
    postponed: int = 0


class MemoryDelivery:
    """A message on loan; unsettled after the visibility timeout, it goes to somebody else."""

    def __init__(self, queue: "MemoryJobQueue", message: _Message) -> None:
        self._owner = queue
        self._message = message
        self.job_id = message.job_id
        self.body = message.body
        self.headers = message.headers
        self.queue = message.queue
        self.deliveries = message.deliveries
        self.is_redelivered = message.deliveries > 1
        self.is_handed_back = message.handed_back
        self.postponed = message.postponed
        self.has_lease = True

    async def ack(self) -> None:
        self._owner.settle(self)

    async def retry(self) -> None:
        if self._owner.settle(self):
            self._owner.put(self._message)

    async def dead_letter(self, reason: str) -> None:
        if self._owner.settle(self):
            self._owner.dead.append((reason, self._message.body))

    async def hand_back(self) -> None:
        if self._owner.settle(self):
            self._owner.put(_Message(self.job_id, self.body, self.headers, handed_back=True))

    async def postpone(self) -> None:
        if self._owner.settle(self):
            is_begun = self.is_handed_back or self.is_redelivered
            self._owner.put_later(
                _Message(
                    self.job_id,
                    self.body,
                    self.headers,
                    handed_back=is_begun,
                    postponed=self.postponed + 1,
                )
            )


class MemoryJobQueue:
    """The JobQueue port in memory; `dead` holds the dead letters with their reasons."""

    def __init__(
        self,
        *,
        max_length: int = 10_000,
        waiting_s: float = topology.WAITING_S,
        later_s: float = topology.LATER_S,
        visibility_timeout_s: float = 600.0,
    ) -> None:
        self.dead: deque[tuple[str, bytes]] = deque(maxlen=DEAD_KEPT)
        self._max_length = max_length
        self._waiting_s = waiting_s
        self._later_s = later_s
        self._visibility_timeout_s = visibility_timeout_s
        self._parked: dict[_Message, asyncio.TimerHandle] = {}
        self._ready: dict[str, deque[_Message]] = {lane: deque() for lane in topology.LANES}
        self._lent: dict[MemoryDelivery, tuple[_Message, asyncio.TimerHandle]] = {}
        self._changed = asyncio.Event()
        self._consumers = 0
        self._is_closed = False

    async def publish(self, job: ChatJob, headers: dict[str, str], queue: str = topology.JOBS) -> None:
        if len(self._ready[queue]) >= self._max_length:
            raise QueueFull("the queue is full")
        self.put(_Message(job.job_id, job.to_body(), dict(headers), queue))

    async def park(self, job: ChatJob, headers: dict[str, str]) -> None:
        if len(self._parked) >= topology.WAITING_MAX_LENGTH:
            raise QueueFull("too many jobs wait for their users")
        self._put_away(_Message(job.job_id, job.to_body(), dict(headers)), self._waiting_s)

    def put_later(self, message: _Message) -> None:
        """Queues a message after a while."""
        self._put_away(message, self._later_s)

    def _put_away(self, message: _Message, for_s: float) -> None:
        loop = asyncio.get_running_loop()
        self._parked[message] = loop.call_later(for_s, self._come_back, message)

    def _come_back(self, message: _Message) -> None:
        del self._parked[message]
        self.put(message)

    def consume(self, prefetch: int) -> AsyncGenerator[MemoryDelivery, None]:
        return self._consume(prefetch)

    async def _consume(self, prefetch: int) -> AsyncGenerator[MemoryDelivery, None]:
        mine: dict[str, set[MemoryDelivery]] = {lane: set() for lane in topology.LANES}
        self._consumers += 1
        try:
            while not self._is_closed:
                for lent in mine.values():
                    lent.intersection_update(self._lent)
                main, burst = len(mine[topology.JOBS]), len(mine[topology.BURST])
                lane = self._lane_to_take(
                    {
                        topology.JOBS: main < prefetch,
                        topology.BURST: burst < topology.burst_room(prefetch, main),
                    }
                )
                if lane is not None:
                    delivery = self._lend(lane)
                    mine[lane].add(delivery)
                    yield delivery
                else:
                    self._changed.clear()
                    await self._changed.wait()
        finally:
            self._consumers -= 1

    def _lane_to_take(self, has_room: dict[str, bool]) -> str | None:
        return next((lane for lane, waiting in self._ready.items() if waiting and has_room[lane]), None)

    def _lend(self, lane: str) -> MemoryDelivery:
        message = self._ready[lane].popleft()
        message.deliveries += 1
        delivery = MemoryDelivery(self, message)
        loop = asyncio.get_running_loop()
        self._lent[delivery] = message, loop.call_later(self._visibility_timeout_s, self._take_back, delivery)
        return delivery

    def _take_back(self, delivery: MemoryDelivery) -> None:
        message, _ = self._lent.pop(delivery)
        delivery.has_lease = False
        self.put(message)

    def settle(self, delivery: MemoryDelivery) -> bool:
        """Takes a delivery off loan; False when it was settled before."""
        self._changed.set()
        delivery.has_lease = False
        lent = self._lent.pop(delivery, None)
        if lent is not None:
            # A pending timer would keep the body, up to 5 MB of picture, until it fires.
            lent[1].cancel()
        return lent is not None

    def put(self, message: _Message) -> None:
        """Queues a message and wakes the consumers."""
        self._ready[message.queue].append(message)
        self._changed.set()

    async def depth(self, queues: Sequence[str] = topology.LANES) -> int:
        return sum(len(self._ready[queue]) for queue in queues)

    async def consumers(self, queue: str) -> int:
        return self._consumers if queue in self._ready else 0

    async def check(self) -> None:
        return None

    async def close(self) -> None:
        self._is_closed = True
        for _, timer in self._lent.values():
            timer.cancel()
        for timer in self._parked.values():
            timer.cancel()
        self._parked.clear()
        for waiting in self._ready.values():
            waiting.clear()
        self._changed.set()
