"""Event logs as Redis Streams, one per job, read by any number of viewers over two connections."""

import asyncio
import contextlib
import hashlib
import logging
import random
import re
import time
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator
from typing import Any

import orjson

from eco2_bus import redis_scripts
from eco2_bus.events import START, EntryId, LogEntry
from eco2_bus.feed import Feed
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
    LogUnavailable,
    TakeOver,
    TakeOverResult,
)
from eco2_bus.resp import Argument, RedisLink, RedisRefused, Reply

_log = logging.getLogger(__name__)

CANCEL_CHANNEL = "chat:cancels"
PAGE_ENTRIES = 256
QUIET_CHECK_S = 15.0
CANCEL_POLL_S = 1.0

_JOB_ID = re.compile("[0-9a-f]{32}")

_SCRIPTS = {
    script: hashlib.sha1(script.encode()).hexdigest()
    for script in (
        redis_scripts.CREATE,
        redis_scripts.APPEND,
        redis_scripts.TAKE_OVER,
        redis_scripts.END,
        redis_scripts.PARK,
        redis_scripts.KEEP_ANSWER,
    )
}
_APPEND_SHA = _SCRIPTS[redis_scripts.APPEND]


def log_key(job_id: str) -> str:
    """The stream of a job's events."""
    return f"chat:{job_id}:events"


def _answer_key(job_id: str) -> str:
    return f"chat:{job_id}:answer"


def _cancel_key(job_id: str) -> str:
    return f"chat:{job_id}:cancel"


def _parked_key(job_id: str) -> str:
    return f"chat:{job_id}:parked"


