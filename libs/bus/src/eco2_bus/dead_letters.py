"""The jobs that were given up, for the operator and for whoever erases a session."""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from eco2_bus.job import ChatJob, MalformedJob
from eco2_bus.memory import MemoryJobQueue


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A job that was given up."""

    job_id: str
    """The AMQP message_id; known even when the body cannot be read."""
    reason: str
    """The broker's word: `rejected` by a worker, `delivery_limit`, `expired` or `maxlen`."""
    died_at: datetime | None
    body: bytes = field(repr=False)
    headers: dict[str, str] = field(repr=False)
    """Those that the job was published with."""
    settle: Callable[[], Awaitable[None]] = field(repr=False, compare=False)
    """Takes it off the dead letters for good; raises QueueUnavailable, and then it is still there."""


class DeadLetters(Protocol):
    """What an erased session may have left behind there."""

    async def remove(self, job_ids: Collection[str]) -> int:
        """Removes the dead letters of these jobs and says how many; raises QueueUnavailable."""
        ...


class MemoryDeadLetters:
    """The DeadLetters port over the queue of one process."""

    def __init__(self, queue: MemoryJobQueue) -> None:
        self._dead = queue.dead

    async def remove(self, job_ids: Collection[str]) -> int:
        kept = [(reason, body) for reason, body in self._dead if _job_id(body) not in job_ids]
        removed = len(self._dead) - len(kept)
        self._dead.clear()
        self._dead.extend(kept)
        return removed


def _job_id(body: bytes) -> str:
    try:
        return ChatJob.from_body(body).job_id
    except MalformedJob:
        return ""
