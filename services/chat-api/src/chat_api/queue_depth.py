"""How many jobs wait and which lanes are served, about, without a question to the broker for each submit."""

import asyncio
import logging
import time
from collections.abc import Mapping
from typing import NamedTuple

from eco2_bus import topology
from eco2_bus.queue import JobQueue, QueueUnavailable

_log = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0
LOOKS_ON_FOR_S = 30.0
"""After the last submit; the next one finds nothing known, and has it looked at again."""


class QueuePlace(NamedTuple):
    """Where a job is queued."""

    queue: str = topology.JOBS
    ahead: int | None = None
    """About how many jobs are before it; None when that is not known."""


class QueueDepth:
    """Looks at the queues in the background, for as long as there are submits."""

    def __init__(self, queue: JobQueue) -> None:
        self._queue = queue
        self._waiting: Mapping[str, int] | None = None
        self._is_burst_taken = True
        self._asked_at = 0.0
        self._looking: asyncio.Task[None] | None = None

    def place(self, lane: str) -> QueuePlace:
        """Where a new job of this lane stands, as of a second ago.

        The main lane takes those of bursts as well while only workers run that know of no other.
        """
        self._asked_at = time.monotonic()
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look(), name="chat_api:queue_depth")
        if not self._is_burst_taken:
            lane = topology.JOBS
        waiting = self._waiting
        if waiting is None:
            return QueuePlace(lane)
        return QueuePlace(lane, sum(waiting.values()) if lane == topology.BURST else waiting[lane])

    async def close(self) -> None:
        """Looks no more."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.wait({self._looking})

    async def _look(self) -> None:
        try:
            while time.monotonic() - self._asked_at < LOOKS_ON_FOR_S:
                try:
                    self._waiting = {lane: await self._queue.depth([lane]) for lane in topology.LANES}
                    self._is_burst_taken = await self._takes_bursts()
                except QueueUnavailable as error:
                    _log.info("how many jobs wait is not known: %s", error)
                    self._know_nothing()
                await asyncio.sleep(LOOK_EVERY_S)
        finally:
            self._know_nothing()

    async def _takes_bursts(self) -> bool:
        """Where nobody takes any jobs, nobody knows who will come."""
        consumers = self._queue.consumers
        return await consumers(topology.BURST) > 0 or await consumers(topology.JOBS) == 0

    def _know_nothing(self) -> None:
        self._waiting, self._is_burst_taken = None, True
