"""The two stores behind the EventLog port, and the small verbs that the tests are written in."""

import asyncio
import contextlib
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any, Protocol, TypeVar, cast

import redis
from eco2_bus.events import INPUT_REQUIRED, START, EntryId, InputRequired, LogEntry, to_json
from eco2_bus.log import Claim, EventLog, JobHead, LogTimes, TakeOver, TakeOverResult
from eco2_bus.memory import MemoryEventLog
from eco2_bus.redis_streams import RedisEventLog, log_key
from eco2_bus.writer import LogWriter, WriteBeat
from eco2_devservers import RedisServer

T = TypeVar("T")

TIMES = LogTimes(log=timedelta(hours=2), log_after_end=timedelta(minutes=10), answer=timedelta(hours=3))
HEAD = JobHead(
    owner="user-1",
    session_id="session-1",
    traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    queued=b'{"status":"queued"}',
    created_at_ms=1_700_000_000_123,
)
POISON = b'{"title":"poisoned"}'
ASKED = to_json(InputRequired(kind="location", message="어느 지역이에요?", expires_in_s=120))


class World(Protocol):
    """One store, and what only its operator can see or do."""

    log: EventLog

    def another_process(self) -> EventLog:
        """The same store, seen by somebody else."""
        ...

    def left_s(self, job_id: str) -> float:
        """Seconds until the log expires."""
        ...

    def answer_left_s(self, job_id: str) -> float:
        """Seconds until the kept answer expires."""
        ...

    def parked_left_s(self, job_id: str) -> float:
        """Seconds until the kept message of a waiting job expires."""
        ...

    def kept_of(self, job_id: str) -> list[str]:
        """Names of everything in the store that belongs to a job."""
        ...

    async def expire(self, job_id: str) -> None:
        """Brings the end of everything that is kept of a job."""
        ...

    def shorten(self, job_id: str, entries: int) -> None:
        """Leaves only the first entries of a log, as a failover to a late replica does."""
        ...


class MemoryWorld:
    def __init__(self) -> None:
        self.now = 1_000.0
        self.log = MemoryEventLog(times=TIMES, clock=lambda: self.now)

    def another_process(self) -> MemoryEventLog:
        return self.log

    def left_s(self, job_id: str) -> float:
        return self.log._logs[job_id].expires_at - self.now

    def answer_left_s(self, job_id: str) -> float:
        return self.log._answers[job_id][0] - self.now

    def parked_left_s(self, job_id: str) -> float:
        assert self.log._logs[job_id].parked is not None
        return self.left_s(job_id)

    def kept_of(self, job_id: str) -> list[str]:
        kept = [
            name
            for name, there in vars(self.log).items()
            if isinstance(there, dict) and job_id in cast("dict[str, object]", there)
        ]
        log = self.log._logs.get(job_id)
        return kept if log is None or log.parked is None else [*kept, "parked"]

    async def expire(self, job_id: str) -> None:
        self.now += 86_400
        await self.log.create(new_job_id(), HEAD)

    def shorten(self, job_id: str, entries: int) -> None:
        del self.log._logs[job_id].entries[entries:]

    async def close(self) -> None:
        await self.log.close()


class RedisWorld:
    def __init__(self, server: RedisServer) -> None:
        self._server = server
        self._logs: list[RedisEventLog] = []
        self.admin = redis.Redis(port=server.port)
        self.log = self.another_process()

    def another_process(self) -> RedisEventLog:
        log = RedisEventLog(self._server.url, times=TIMES)
        self._logs.append(log)
        return log

    def left_s(self, job_id: str) -> float:
        return self.admin.pttl(log_key(job_id)) / 1000

    def answer_left_s(self, job_id: str) -> float:
        return self.admin.pttl(f"chat:{job_id}:answer") / 1000

    def parked_left_s(self, job_id: str) -> float:
        return self.admin.pttl(f"chat:{job_id}:parked") / 1000

    def kept_of(self, job_id: str) -> list[str]:
        return [key.decode() for key in self.admin.scan_iter(f"*{job_id}*")]

    async def expire(self, job_id: str) -> None:
        for key in self.admin.keys(f"chat:{job_id}:*"):
            self.admin.expire(key, 0)

    def shorten(self, job_id: str, entries: int) -> None:
        kept = self.admin.xrange(log_key(job_id), count=entries)
        self.admin.delete(log_key(job_id))
        for id_, fields in kept:
            self.admin.xadd(log_key(job_id), fields, id=id_)

    async def close(self) -> None:
        for log in self._logs:
            await log.close()
        self.admin.close()


