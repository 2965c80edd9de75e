"""The response that streams a job: sse-starlette's, with two tasks beside the request's own instead of four.

Heartbeats are a timer's business, and an end to what is left behind when the process leaves is the server's
(docs/decisions/0019).
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import cast

from opentelemetry import trace
from sse_starlette import EventSourceResponse
from starlette.types import Receive, Scope, Send

from chat_api.eager_send import send_within
from chat_api.metrics import ApiMetrics
from chat_api.settings import ApiSettings

HEARTBEAT = b": heartbeat\n\n"
_HEADERS = {"Cache-Control": "no-store, no-transform", "X-Accel-Buffering": "no"}


class StreamsUnderWay:
    """The streams of one process."""

    def __init__(self) -> None:
        self._streams: set[JobEvents] = set()

    def add(self, stream: "JobEvents") -> None:
        """A stream begins."""
        self._streams.add(stream)

    def discard(self, stream: "JobEvents") -> None:
        """A stream has ended."""
        self._streams.discard(stream)

    def end(self) -> None:
        """Ends those that are left; their viewers do not read what is sent to them."""
        for stream in list(self._streams):
            stream.leave("leaving")


class JobEvents(EventSourceResponse):
    """An event stream; a viewer that is too slow is closed, not reported as a fault of ours: it resumes."""

    def __init__(
        self,
        frames: AsyncGenerator[bytes],
        settings: ApiSettings,
        *,
        headers: Mapping[str, str] | None = None,
        place: AbstractContextManager[None] | None = None,
    ) -> None:
        """`frames` are bytes ready for the socket; `place` is held as long as they are sent."""
        super().__init__(  # pyright: ignore[reportUnknownMemberType]
            frames, headers={**_HEADERS, **(headers or {})}, sep="\n"
        )
        self._frames = frames
        self._heartbeat_s = settings.heartbeat_s
        self._send_timeout_s = settings.send_timeout_s
        self._place = place or nullcontext()
        self._streaming: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._beating: asyncio.Task[None] | None = None
        self._closed_as = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        state = scope["app"].state
        under_way = cast(StreamsUnderWay, state.streams)
        metrics = cast(ApiMetrics, state.metrics)
        with self._place, metrics.open_streams.track_inprogress():
            # A task of its own: waking one walks through all its frames, and a request's has thirty of them
            # before the stream's.
            streaming = self._streaming = asyncio.create_task(self._stream(send))
            watching = asyncio.create_task(self._leave_with_viewer(receive))
            self._beat_later(send)
            under_way.add(self)
            try:
                await streaming
            except asyncio.CancelledError:
                if not self._closed_as or _is_cancelled():
                    raise
                trace.get_current_span().set_attribute("closed", self._closed_as)
            finally:
                under_way.discard(self)
                watching.cancel()
                self._stop_beating()

    def leave(self, why: str) -> None:
        """Ends the stream from outside, once."""
        if not self._closed_as and self._streaming is not None:
            self._closed_as = why
            self._streaming.cancel()

    async def _stream(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        try:
            async for chunk in self._frames:
                await self._send(send, chunk)
        finally:
            await self._frames.aclose()
        self._stop_beating()
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _send(self, send: Send, chunk: bytes) -> None:
        message = {"type": "http.response.body", "body": chunk, "more_body": True}
        if not await send_within(send, message, self._send_timeout_s):
            self.leave("slow viewer")

    async def _leave_with_viewer(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self.leave("viewer left")

    def _beat_later(self, send: Send) -> None:
        self._timer = asyncio.get_running_loop().call_later(self._heartbeat_s, self._beat, send)

    def _beat(self, send: Send) -> None:
        # One that still waits for room in the socket is heartbeat enough.
        if self._beating is None or self._beating.done():
            self._beating = asyncio.create_task(self._send(send, HEARTBEAT))
        self._beat_later(send)

    def _stop_beating(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._beating is not None:
            self._beating.cancel()


def _is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
