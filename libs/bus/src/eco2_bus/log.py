"""The event log of a job: one writer at a time, any number of readers, each entry exactly once."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import NamedTuple, Protocol

from eco2_bus.events import EntryId, LogEntry


class LogUnavailable(Exception):
    """The log's store cannot be reached now; whether a write took effect is unknown."""


class LogGone(Exception):
    """There is no log: never created, expired or deleted."""


class LogExists(Exception):
    """A log of this job id is there already."""


class Fenced(Exception):
    """A newer attempt owns the job, or it has ended: stop, and write nothing."""


@dataclass(frozen=True, slots=True)
class LogTimes:
    """How long things are kept."""

    log: timedelta = timedelta(hours=24)
    log_after_end: timedelta = timedelta(hours=1)
    answer: timedelta = timedelta(hours=24)


DEFAULT_TIMES = LogTimes()


@dataclass(frozen=True, slots=True)
class JobHead:
    """What the first entry of a log says of its job."""

    owner: str
    session_id: str
    traceparent: str
    queued: bytes
    created_at_ms: int


@dataclass(frozen=True, slots=True)
class LogSummary:
    """First and last entry of a log."""

    head: JobHead
    first_id: EntryId
    last: LogEntry


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """The terminal event of a job, kept longer than its log."""

    owner: str
    session_id: str
    event: str
    data: bytes


class Claim(StrEnum):
    """Why a job is taken over, which decides what counts as a failed attempt."""

    FRESH = "fresh"
    """A first delivery: only a job that nobody has begun."""
    REDELIVERED = "redelivered"
    """The broker gave up on the last holder: a failed attempt, unless it was seen alive without its lease."""
    HANDED_BACK = "handed_back"
    """The last holder passed the job on of its own will."""
    RESUMED = "resumed"
    """The user answered, or did not in time: only a job that still waits at that very entry."""


class TakeOverResult(StrEnum):
    """What came of a take-over."""

    OWNED = "owned"
    GONE = "gone"
    ENDED = "ended"
    RUNNING = "running"
    POISONED = "poisoned"


@dataclass(frozen=True, slots=True)
class TakeOver:
    """Result of a take-over; with OWNED the caller is the log's writer from entry `{attempt}-1` on."""

    result: TakeOverResult
    attempt: int = 0
    length: int = 0
    failures: int = 0
    first: tuple[str, bytes] = ("", b"")
    writer: str = ""
    """Tells two attempts of one number apart: a failover can lose a take-over that was answered."""
    resume: str = ""
    """The resume that the attempt was begun by, or that an attempt which it follows was."""


class Append(NamedTuple):
    """Entries to write in one go: `{attempt}-{first_seq}` and on, after `previous`.

    `expected_length` is the log's length before, or -1 to have the log's top reported whatever it is.
    """

    job_id: str
    attempt: int
    first_seq: int
    previous: EntryId
    expected_length: int
    entries: Sequence[tuple[str, bytes]]
    is_last: bool = False
    lease_lost: bool = False
    failures: int = 0
    writer: str = ""
    resume: str = ""


@dataclass(frozen=True, slots=True)
class LogTop:
    """Answer to an Append that found another log than it expected; nothing was written."""

    id: EntryId
    length: int
    has_ended: bool
    writer: str
    """Who began the attempt of the last entry."""


class EventLog(Protocol):
    """The event logs of all jobs. Every method may raise LogUnavailable."""

    @property
    def epoch(self) -> int:
        """Grows whenever entries that were acknowledged may have been lost (a new connection)."""
        ...

    async def create(self, job_id: str, head: JobHead) -> None:
        """Begins a log with entry `0-1` `queued`, safe from a failover; raises LogExists.

        What raises LogUnavailable may have begun it all the same.
        """
        ...

    async def discard(self, job_id: str) -> None:
        """Removes a log whose job never reached the queue."""
        ...

    async def forget(self, job_id: str) -> None:
        """Removes everything that is kept of a job; whoever follows its log gets LogGone."""
        ...

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
        """Appends `{last attempt + 1}-1` and makes the caller its writer, or says why not.

        The entry is `started` for the first attempt and for one that goes on after a wait, and `reset` for
        any other. With `poison_after` failed attempts before this one it is `error` with the data `poison`,
        and the log has ended. RESUMED needs `after`, the `input_required` entry that was answered.

        `resume` names the message that goes on after a wait, among those that want to: REDELIVERED and
        HANDED_BACK take over only what the same one has begun, and count as RESUMED where it has not. Whoever
        asks again as the same `writer`, because no reply came, is told of the attempt that it has begun.
        """
        ...

    async def end(
        self, job_id: str, event: str, data: bytes, *, only_if_idle: bool = False, usage: bytes = b""
    ) -> TakeOver:
        """Takes a job over only to end it; the result OWNED says that this event is its last.

        Idle is a job that nobody works on: it is queued, or it waits for the user. With `usage` an entry of
        that name comes before the end.
        """
        ...

    def append(self, write: Append) -> "asyncio.Future[int | LogTop]":
        """Writes entries and gives the log's new length; the future fails with LogUnavailable or LogGone."""
        ...

    async def confirm_copied(self, job_id: str) -> None:
        """Waits until a replica, where there is one, has what was written; see `confirm_written`."""
        ...

    async def summary(self, job_id: str) -> LogSummary:
        """First and last entry; raises LogGone."""
        ...

    async def contains(self, job_id: str, entry_id: EntryId) -> bool:
        """True when the log has an entry of exactly this id."""
        ...

    def follow(self, job_id: str, after: EntryId) -> AsyncIterator[list[LogEntry]]:
        """Yields every entry after an id, then each new one, and ends behind the terminal one.

        Raises LogGone when the log is not, or no longer, there.
        """
        ...

    def stop_following(self) -> None:
        """Ends every `follow`, now and from now on, without its terminal entry: the process is leaving."""
        ...

    async def keep_answer(self, job_id: str, answer: KeptAnswer) -> None:
        """Keeps the terminal event beyond the log's expiry; a job that has been forgotten stays so."""
        ...

    async def kept_answer(self, job_id: str) -> KeptAnswer | None:
        """The kept terminal event, or None when the job is unknown."""
        ...

    async def park_job(self, job_id: str, body: bytes) -> None:
        """Keeps the message of a job that is about to wait, as long as its log; raises LogGone."""
        ...

    async def parked_job(self, job_id: str) -> bytes | None:
        """The message that was kept, for whoever has the user's answer to send it again."""
        ...

    async def request_cancel(self, job_id: str) -> None:
        """Stores the wish to cancel and wakes the worker that has the job."""
        ...

    async def is_cancel_requested(self, job_id: str) -> bool:
        """True once the wish to cancel is stored."""
        ...

    def on_cancel(self, job_id: str, wake: Callable[[], None]) -> AbstractContextManager[None]:
        """Calls `wake` when the job's cancel is requested, for as long as the context lasts."""
        ...

    async def check(self) -> None:
        """Returns when the store answers; raises LogUnavailable."""
        ...

    async def close(self) -> None:
        """Ends every wait and frees all connections."""
        ...


async def confirm_written(log: EventLog, job_id: str, epoch: int) -> None:
    """Waits until what was written in this epoch is safe.

    Raises LogUnavailable when it may be lost: the store that has answered is perhaps another one.
    """
    await log.confirm_copied(job_id)
    if log.epoch != epoch:
        raise LogUnavailable("the store may have failed over since")
