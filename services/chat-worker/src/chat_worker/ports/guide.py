"""The waste guide."""

from dataclasses import dataclass
from typing import Protocol

from chat_worker.domain import Passage


@dataclass(frozen=True, slots=True)
class Evidence:
    """Passages, best first; `is_named` when they are about a thing that the question names."""

    passages: list[Passage]
    is_named: bool


class WasteGuide(Protocol):
    """The waste guide."""

    async def find(self, question: str) -> Evidence:
        """What the guide says to a question; no passages when it does not know the thing."""
        ...
