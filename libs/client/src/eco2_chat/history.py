"""How a job stands, and the conversation of a session."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from eco2_chat import events
from eco2_chat.events import Cancelled, Done, Failed, Source, Usage


@dataclass(frozen=True, slots=True)
class JobStatus:
    """`status` is queued, running, waiting, done, error or cancelled; `end` is there for the last three."""

    job_id: str
    session_id: str
    status: str
    end: Done | Cancelled | Failed | None

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> "JobStatus":
        """From the API's body."""
        return cls(data["job_id"], data["session_id"], data["status"], _end(data))


@dataclass(frozen=True, slots=True)
class Turn:
    """A question and what came of it; times are Unix ms."""

    job_id: str
    question: str
    answer: str
    status: str
    created_at_ms: int
    ended_at_ms: int
    sources: tuple[Source, ...] = ()
    usage: Usage | None = None
    image_url: str | None = None


@dataclass(frozen=True, slots=True)
class TurnPage:
    """Turns in the order they were asked; `before` asks for the older ones, None when there are none."""

    session_id: str
    turns: tuple[Turn, ...]
    before: str | None

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> "TurnPage":
        """From the API's body."""
        return cls(data["session_id"], tuple(map(_turn, data["turns"])), data.get("before"))


def _turn(data: Mapping[str, Any]) -> Turn:
    used = events.of(Usage, data.get("usage") or {})
    return events.of(Turn, data, sources=events.sources(data.get("sources") or ()), usage=used)


def _end(data: Mapping[str, Any]) -> Done | Cancelled | Failed | None:
    match data["status"]:
        case "done":
            return events.ended(Done, data)
        case "cancelled":
            return events.ended(Cancelled, data)
        case "error":
            return events.of(Failed, data.get("error") or {})
        case _:
            return None
