"""A language model: one structured reply, one streamed answer, one look at a picture."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from chat_worker.domain import JsonSchema, Message, Sighting, TokenUsage


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


class Vision(Protocol):
    """A model that sees."""

    async def look(self, image_url: str, question: str) -> tuple[Sighting, TokenUsage]:
        """What thing a picture shows; `image_url` is https or a data URL. Raises as ChatModel does."""
        ...
