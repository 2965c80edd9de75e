"""One question and what came of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Status = Literal["done", "cancelled", "error"]
JsonObject = Mapping[str, Any]
"""An object of the event contract, as its JSON has it."""


@dataclass(frozen=True, slots=True)
class Turn:
    """A question, its answer and the circumstances; times are Unix ms.

    `image_url` is an https URL or `picture:{id}`; `error` is the problem object when `status` is `error`.
    """

    job_id: str
    session_id: str
    owner: str
    question: str
    answer: str
    status: Status
    created_at_ms: int
    ended_at_ms: int
    intents: tuple[str, ...] = ()
    sources: tuple[JsonObject, ...] = ()
    usage: JsonObject = field(default_factory=dict[str, Any])
    attempts: int = 1
    trace_id: str = ""
    sample_data: bool = False
    image_url: str | None = None
    error: JsonObject | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Turns in the order they were asked; `before` asks for the page of older ones, if there are any."""

    turns: tuple[Turn, ...]
    before: str | None
