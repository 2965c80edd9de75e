"""What the model calls of one job may take together."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from chat_worker.domain import JsonSchema, Message, Sighting, TokenUsage
from chat_worker.errors import BudgetExceeded
from chat_worker.ports import ChatModel, StreamEnd, Tools
from chat_worker.ports.images import ImageMaker, MadeImage
from chat_worker.ports.model import Vision


class Budget:
    """Tokens in and out; 0 is no limit. Once they are spent, no further call to a model is begun.

    What a call takes in is known only when it has ended, so the last one may go beyond.
    """

    def __init__(self, max_tokens: int) -> None:
        self._max_tokens = max_tokens
        self._spent = 0

    @property
    def left(self) -> int:
        """Tokens that may still be spent; below zero once the last call went beyond."""
        return self._max_tokens - self._spent

    def spend(self, calls: Iterable[TokenUsage]) -> None:
        """Counts calls that were made, by this attempt or by an earlier one."""
        self._spent += sum(call["input_tokens"] + call["output_tokens"] for call in calls)

    def check(self) -> None:
        """Raises BudgetExceeded when nothing is left."""
        if self.left <= 0:
            raise BudgetExceeded

    def holds(self, tools: Tools) -> Tools:
        """The same tools, whose calls to models keep to this budget."""
        if not self._max_tokens:
            return tools
        vision, images = tools.vision, tools.images
        return replace(
            tools,
            model=_Model(tools.model, self),
            vision=None if vision is None else _Vision(vision, self),
            images=None if images is None else _Images(images, self),
        )


@dataclass(frozen=True, slots=True)
class _Model:
    model: ChatModel
    budget: Budget

    async def structured(
        self, messages: Sequence[Message], name: str, schema: JsonSchema
    ) -> tuple[str, TokenUsage]:
        self.budget.check()
        reply, usage = await self.model.structured(messages, name, schema)
        self.budget.spend([usage])
        return reply, usage

    async def stream(self, messages: Sequence[Message], on_text: Callable[[str, int], bool]) -> StreamEnd:
        self.budget.check()
        left = self.budget.left

        def heard(text: str, tokens: int) -> bool:
            nonlocal left
            left -= tokens
            return on_text(text, tokens) and left > 0

        end = await self.model.stream(messages, heard)
        self.budget.spend([end.usage])
        return end


@dataclass(frozen=True, slots=True)
class _Vision:
    vision: Vision
    budget: Budget

    async def look(self, image_url: str, question: str) -> tuple[Sighting, TokenUsage]:
        self.budget.check()
        sighting, usage = await self.vision.look(image_url, question)
        self.budget.spend([usage])
        return sighting, usage


@dataclass(frozen=True, slots=True)
class _Images:
    """A picture is paid for by the piece: it counts for nothing here, but none is begun beyond the budget."""

    images: ImageMaker
    budget: Budget

    async def make(self, wish: str) -> MadeImage:
        self.budget.check()
        return await self.images.make(wish)
