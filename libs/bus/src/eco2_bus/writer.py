"""The writer of one attempt: gathers tokens, writes them in order, and never past a newer attempt.

One write is in flight per job; what arrives meanwhile rides in the next. All writers of a process share
one beat (`WriteBeat`), because at a human pace the cost is per wake-up, not per token: an attempt's first
token leaves at once, and under load the jobs' later tokens leave together.
"""

import asyncio
import random
from collections.abc import Callable
from time import monotonic, perf_counter

import orjson

from eco2_bus.events import EntryId
from eco2_bus.log import (
    Append,
    EventLog,
    Fenced,
    LogGone,
    LogTop,
    LogUnavailable,
    TakeOver,
    confirm_written,
)

GATHER_MIN_S = 0.014
GATHER_MAX_S = 0.030
LATENESS_WEIGHT = 5.0
"""A beat that comes 6 ms late shows a loop so busy that the longest pause is due."""

_TOKEN_HEAD = b'{"text":'
_TOKEN_TAIL = b',"node":"answer"}'


class WriteBeat:
    """Decides when the dirty writers of a process write: at once when idle, else together.

    The pause between beats is 14 ms, and grows to at most 30 ms when beats come late or their writes take
    long to be acknowledged, so a loaded process writes fewer, larger entries.
    """

    def __init__(self) -> None:
        self._dirty: list[LogWriter] = []
        self._timer: asyncio.TimerHandle | None = None
        self._last = 0.0
        self._due = 0.0
        self._pause_s = GATHER_MIN_S

    def mark(self, writer: "LogWriter") -> None:
        """Has the writer write in the next beat."""
        self._dirty.append(writer)
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._due = max(self._last + self._pause_s, loop.time())
            self._timer = loop.call_at(self._due, self._beat)

    def acknowledged(self, after_s: float) -> None:
        """Learns how long a write took, and so how loaded the store is."""
        self._learn(2 * after_s)

    def _beat(self) -> None:
        self._timer = None
        self._last = asyncio.get_running_loop().time()
        self._learn(LATENESS_WEIGHT * (self._last - self._due))
        dirty, self._dirty = self._dirty, []
        for writer in dirty:
            writer.write_now()

    def _learn(self, pause_s: float) -> None:
        wanted = min(max(pause_s, GATHER_MIN_S), GATHER_MAX_S)
        # Load is met at once and forgotten slowly.
        self._pause_s += (wanted - self._pause_s) * (0.5 if wanted > self._pause_s else 0.02)


