"""What the event log keeps of a job besides its entries, removed with them."""

from collections.abc import Collection
from typing import Protocol

from eco2_bus.memory import MemoryEventLog


class JobTraces(Protocol):
    """Logs, kept answers and cancel wishes of jobs. May raise LogUnavailable."""

    async def erase(self, job_ids: Collection[str]) -> None:
        """Removes all that is kept of jobs that have ended."""
        ...

    async def close(self) -> None:
        """Frees all connections."""
        ...


class MemoryJobTraces:
    """The traces in a log of this process."""

    def __init__(self, log: MemoryEventLog) -> None:
        self._log = log

    async def erase(self, job_ids: Collection[str]) -> None:
        for job_id in job_ids:
            await self._log.discard(job_id)
            self._log._answers.pop(job_id, None)  # pyright: ignore[reportPrivateUsage]
            self._log._cancelled.pop(job_id, None)  # pyright: ignore[reportPrivateUsage]

    async def close(self) -> None:
        return None
