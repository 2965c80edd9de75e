"""A question whose one right answer is known from its text alone, word by word."""

import re
from dataclasses import dataclass
from typing import Literal

Kind = Literal["plain", "poison"]

_MARK = re.compile(r"chaos-([a-z0-9]+)-(\d+)-(\d+)-(\d+)-(\d+)-(plain|poison)")


@dataclass(frozen=True)
class Question:
    """Asks for `words` words that all carry the question's tag; of poison the model breaks off every time."""

    tag: str
    words: int
    first_word_ms: int = 200
    word_ms: int = 15
    padding: int = 0
    """Characters that make each word longer, for viewers that are to be slow."""
    kind: Kind = "plain"

    @property
    def message(self) -> str:
        """What the user types; the model finds the question in it again."""
        numbers = f"{self.words}-{self.first_word_ms}-{self.word_ms}-{self.padding}"
        return f"투명 페트병은 어떻게 버려요? chaos-{self.tag}-{numbers}-{self.kind}"

    @property
    def answer(self) -> str:
        """The one right answer."""
        return "".join(self.word(number) for number in range(self.words))

    def word(self, number: int) -> str:
        """One word of the answer: whose it is, and which."""
        return f"{self.tag}.{number}{'~' * self.padding} "

    @classmethod
    def find(cls, text: str) -> "Question | None":
        """The question that was asked last in a text: of a conversation, the newest."""
        found = _MARK.findall(text)
        if not found:
            return None
        tag, *numbers, kind = found[-1]
        return cls(tag, *(int(number) for number in numbers), kind=kind)