class RedisEventLog:
    """The EventLog port over one Redis; see redis_scripts for the rules of the log."""

    def __init__(self, url: str, *, times: LogTimes = DEFAULT_TIMES, reply_timeout_s: float = 5.0) -> None:
        self._times = times
        self._link = RedisLink(
            url, name="log", on_connect=self._load_scripts, reply_timeout_s=reply_timeout_s
        )
        # WAIT holds up its own connection until a replica has answered.
        self._copy_link = RedisLink(url, name="copies", reply_timeout_s=reply_timeout_s)
        self._feed = Feed()
        self._is_leaving = False
        self._feed_link = RedisLink(
            url,
            name="feed",
            channels=(redis_scripts.CHANNEL,),
            on_message=self._announced,
            on_connect=self._feed.doubt_all,
            reply_timeout_s=reply_timeout_s,
        )
        self._cancels: dict[str, Callable[[], None]] = {}
        self._cancel_link = RedisLink(
            url,
            name="cancels",
            channels=(CANCEL_CHANNEL,),
            on_message=self._cancel_announced,
            reply_timeout_s=reply_timeout_s,
        )
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._copying: asyncio.Task[bool] | None = None
        self._next_copy: asyncio.Task[bool] | None = None
        self._end_ttl = str(int(times.log_after_end.total_seconds()))

    @property
    def epoch(self) -> int:
        """Grows with every new connection to Redis."""
        return self._link.epoch

    @property
    def followed(self) -> int:
        """How many logs this process follows."""
        return len(self._feed)

    async def create(self, job_id: str, head: JobHead) -> None:
        await self._ensure_up()
        epoch = self._link.epoch
        # In the same write, so that it costs no round trip to learn whether there is a replica to wait for.
        role = self._link.send("ROLE")
        role.add_done_callback(_seen)
        ttl = int(self._times.log.total_seconds())
        created = await self._run(
            redis_scripts.CREATE,
            job_id,
            head.created_at_ms,
            head.queued,
            head.owner,
            head.session_id,
            head.traceparent,
            ttl,
        )
        if not created:
            raise LogExists(job_id)
        await self._wait_for_copy(job_id, role)
        if self._link.epoch != epoch or not self._link.is_up:
            raise LogUnavailable("the store may have failed over since")

    async def discard(self, job_id: str) -> None:
        await self._link.execute("DEL", log_key(job_id), _parked_key(job_id))

    async def forget(self, job_id: str) -> None:
        keys = (log_key(job_id), _answer_key(job_id), _cancel_key(job_id), _parked_key(job_id))
        await self._link.execute("DEL", *keys)
        await self._link.execute("PUBLISH", redis_scripts.CHANNEL, job_id)

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
        writer = writer or uuid.uuid4().hex
        resumed = (*(after or START), resume)
        arguments = (job_id, _now_ms(), claim.value, poison_after, poison, self._end_ttl, writer)
        reply = await self._run(redis_scripts.TAKE_OVER, job_id, *arguments, *resumed)
        return _take_over(reply, writer, resume)

    async def end(
        self, job_id: str, event: str, data: bytes, *, only_if_idle: bool = False, usage: bytes = b""
    ) -> TakeOver:
        arguments = (job_id, _now_ms(), int(only_if_idle), event, data, self._end_ttl, usage)
        return _take_over(await self._run(redis_scripts.END, job_id, *arguments))

    def append(self, write: Append) -> "asyncio.Future[int | LogTop]":
        arguments: list[Argument] = [
            "EVALSHA",
            _APPEND_SHA,
            1,
            log_key(write.job_id),
            write.job_id,
            _now_ms(),
            write.expected_length,
            write.attempt,
            write.first_seq,
            str(write.previous),
            self._end_ttl if write.is_last else "",
            int(write.lease_lost),
            write.failures,
            write.writer,
            write.resume,
        ]
        for event, data in write.entries:
            arguments.append(event)
            arguments.append(data)
        answer: asyncio.Future[int | LogTop] = asyncio.get_running_loop().create_future()
        self._link.send(*arguments).add_done_callback(lambda reply: self._appended(reply, answer))
        return answer

    def _appended(self, reply: "asyncio.Future[Reply]", answer: "asyncio.Future[int | LogTop]") -> None:
        if answer.done():
            return
        if reply.cancelled():
            answer.cancel()
        elif (error := reply.exception()) is not None:
            answer.set_exception(self._passing(error))
        elif isinstance(value := reply.result(), int):
            answer.set_result(value)
        elif value == b"gone":
            answer.set_exception(LogGone("the log has expired"))
        else:
            answer.set_result(
                LogTop(EntryId.parse(value[0].decode()), value[1], bool(value[2]), value[3].decode())
            )

    def _passing(self, error: BaseException) -> BaseException:
        """A refusal that the writer can resolve by looking at the log's top counts as no answer."""
        if isinstance(error, RedisRefused):
            if str(error).startswith("NOSCRIPT"):
                self._load_scripts()
                return LogUnavailable("scripts were flushed")
            if "equal or smaller" in str(error):
                return LogUnavailable("the log has moved on")
        return error

    async def confirm_copied(self, job_id: str) -> None:
        await self._ensure_up()
        await self._wait_for_copy(job_id, self._link.send("ROLE"))

    async def _wait_for_copy(self, job_id: str, role: "asyncio.Future[Reply]") -> None:
        told = await role
        if told[0] != b"master":
            raise LogUnavailable("this Redis is no longer the master")
        if not told[2]:
            return
        # Ends that come while one WAIT is under way share the next.
        if self._next_copy is None or self._next_copy.done():
            self._next_copy = asyncio.create_task(self._copy_after(self._copying))
        if not await asyncio.shield(self._next_copy):
            _log.warning("no replica confirmed job %s within 1 s", job_id)

    async def _copy_after(self, before: "asyncio.Task[bool] | None") -> bool:
        if before is not None:
            await asyncio.wait({before})
        self._copying, self._next_copy = self._next_copy, None
        # A later write on any connection: when a replica has it, it has all that came before.
        await self._copy_link.execute("SET", "chat:copied", 1, "EX", 60)
        return bool(await self._copy_link.execute("WAIT", 1, 1000))

    async def summary(self, job_id: str) -> LogSummary:
        key = log_key(job_id)
        await self._ensure_up()
        first_reply = self._link.send("XRANGE", key, "-", "+", "COUNT", 1)
        last_reply = self._link.send("XREVRANGE", key, "+", "-", "COUNT", 1)
        first, last = await asyncio.gather(first_reply, last_reply)
        if not first or not last:
            raise LogGone(job_id)
        fields = _fields(first[0][1])
        head = JobHead(
            owner=fields.get(b"owner", b"").decode(),
            session_id=fields.get(b"session_id", b"").decode(),
            traceparent=fields.get(b"traceparent", b"").decode(),
            queued=fields[b"data"],
            created_at_ms=int(fields[b"at"]),
        )
        return LogSummary(head, EntryId.parse(first[0][0].decode()), _entry(last[0]))

    async def contains(self, job_id: str, entry_id: EntryId) -> bool:
        return bool(
            await self._link.execute("XRANGE", log_key(job_id), str(entry_id), str(entry_id), "COUNT", 1)
        )

    def follow(self, job_id: str, after: EntryId) -> AsyncIterator[list[LogEntry]]:
        return self._follow(job_id, after)

    async def _follow(self, job_id: str, after: EntryId) -> AsyncGenerator[list[LogEntry], None]:
        self._feed_link.start()
        self._keep_running("quiet", self._check_quiet)
        # Follow first, then read the past: what is written in between is in the tail.
        tail = self._feed.open(job_id)
        try:
            while not self._is_leaving:
                version = tail.version
                entries = tail.since(after)
                if entries is None:
                    entries = await self._read_patiently(job_id, after)
                if entries:
                    after = entries[-1].id
                    yield entries
                    if entries[-1].ends_job:
                        return
                else:
                    await tail.changed(version)
        finally:
            self._feed.close(job_id, tail)

    def stop_following(self) -> None:
        self._is_leaving = True
        self._feed.doubt_all()

    async def _read_patiently(self, job_id: str, after: EntryId) -> list[LogEntry]:
        """Reads one page; a Redis that is away is waited for, because the viewer can do nothing better."""
        while not self._is_leaving:
            try:
                return await self._read(job_id, after)
            except LogUnavailable:
                await asyncio.sleep(random.uniform(0.1, 0.5))
        return []

    async def _read(self, job_id: str, after: EntryId) -> list[LogEntry]:
        key = log_key(job_id)
        reply = await self._link.execute("XRANGE", key, f"({after}", "+", "COUNT", PAGE_ENTRIES)
        if not reply and not await self._link.execute("EXISTS", key):
            raise LogGone(job_id)
        return [_entry(raw) for raw in reply]

    def _announced(self, _channel: bytes, message: bytes) -> None:
        head, _, data = message.partition(b"\n")
        try:
            job, previous, id_, at, event = head.decode().split(" ")
            tail = self._feed.tail(job)
            if tail is not None:
                tail.add(EntryId.parse(previous), LogEntry(EntryId.parse(id_), event, data, int(at)))
        except ValueError:
            self._no_entry_announced(message.decode(errors="replace"))

    def _no_entry_announced(self, message: str) -> None:
        if (tail := self._feed.tail(message)) is not None:
            # The job is forgotten; its viewers look for its log and find none.
            tail.doubt()
        elif not _JOB_ID.fullmatch(message):
            # Redis lets anybody publish: junk must not cost the connection that all viewers share.
            _log.warning("something on %s that is no announcement", redis_scripts.CHANNEL)

    async def _check_quiet(self) -> None:
        while True:
            await asyncio.sleep(QUIET_CHECK_S)
            self._feed.doubt_quiet()

    async def keep_answer(self, job_id: str, answer: KeptAnswer) -> None:
        value = orjson.dumps(
            {
                "owner": answer.owner,
                "session_id": answer.session_id,
                "event": answer.event,
                "data": orjson.Fragment(answer.data),
            }
        )
        ttl = int(self._times.answer.total_seconds())
        more_keys = (_answer_key(job_id),)
        await self._run(redis_scripts.KEEP_ANSWER, job_id, value, ttl, more_keys=more_keys)

    async def kept_answer(self, job_id: str) -> KeptAnswer | None:
        value = await self._link.execute("GET", _answer_key(job_id))
        if value is None:
            return None
        kept: dict[str, Any] = orjson.loads(value)
        return KeptAnswer(kept["owner"], kept["session_id"], kept["event"], orjson.dumps(kept["data"]))

    async def park_job(self, job_id: str, body: bytes) -> None:
        if not await self._run(redis_scripts.PARK, job_id, body, more_keys=(_parked_key(job_id),)):
            raise LogGone(job_id)

    async def parked_job(self, job_id: str) -> bytes | None:
        return await self._link.execute("GET", _parked_key(job_id))

    async def request_cancel(self, job_id: str) -> None:
        ttl = int(self._times.log.total_seconds())
        await self._link.execute("SET", _cancel_key(job_id), 1, "EX", ttl)
        await self._link.execute("PUBLISH", CANCEL_CHANNEL, job_id)

    async def is_cancel_requested(self, job_id: str) -> bool:
        return bool(await self._link.execute("EXISTS", _cancel_key(job_id)))

    @contextlib.contextmanager
    def on_cancel(self, job_id: str, wake: Callable[[], None]) -> Generator[None]:
        self._cancel_link.start()
        self._keep_running("cancels", self._poll_cancels)
        self._cancels[job_id] = wake
        try:
            yield
        finally:
            self._cancels.pop(job_id, None)

    def _cancel_announced(self, _channel: bytes, message: bytes) -> None:
        wake = self._cancels.get(message.decode(errors="replace"))
        if wake is not None:
            wake()

    async def _poll_cancels(self) -> None:
        """The announcement only hurries; the stored flag is what counts."""
        while True:
            await asyncio.sleep(CANCEL_POLL_S)
            jobs = list(self._cancels)
            replies = await asyncio.gather(
                *(self._link.send("EXISTS", _cancel_key(job)) for job in jobs), return_exceptions=True
            )
            for job, is_requested in zip(jobs, replies, strict=True):
                if is_requested == 1 and (wake := self._cancels.get(job)) is not None:
                    wake()

    async def check(self) -> None:
        await self._link.execute("PING", wait_s=0.5)

    async def close(self) -> None:
        self.stop_following()
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        for link in (self._link, self._copy_link, self._feed_link, self._cancel_link):
            await link.close()

    def _keep_running(self, name: str, work: Callable[[], Any]) -> None:
        task = self._tasks.get(name)
        if task is None or task.done():
            self._tasks[name] = asyncio.create_task(work(), name=f"eco2_bus:{name}")

    async def _ensure_up(self) -> None:
        if not self._link.is_up:
            await self._link.execute("PING")

    def _load_scripts(self) -> None:
        for script in _SCRIPTS:
            self._link.send("SCRIPT", "LOAD", script).add_done_callback(_seen)

    async def _run(
        self, script: str, job_id: str, *arguments: Argument, more_keys: tuple[str, ...] = ()
    ) -> Reply:
        call = (1 + len(more_keys), log_key(job_id), *more_keys, *arguments)
        try:
            return await self._link.execute("EVALSHA", _SCRIPTS[script], *call)
        except RedisRefused as error:
            if not str(error).startswith("NOSCRIPT"):
                raise self._passing(error) from None
        # The scripts were flushed; EVAL keeps this one again.
        return await self._link.execute("EVAL", script, *call)


def _seen(future: "asyncio.Future[Reply]") -> None:
    if not future.cancelled() and (error := future.exception()) is not None:
        _log.warning("could not load a script: %s", type(error).__name__)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _take_over(reply: list[Any], writer: str = "", resume: str = "") -> TakeOver:
    result = TakeOverResult(reply[0].decode())
    if result is TakeOverResult.OWNED and len(reply) > 2:
        return TakeOver(result, reply[1], reply[2], reply[3], (reply[4].decode(), reply[5]), writer, resume)
    return TakeOver(result, reply[1] if len(reply) > 1 else 0, failures=reply[3] if len(reply) > 3 else 0)


def _fields(flat: list[bytes]) -> dict[bytes, bytes]:
    return dict(zip(flat[::2], flat[1::2], strict=True))


def _entry(raw: list[Any]) -> LogEntry:
    fields: list[bytes] = raw[1]
    return LogEntry(EntryId.parse(raw[0].decode()), fields[1].decode(), fields[3], int(fields[5]))
