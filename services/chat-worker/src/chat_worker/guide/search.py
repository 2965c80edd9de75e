"""Search the guide: known names first, then character n-grams, and nothing when nothing fits."""

from dataclasses import dataclass
from functools import cache

import numpy as np

from chat_worker.guide.load import load_guide
from chat_worker.guide.names import NameBook
from chat_worker.guide.ngrams import NgramIndex, Scores
from chat_worker.guide.normalise import content_words, without_particle
from chat_worker.guide.schema import Guide, Item, Passage

# A named item scores 0.7..1.0, one found by n-grams alone stays below, so that names always win.
_NAME_FLOOR, _NAME_SPAN, _NGRAM_SHARE = 0.70, 0.28, 0.02
# Chosen on the tuning questions: what the guide does not know stays below it.
NOT_FOUND_BELOW = 0.28


@dataclass(frozen=True)
class Hit:
    """An item that answers a question; scores, 0..1, compare across questions."""

    item: Item
    score: float
    passages: tuple[Passage, ...]


class GuideIndex:
    """The guide, indexed in memory for questions in Korean or English."""

    def __init__(self, guide: Guide) -> None:
        self._guide = guide
        self._names = NameBook(guide.items)
        self._ngrams = NgramIndex(guide.items)

    @classmethod
    @cache
    def packaged(cls) -> "GuideIndex":
        """Return the index of the packaged guide, built once."""
        return cls(load_guide())

    def search(self, question: str, k: int = 3) -> list[Hit]:
        """Return the k best items, best first; an empty list when the guide does not know the thing."""
        scores = self._scores(question)
        best = np.argsort(-scores, kind="stable")[:k]
        return [
            self._hit(int(number), float(scores[number]))
            for number in best
            if scores[number] >= NOT_FOUND_BELOW
        ]

    def _scores(self, question: str) -> Scores:
        words = content_words(question)
        ngrams = self._ngrams.score(map(without_particle, words))
        scores = _NAME_FLOOR * ngrams
        for match in self._names.find(words):
            for number in match.items:
                named = _NAME_FLOOR + _NAME_SPAN * match.share + _NGRAM_SHARE * ngrams[number]
                scores[number] = max(scores[number], named)
        return scores

    def _hit(self, number: int, score: float) -> Hit:
        item = self._guide.items[number]
        return Hit(item, score, self._guide.passages(item))
