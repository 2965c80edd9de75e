"""What a job says while it is answered: the entries of its event log.

The models document each event's data for OpenAPI and for readers in Python. The token path itself
moves bytes: `LogEntry.data` is the JSON that goes to the viewer as it is.
"""

import re
from typing import Any, Literal, NamedTuple

import orjson
from pydantic import BaseModel, ConfigDict, Field, RootModel

TERMINAL_EVENTS = frozenset({"done", "error", "cancelled"})
INPUT_REQUIRED = "input_required"
EVENTS_SCHEMA = 1

EVENT_ID_PATTERN = r"^(0|[1-9][0-9]{0,18})-([1-9][0-9]{0,18})$"
_ID = re.compile(EVENT_ID_PATTERN, re.ASCII)


class EntryId(NamedTuple):
    """`{attempt}-{seq}`: the Redis stream id, and the SSE `id:` as well."""

    attempt: int
    seq: int

    def __str__(self) -> str:
        return f"{self.attempt}-{self.seq}"

    @classmethod
    def parse(cls, text: str) -> "EntryId":
        """Reads an id of the log; raises ValueError for anything else, `-1` and `0-0` included."""
        match = _ID.fullmatch(text)
        if match is None:
            raise ValueError("not an event id")
        return cls(int(match[1]), int(match[2]))


START = EntryId(0, 0)
"""Before the first entry of every log."""


class LogEntry:
    """One entry of a log as it is read: an id, an event name, its JSON data and when it was written."""

    __slots__ = ("_frame", "at_ms", "data", "event", "id")

    def __init__(self, id: EntryId, event: str, data: bytes, at_ms: int) -> None:
        self.id = id
        self.event = event
        self.data = data
        self.at_ms = at_ms
        self._frame: bytes | None = None

    @property
    def ends_job(self) -> bool:
        """True for the one last entry of a log."""
        return self.event in TERMINAL_EVENTS

    @property
    def frame(self) -> bytes:
        """The entry as a server-sent event; made once however many viewers it has."""
        if self._frame is None:
            self._frame = b"id: %d-%d\nevent: %b\ndata: %b\n\n" % (*self.id, self.event.encode(), self.data)
        return self._frame

    def json(self) -> Any:
        """The data, parsed."""
        return orjson.loads(self.data)

    def __repr__(self) -> str:
        return f"LogEntry({self.id}, {self.event}, {self.data!r})"


class _Event(BaseModel):
    model_config = ConfigDict(frozen=True)


class Queued(_Event):
    """First entry of every log; the same body as the `202`."""

    schema_version: int = Field(
        default=EVENTS_SCHEMA,
        description="Of the events of this log: grows when a reader that lets unknown events and fields pass"
        " would get something wrong",
    )
    job_id: str
    session_id: str
    status: Literal["queued"] = "queued"
    status_url: str
    events_url: str
    cancel_url: str
    trace_id: str
    position: int | None = Field(
        default=None,
        description="About how many questions wait before this one, as of a second ago: 0 when a worker is"
        " free, null when it is not known",
    )


class Started(_Event):
    """A worker has the job."""

    attempt: int


class Stage(_Event):
    """True start or end of a graph node, as it happens."""

    node: str
    status: Literal["started", "completed", "failed", "skipped"]
    duration_ms: float | None = None
    detail: str | None = None


class Token(_Event):
    """Answer text, in order; one event may carry several tokens."""

    text: str
    node: Literal["answer"] = "answer"


class Source(_Event):
    """Where a statement of the answer comes from; `revised` is an ISO date or null when undated."""

    title: str
    url: str | None = None
    document: str
    section: str
    revised: str | None = None


class SourceList(RootModel[list[Source]]):
    """With a grounded answer."""


class InputRequired(_Event):
    """The answer waits for the user, for as long as it says; then it goes on without."""

    kind: Literal["location"]
    message: str
    expires_in_s: int


class Image(_Event):
    """A picture that was made; `url` is served by chat-api."""

    url: str
    alt: str


class Reset(_Event):
    """A new attempt begins: throw away the partial text."""

    attempt: int
    reason: str


class Gap(_Event):
    """What was asked for is no longer there; the log follows from its earliest entry. Has no id."""

    requested: str
    resumed_from: str


class CredentialExpired(_Event):
    """The viewer's credential has ended and the stream with it, the job goes on. Has no id."""

    status_url: str


class Usage(_Event):
    """Model tokens of the whole job; `estimated` when the vendor's own figure never came."""

    input_tokens: int = 0
    output_tokens: int = 0
    model: str = ""
    cost_estimate_usd: float | None = None
    estimated: bool = False


class Ended(_Event):
    """Data of `done`, and of `cancelled` with the partial answer."""

    answer: str
    finish_reason: Literal["stop", "length"] = "stop"
    """`length` when the answer was cut at a limit; its text says so too."""
    intents: list[str] = Field(default_factory=list[str])
    sources: list[Source] = Field(default_factory=list[Source])
    usage: Usage = Usage()
    attempts: int = 1
    duration_ms: int = 0
    trace_id: str = ""
    sample_data: bool = False


class Problem(_Event):
    """RFC 9457 problem object; the data of `error`, and the body of every HTTP error."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    code: str
    trace_id: str = ""


def to_json(event: BaseModel) -> bytes:
    """The bytes of an event's data."""
    return orjson.dumps(event.model_dump())
