"""Search the guide: known names first, then character n-grams, and nothing when nothing fits."""

from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np

from chat_worker.guide.load import load_guide
from chat_worker.guide.names import NameBook
from chat_worker.guide.ngrams import NgramIndex, Scores
from chat_worker.guide.normalise import content_words, english_head, without_particle
from chat_worker.guide.schema import Guide, Item, Passage

# A named item scores 0.7..1.0, one found by n-grams alone stays below, so that names always win.
_NAME_FLOOR, _NAME_SPAN, _NGRAM_SHARE = 0.70, 0.28, 0.02
# Chosen on the tuning questions: what the guide does not know stays below it.
NOT_FOUND_BELOW = 0.28
NAMED_FROM = _NAME_FLOOR
"""From this score on the question names the item; below, it only looks like it."""
# People ask for the same things; a longer question is hardly asked twice.
_KNOWN_QUESTIONS, _KNOWN_QUESTION_LENGTH = 2_048, 120


@dataclass(frozen=True)
class Hit:
    """An item that answers a question; scores, 0..1, compare across questions."""

    item: Item
    score: float
    passages: tuple[Passage, ...]

    @property
    def is_named(self) -> bool:
        """True when the question names the item, and does not only look like it."""
        return self.score >= NAMED_FROM


class GuideIndex:
    """The guide, indexed in memory for questions in Korean or English."""

    def __init__(self, guide: Guide) -> None:
        self._items = guide.items
        self._passages = [guide.passages(item) for item in guide.items]
        self._numbers = {item.id: number for number, item in enumerate(guide.items)}
        self._names = NameBook(guide.items)
        self._ngrams = NgramIndex(guide.items)
        self._known = lru_cache(_KNOWN_QUESTIONS)(self.look_up)

    @classmethod
    @cache
    def packaged(cls) -> "GuideIndex":
        """Return the index of the packaged guide, built once."""
        return cls(load_guide())

    def texts(self) -> list[str]:
        """Return what each item is about, in the order of their numbers."""
        return [
            f"{', '.join((*item.names, *item.shared))}. {item.material}. {item.where}" for item in self._items
        ]

    def search(self, question: str, k: int = 3) -> list[Hit]:
        """Return the k best items, best first; an empty list when the guide does not know the thing."""
        is_short = len(question) <= _KNOWN_QUESTION_LENGTH
        return list(self._known(question, k) if is_short else self.look_up(question, k))

    def look_up(self, question: str, k: int = 3) -> tuple[Hit, ...]:
        """Return what `search` returns, as if the question were asked for the first time."""
        scores = self._scores(question)
        good: list[int] = np.flatnonzero(scores >= NOT_FOUND_BELOW).tolist()
        good.sort(key=lambda number: (-scores[number], number))
        return tuple(self.hit(number, float(scores[number])) for number in good[:k])

    def hit(self, number: int, score: float) -> Hit:
        """Return the item of that number as a hit."""
        return Hit(self._items[number], score, self._passages[number])

    def number(self, hit: Hit) -> int:
        """Return the number of the item that was hit."""
        return self._numbers[hit.item.id]

    def _scores(self, question: str) -> Scores:
        words = content_words(question)
        ngrams = self._ngrams.score(map(without_particle, words))
        scores = _NAME_FLOOR * ngrams
        head = english_head(question)
        for match in (head and self._names.find(content_words(head))) or self._names.find(words):
            for number in match.items:
                named = _NAME_FLOOR + _NAME_SPAN * match.share + _NGRAM_SHARE * ngrams[number]
                scores[number] = max(scores[number], named)
        return scores
