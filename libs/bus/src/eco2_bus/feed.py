"""The live end of the logs that this process follows: the last few entries of each, shared by all viewers.

What comes in is an announcement `(previous, entry)`. It is used only when it continues what is known;
anything else, a pause of the feed included, makes the viewers read the log itself. So the log stays the
only truth, and a lost or doubled announcement costs a read, never an entry.
"""

import asyncio
import itertools
from collections import deque

from eco2_bus.events import EntryId, LogEntry

TAIL_MAX_BYTES = 64 * 1024


class Tail:
    """The newest entries of one log: all of them after `base`, which is None when nothing is known."""

    def __init__(self) -> None:
        self.viewers = 0
        self.version = 0
        self.quiet = True
        self._base: EntryId | None = None
        self._last: EntryId | None = None
        self._entries: deque[LogEntry] = deque()
        self._bytes = 0
        self._waiting: set[asyncio.Future[None]] = set()

    def add(self, previous: EntryId, entry: LogEntry) -> None:
        """Takes an announcement; one that does not continue the known end starts anew from it."""
        if self._last is not None and entry.id <= self._last:
            return
        if previous != self._last:
            self._forget()
            self._base = previous
        self._entries.append(entry)
        self._bytes += len(entry.data)
        self._last = entry.id
        while self._bytes > TAIL_MAX_BYTES and len(self._entries) > 1:
            oldest = self._entries.popleft()
            self._bytes -= len(oldest.data)
            self._base = oldest.id
        self.quiet = False
        self.wake()

    def since(self, after: EntryId) -> list[LogEntry] | None:
        """The entries after an id, or None when only the log itself can tell."""
        if self._base is None or after < self._base:
            return None
        # From the newest back: a viewer that keeps up lacks one or two of hundreds.
        missed = list(itertools.takewhile(lambda entry: entry.id > after, reversed(self._entries)))
        missed.reverse()
        return missed

    def doubt(self) -> None:
        """Forgets what is known, so that every viewer reads the log again."""
        self._forget()
        self.wake()

    def wake(self) -> None:
        """Wakes every viewer."""
        self.version += 1
        waiting, self._waiting = self._waiting, set()
        for future in waiting:
            if not future.done():
                future.set_result(None)

    async def changed(self, since_version: int) -> None:
        """Returns once something has happened after `since_version` was read."""
        if self.version != since_version:
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.add(future)
        try:
            await future
        finally:
            self._waiting.discard(future)

    def _forget(self) -> None:
        self._entries.clear()
        self._bytes = 0
        self._base = self._last = None


class Feed:
    """All tails of a process, by job id."""

    def __init__(self) -> None:
        self._tails: dict[str, Tail] = {}

    def __len__(self) -> int:
        return len(self._tails)

    def open(self, job_id: str) -> Tail:
        """The job's tail, for one more viewer."""
        tail = self._tails.get(job_id)
        if tail is None:
            tail = self._tails[job_id] = Tail()
        tail.viewers += 1
        return tail

    def close(self, job_id: str, tail: Tail) -> None:
        """One viewer less; the last one takes the tail along."""
        tail.viewers -= 1
        if tail.viewers == 0 and self._tails.get(job_id) is tail:
            del self._tails[job_id]

    def tail(self, job_id: str) -> Tail | None:
        """The job's tail, or None when nobody here follows it."""
        return self._tails.get(job_id)

    def doubt_all(self) -> None:
        """After a pause of the feed: anything may have been missed."""
        for tail in list(self._tails.values()):
            tail.doubt()

    def doubt_quiet(self) -> None:
        """Has the viewers of every log that said nothing since the last call look for themselves."""
        for tail in list(self._tails.values()):
            if tail.quiet:
                tail.doubt()
            tail.quiet = True
