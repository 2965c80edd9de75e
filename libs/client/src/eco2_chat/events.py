"""The events of a job, typed; each knows its id, with which a stream can be resumed after it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar

Data = Any
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Usage:
    """Model tokens of the whole job; `estimated` when the vendor's own figure never came."""

    input_tokens: int = 0
    output_tokens: int = 0
    model: str = ""
    cost_estimate_usd: float | None = None
    estimated: bool = False
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """Where a statement of the answer comes from; `revised` is an ISO date or None when undated."""

    title: str = ""
    document: str = ""
    section: str = ""
    url: str | None = None
    revised: str | None = None


@dataclass(frozen=True, slots=True)
class Queued:
    """The question was taken; `job_id` names it from here on.

    `position` is about how many are ahead, or None when that is not known.
    """

    job_id: str
    session_id: str
    trace_id: str = ""
    position: int | None = None
    schema_version: int = 1
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Started:
    """A worker has the job."""

    attempt: int = 1
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Stage:
    """Start or end of a step; `status` is started, completed, failed or skipped."""

    node: str
    status: str
    duration_ms: float | None = None
    detail: str | None = None
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Token:
    """Answer text, in order."""

    text: str
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Sources:
    """What the answer rests on; `[1]` in the text is the first."""

    sources: tuple[Source, ...] = ()
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Image:
    """A picture; its `url` is a path of the API."""

    url: str
    alt: str = ""
    id: str | None = None


@dataclass(frozen=True, slots=True)
class InputRequired:
    """The answer waits for the user; `give_input` lets it go on."""

    kind: str
    message: str
    expires_in_s: int = 0
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Reset:
    """A new attempt begins: throw the partial text away."""

    attempt: int = 0
    reason: str = ""
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Gap:
    """Events are missing, and the log follows from its earliest: throw the partial text away as well."""

    requested: str = ""
    resumed_from: str = ""
    id: str | None = None


@dataclass(frozen=True, slots=True)
class CredentialExpired:
    """The key or token has ended, the job goes on: what follows needs another."""

    status_url: str = ""
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """The last event: the whole answer; `finish_reason` is `length` for one that was cut at a limit."""

    answer: str = ""
    finish_reason: str = "stop"
    intents: tuple[str, ...] = ()
    sources: tuple[Source, ...] = ()
    usage: Usage = field(default_factory=Usage)
    attempts: int = 1
    duration_ms: int = 0
    trace_id: str = ""
    sample_data: bool = False
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Cancelled(Done):
    """The last event: what was answered before somebody cancelled."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The last event: why there is no answer."""

    code: str = ""
    title: str = ""
    detail: str = ""
    status: int = 500
    trace_id: str = ""
    id: str | None = None


Event = (
    Queued
    | Started
    | Stage
    | Token
    | Sources
    | Image
    | InputRequired
    | Reset
    | Gap
    | CredentialExpired
    | Usage
    | Done
    | Cancelled
    | Failed
)
ENDS = (Done, Cancelled, Failed)


def read(name: str, data: Data, id: str | None) -> Event | None:
    """An event of a name that this version knows, or None: what newer servers add does no harm."""
    make = _MAKERS.get(name)
    return None if make is None else make(data, id)


def of(kind: type[_T], data: Mapping[str, Any], **more: Any) -> _T:
    """A record from the fields it knows."""
    known = {one.name for one in fields(kind)}  # type: ignore[arg-type]
    return kind(**{**{name: value for name, value in data.items() if name in known}, **more})


def ended(kind: type[Done], data: Mapping[str, Any], id: str | None = None) -> Done:
    """`Done` or `Cancelled`, from an event or from a job's status."""
    return of(
        kind,
        data,
        intents=tuple(data.get("intents") or ()),
        sources=sources(data.get("sources") or ()),
        usage=of(Usage, data.get("usage") or {}),
        id=id,
    )


def sources(data: Any) -> tuple[Source, ...]:
    """The sources of a list."""
    return tuple(of(Source, one) for one in data)


def _plain(kind: Callable[..., Event]) -> Callable[[Data, str | None], Event]:
    return lambda data, id: of(kind, data, id=id)  # type: ignore[arg-type]


_MAKERS: dict[str, Callable[[Data, str | None], Event]] = {
    "queued": _plain(Queued),
    "started": _plain(Started),
    "stage": _plain(Stage),
    "token": _plain(Token),
    "sources": lambda data, id: Sources(sources(data), id),
    "image": _plain(Image),
    "input_required": _plain(InputRequired),
    "reset": _plain(Reset),
    "gap": _plain(Gap),
    "credential_expired": _plain(CredentialExpired),
    "usage": _plain(Usage),
    "done": lambda data, id: ended(Done, data, id),
    "cancelled": lambda data, id: ended(Cancelled, data, id),
    "error": _plain(Failed),
}
