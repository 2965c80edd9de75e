"""What the graph and its agents need from outside, in their own words."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from chat_worker.domain import JsonSchema, Message, Passage, TokenUsage


@dataclass(frozen=True, slots=True)
class StreamEnd:
    """How a streamed answer ended."""

    usage: TokenUsage
    finish_reason: Literal["stop", "length"]


class ChatModel(Protocol):
    """A language model. Both calls raise ModelUnavailable, ModelRejected or AnswerRefused."""

    async def structured(
        self, messages: Sequence[Message], name: str, schema: JsonSchema
    ) -> tuple[str, TokenUsage]:
        """One reply that follows a JSON schema, as text."""
        ...

    async def stream(self, messages: Sequence[Message], on_text: Callable[[str, int], bool]) -> StreamEnd:
        """Streams an answer, passing on text and its number of chunks as it arrives.

        `on_text` gives False to stop early, as the answer is long enough; the end is then `length`.
        """
        ...


@dataclass(frozen=True, slots=True)
class Evidence:
    """Passages, best first; `is_named` when they are about a thing that the question names."""

    passages: list[Passage]
    is_named: bool


class WasteGuide(Protocol):
    """The waste guide."""

    def search(self, question: str) -> Evidence:
        """What the guide says to a question; no passages when it does not know the thing."""
        ...


@dataclass(frozen=True)
class Tools:
    """The agents' reach."""

    model: ChatModel
    guide: WasteGuide