def new_job_id() -> str:
    return uuid.uuid4().hex


async def eventually(condition: Callable[[], object], within_s: float = 30.0) -> None:
    """Waits until a condition holds."""
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true"
        await asyncio.sleep(0.005)


async def in_time(work: Awaitable[T], within_s: float = 30.0) -> T:
    """The result of something that must not hang."""
    return await asyncio.wait_for(work, within_s)


async def begin(log: EventLog) -> str:
    """Creates a log and gives its job id."""
    job_id = new_job_id()
    await log.create(job_id, HEAD)
    return job_id


async def take_over(
    log: EventLog,
    job_id: str,
    claim: Claim = Claim.FRESH,
    poison_after: int = 3,
    after: EntryId | None = None,
) -> TakeOver:
    return await log.take_over(job_id, claim, poison_after=poison_after, poison=POISON, after=after)


async def own(
    log: EventLog,
    job_id: str,
    claim: Claim = Claim.FRESH,
    *,
    beat: WriteBeat | None = None,
    poison_after: int = 1_000,
    after: EntryId | None = None,
    **options: Any,
) -> LogWriter:
    """Takes the job over and gives its writer."""
    taken = await take_over(log, job_id, claim, poison_after, after)
    assert taken.result is TakeOverResult.OWNED
    return LogWriter(
        log,
        beat or WriteBeat(),
        job_id,
        taken=taken,
        **options,
    )


async def wait_for_input(writer: LogWriter) -> EntryId:
    """Has the job wait for its user, and gives the entry that says so."""
    writer.event(INPUT_REQUIRED, ASKED)
    await writer.flush()
    return writer.last_id


async def read_until(
    log: EventLog, job_id: str, is_enough: Callable[[LogEntry], bool], after: EntryId = START
) -> list[LogEntry]:
    """What a viewer gets until an entry that it waited for, or until the end of the log."""
    seen: list[LogEntry] = []
    async with asyncio.timeout(30):
        async with contextlib.aclosing(log.follow(job_id, after)) as batches:  # type: ignore[type-var]
            async for batch in batches:
                seen += batch
                if any(is_enough(entry) for entry in batch):
                    break
    return seen


async def read_all(log: EventLog, job_id: str, after: EntryId = START) -> list[LogEntry]:
    """What a viewer gets from after an id to the terminal entry."""
    return await read_until(log, job_id, lambda _: False, after)


async def so_far(log: EventLog, job_id: str, last: str) -> list[LogEntry]:
    """The log up to an entry that must come."""
    return await read_until(log, job_id, lambda entry: str(entry.id) == last)


def ids(entries: Sequence[LogEntry]) -> list[str]:
    return [str(entry.id) for entry in entries]


def events(entries: Sequence[LogEntry]) -> list[str]:
    return [entry.event for entry in entries]


def text_of(entries: Sequence[LogEntry]) -> str:
    """The text after the last reset, concatenated: what a viewer shows as the answer."""
    text: list[str] = []
    for entry in entries:
        if entry.event == "reset":
            text.clear()
        elif entry.event == "token":
            text.append(entry.json()["text"])
    return "".join(text)


def content(entries: Sequence[LogEntry]) -> list[tuple[EntryId, str, bytes]]:
    return [(entry.id, entry.event, entry.data) for entry in entries]
