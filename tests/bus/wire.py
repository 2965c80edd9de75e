"""What lies between a writer and its log: it counts, holds back, loses."""

import asyncio
from collections import deque
from enum import Enum, auto
from typing import Any

from eco2_bus.log import Append, EventLog, LogTop, LogUnavailable


class Fault(Enum):
    LOST_REQUEST = auto()
    LOST_REPLY = auto()


class Wire:
    """An EventLog whose writes pass through a line with faults; each fault strikes one write."""

    def __init__(self, log: EventLog) -> None:
        self.log = log
        self.writes: list[Append] = []
        self.faults: deque[Fault | None] = deque()
        self.most_under_way = 0
        self.reconnects = 0
        self._under_way = 0
        self._opened = asyncio.Event()
        self._opened.set()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.log, name)

    @property
    def epoch(self) -> int:
        return self.log.epoch + self.reconnects

    def hold(self) -> None:
        """Keeps every answer back until `release`."""
        self._opened.clear()

    def release(self) -> None:
        self._opened.set()

    def append(self, write: Append) -> "asyncio.Future[int | LogTop]":
        self.writes.append(write)
        return asyncio.ensure_future(self._carry(write, self.faults.popleft() if self.faults else None))

    async def _carry(self, write: Append, fault: Fault | None) -> int | LogTop:
        self._under_way += 1
        self.most_under_way = max(self.most_under_way, self._under_way)
        try:
            if fault is Fault.LOST_REQUEST:
                raise LogUnavailable("the request was lost")
            answer = await self.log.append(write)
            await self._opened.wait()
            if fault is Fault.LOST_REPLY:
                raise LogUnavailable("the reply was lost")
            return answer
        finally:
            self._under_way -= 1
