"""Following a job over any number of connections: what to ask for, and what of the reply is new."""

import json

import httpx

from eco2_chat import calls, events
from eco2_chat.attempts import Attempts
from eco2_chat.errors import ConnectionLost, NotOurStream
from eco2_chat.events import ENDS, Event, Gap, Token
from eco2_chat.history import JobStatus
from eco2_chat.patience import Patience
from eco2_chat.sse import Block, SseReader


class Following:
    """The state of one follower; it knows nothing of how bytes travel."""

    def __init__(self, job_id: str, after: str | None, patience: Patience) -> None:
        self.job_id = job_id
        self.has_ended = False
        self.is_expired = False
        """The events are no longer kept; the job's status has the answer."""
        self._last = after
        self._attempts = Attempts(patience, patience.stream_s)
        self._reader = SseReader()
        self._at_least_s = 0.0

    def headers(self) -> dict[str, str]:
        """What to ask for: what follows the last event that was seen."""
        resume = {} if self._last is None else {"Last-Event-ID": self._last}
        return {"Accept": "text/event-stream", **resume}

    def opened(self) -> None:
        """A new connection: half an event of the last one is worth nothing."""
        self._reader = SseReader()

    def feed(self, chunk: bytes) -> list[Event]:
        """The new events that these bytes complete; raises NotOurStream."""
        self._attempts.progressed()
        new: list[Event] = []
        for block in self._reader.feed(chunk):
            try:
                event = None if self.has_ended else self._take(block)
            except (ValueError, TypeError) as error:
                raise NotOurStream(f"event {block.event!r}") from error
            if event is not None:
                new.append(event)
        return new

    def left(self) -> None:
        """The server closed in an orderly way, and said when it wants to be asked again."""
        self._at_least_s = (self._reader.retry_ms or 0) / 1000

    def refused(self, response: httpx.Response) -> None:
        """Takes a refusal to heart; raises ApiError for one that will not pass."""
        if response.status_code == 204:
            self.has_ended = True
            return
        error = calls.refusal(response)
        if error.code == "events_expired":
            self.is_expired = True
        elif calls.is_passing(error):
            self._at_least_s = calls.retry_after_s(response)
        else:
            raise error

    def delay_s(self) -> float:
        """How long to wait before the next connection; raises ConnectionLost."""
        at_least_s, self._at_least_s = self._at_least_s, 0.0
        return self._attempts.failed(at_least_s, ConnectionLost(self.job_id, self._last))

    def kept(self, status: JobStatus) -> list[Event]:
        """The end of a job whose events are gone, as events."""
        self.has_ended = True
        if status.end is None:
            return []
        answer = getattr(status.end, "answer", "")
        text = [Token(answer)] if answer else []
        return [Gap(requested=self._last or "", resumed_from=""), *text, status.end]

    def _take(self, block: Block) -> Event | None:
        if block.id is not None:
            if self._last is not None and _place(block.id) <= _place(self._last):
                return None
            self._last = block.id
        event = events.read(block.event, json.loads(block.data), block.id)
        if isinstance(event, Gap):
            # From here on, what was seen comes again.
            self._last = None
        self.has_ended = isinstance(event, ENDS)
        return event


def _place(id: str) -> tuple[int, int]:
    attempt, _, seq = id.partition("-")
    return int(attempt), int(seq)