class LogWriter:
    """Writes the entries of one attempt of one job.

    `on_lost` is called once when this attempt can write no more: with Fenced, LogGone or the store's
    refusal. `on_landed` gets, per acknowledged write, the number of tokens and the age in seconds of the
    oldest of them.
    """

    def __init__(
        self,
        log: EventLog,
        beat: WriteBeat,
        job_id: str,
        *,
        taken: TakeOver,
        has_lease: Callable[[], bool] = lambda: True,
        on_lost: Callable[[Exception], None] = lambda _: None,
        on_landed: Callable[[int, float], None] = lambda _tokens, _age_s: None,
    ) -> None:
        self.job_id = job_id
        self.attempt = taken.attempt
        self._taken = taken
        self._log = log
        self._beat = beat
        self._length = taken.length
        # Kept until the job ends: a Redis that comes back with a shorter log gets them again.
        self._entries: list[tuple[str, bytes]] = [taken.first]
        self._landed = 1
        self._up_to = 1
        self._epoch = log.epoch
        self._text: list[str] = []
        self._tokens = 0
        self._oldest_token_at = 0.0
        self._is_marked = False
        self._has_spoken = False
        self._is_urgent = False
        self._is_ending = False
        self._in_flight: asyncio.Future[int | LogTop] | None = None
        self._sent_at = 0.0
        # How many tokens, and when the oldest came: of the entries still to be sent, and of the last write.
        self._unsent_tokens = (0, 0.0)
        self._sent_tokens = (0, 0.0)
        self._lost: Exception | None = None
        # Who waits for how many entries to be in the log.
        self._flushed: list[tuple[int, asyncio.Future[None]]] = []
        self._retry_s = 0.05
        self._has_lease = has_lease
        self._on_lost = on_lost
        self._on_landed = on_landed

    @property
    def last_id(self) -> EntryId:
        """The id of the newest entry that is known to be in the log."""
        return self._last_landed()

    def token(self, text: str, tokens: int = 1) -> None:
        """Adds answer text: the first of it is written at once, what follows with the next beat.

        Dropped once the end has been added.
        """
        if self._is_ending:
            return
        if not self._tokens:
            self._oldest_token_at = perf_counter()
        self._text.append(text)
        self._tokens += tokens
        if not self._has_spoken:
            # The beat of the events before it must not hold up what its viewer is waiting for.
            self._has_spoken = self._is_urgent = True
            asyncio.get_running_loop().call_soon(self.write_now)
        elif not self._is_marked and self._in_flight is None:
            self._is_marked = True
            self._beat.mark(self)

    def event(self, name: str, data: bytes) -> None:
        """Adds an entry; entries and text keep their order. Dropped once the end has been added."""
        if self._is_ending:
            return
        self._close_text()
        self._entries.append((name, data))
        if not self._is_marked and self._in_flight is None:
            self._is_marked = True
            self._beat.mark(self)

    async def flush(self) -> None:
        """Returns when all that was added until now is in the log.

        Raises Fenced, LogGone or the store's refusal.
        """
        if self._lost is not None:
            raise self._lost
        if not self._has_more() and self._in_flight is None:
            return
        landed = self._when_all_have_landed()
        self.write_now()
        await landed

    async def confirm_owner(self) -> None:
        """As `flush`, and the log has told since this call that the attempt still owns its job."""
        # The reply to a write that is under way may be older than a pause of this whole process.
        is_told_by_write = bool(self._text) or self._up_to < len(self._entries)
        await self.flush()
        if not is_told_by_write:
            await self._ask_for_owner()

    async def _ask_for_owner(self) -> None:
        look = Append(self.job_id, self.attempt, 1, self._last_landed(), -1, ())
        pause_s = 0.05
        while True:
            try:
                top = await self._log.append(look)
                break
            except LogUnavailable:
                await asyncio.sleep(pause_s * random.uniform(0.5, 1.5))
                pause_s = min(pause_s * 2, 1.0)
            except LogGone as error:
                self._lose(error)
                raise
        if isinstance(top, LogTop) and self._is_overtaken(top):
            self._lose(Fenced(f"the log is at {top.id}"))
        if self._lost is not None:
            raise self._lost

    async def end(self, event: str, data: bytes) -> None:
        """Writes the terminal event and waits for it to be safe; raises Fenced or LogGone."""
        self.event(event, data)
        self._is_ending = True
        await self.confirm()

    async def confirm(self) -> None:
        """As `flush`, and what was added is safe: a failover does not lose it."""
        await self.flush()
        while not await self._is_copied():
            await self._look_again()

    async def _is_copied(self) -> bool:
        try:
            await confirm_written(self._log, self.job_id, self._epoch)
        except LogUnavailable:
            return False
        return True

    async def _look_again(self) -> None:
        """A store that failed over since it took the end may have lost it: then it gets it again."""
        landed = self._when_all_have_landed()
        if self._in_flight is None:
            self._retry_later()
        await landed

    def _when_all_have_landed(self) -> "asyncio.Future[None]":
        self._close_text()
        landed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._flushed.append((len(self._entries), landed))
        return landed

    def write_now(self) -> None:
        """Writes what is there, unless a write is under way: then it rides in the next."""
        self._is_marked = False
        if self._in_flight is not None or self._lost is not None:
            return
        self._close_text()
        if self._landed < len(self._entries):
            is_same_store = self._epoch == self._log.epoch
            self._send(self._landed, self._last_landed(), self._length if is_same_store else -1)

    def _close_text(self) -> None:
        if self._text:
            data = orjson.dumps("".join(self._text))
            self._entries.append(("token", _TOKEN_HEAD + data + _TOKEN_TAIL))
            self._text.clear()
            self._unsent_tokens = _together(self._unsent_tokens, (self._tokens, self._oldest_token_at))
            self._tokens = 0

    def _last_landed(self) -> EntryId:
        return EntryId(self.attempt, self._landed)

    def _has_more(self) -> bool:
        return bool(self._text) or self._landed < len(self._entries)

    def _send(self, landed: int, previous: EntryId, expected_length: int) -> None:
        self._sent_tokens = _together(self._sent_tokens, self._unsent_tokens)
        self._unsent_tokens = (0, 0.0)
        self._sent_at = monotonic()
        self._is_urgent = False
        self._epoch = self._log.epoch
        self._up_to = len(self._entries)
        self._in_flight = self._log.append(
            Append(
                self.job_id,
                self.attempt,
                landed + 1,
                previous,
                expected_length,
                self._entries[landed:] if landed else list(self._entries),
                is_last=self._is_ending,
                lease_lost=not self._has_lease(),
                failures=self._taken.failures,
                writer=self._taken.writer,
                resume=self._taken.resume,
            )
        )
        self._in_flight.add_done_callback(self._written)

    def _written(self, future: "asyncio.Future[int | LogTop]") -> None:
        self._in_flight = None
        if future.cancelled():
            self._retry_later()
            return
        error = future.exception()
        if error is None:
            result = future.result()
            if isinstance(result, LogTop):
                self._resume_from(result)
            else:
                self._length = result
                self._land()
        elif isinstance(error, LogUnavailable):
            self._retry_later()
        else:
            self._lose(error if isinstance(error, Exception) else RuntimeError(type(error).__name__))

    def _land(self) -> None:
        self._landed = self._up_to
        self._retry_s = 0.05
        self._beat.acknowledged(monotonic() - self._sent_at)
        if self._sent_tokens[0]:
            self._on_landed(self._sent_tokens[0], perf_counter() - self._sent_tokens[1])
            self._sent_tokens = (0, 0.0)
        self._release()
        if not self._has_more():
            return
        if self._flushed or self._is_urgent:
            self.write_now()
        elif not self._is_marked:
            self._is_marked = True
            self._beat.mark(self)

    def _resume_from(self, top: LogTop) -> None:
        """The log is not as long as it was left: see whether a reply, an entry or the lease was lost."""
        mine = self._is_mine(top)
        if self._is_overtaken(top):
            self._lose(Fenced(f"the log is at {top.id}"))
        elif mine and top.id.seq >= self._up_to:
            self._length = top.length
            self._land()
        else:
            self._send(top.id.seq if mine else 0, top.id, top.length)

    def _is_mine(self, top: LogTop) -> bool:
        return top.id.attempt == self.attempt and top.writer == self._taken.writer

    def _is_overtaken(self, top: LogTop) -> bool:
        return not self._is_mine(top) and (top.has_ended or top.id.attempt >= self.attempt)

    def _retry_later(self) -> None:
        delay_s = self._retry_s * random.uniform(0.5, 1.5)
        self._retry_s = min(self._retry_s * 2, 1.0)
        self._in_flight = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_later(delay_s, self._retry)

    def _retry(self) -> None:
        self._in_flight = None
        if self._lost is None:
            self._close_text()
            self._send(self._landed, self._last_landed(), -1)

    def _lose(self, error: Exception) -> None:
        if self._lost is None:
            self._lost = error
            self._release()
            self._on_lost(error)

    def _release(self) -> None:
        waiting, self._flushed = self._flushed, []
        for wanted, future in waiting:
            if self._lost is None and self._landed < wanted:
                self._flushed.append((wanted, future))
            elif future.done():
                continue
            elif self._lost is None:
                future.set_result(None)
            else:
                future.set_exception(self._lost)


def _together(first: tuple[int, float], later: tuple[int, float]) -> tuple[int, float]:
    return first[0] + later[0], (first if first[0] else later)[1]
