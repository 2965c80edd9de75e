"""BM25 over character 1- and 2-grams: the share of a question that an item explains."""

import re
from collections import defaultdict
from collections.abc import Iterable
from operator import add
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from chat_worker.guide.normalise import fold
from chat_worker.guide.schema import Item

_NAME_WEIGHT, _MATERIAL_WEIGHT, _TEXT_WEIGHT = 3.0, 1.0, 0.3
_K1, _B = 1.2, 0.4
# Single syllables occur everywhere; two in a row say something.
_SINGLE_WEIGHT = 0.35

_LAST_ASCII = "\x7f"
_ASCII = re.compile(r"[\x00-\x7f]")

Scores = NDArray[np.float64]


class NgramIndex:
    """The items' n-grams with their BM25 weights, ready to be added up."""

    def __init__(self, items: Iterable[Item]) -> None:
        documents = [_weighted_grams(item) for item in items]
        self._size = len(documents)
        lengths = np.array([sum(grams.values()) for grams in documents])
        norms = _K1 * (1 - _B + _B * lengths / lengths.mean())
        postings: defaultdict[str, list[tuple[int, float]]] = defaultdict(list)
        for number, grams in enumerate(documents):
            for gram, count in grams.items():
                postings[gram].append((number, count / (count + norms[number])))
        self._postings = {gram: self._posting(gram, entries) for gram, entries in postings.items()}
        self._unknown = {length: self._worth("?" * length, 0) for length in (1, 2, 3, 4)}

    def score(self, words: Iterable[str]) -> Scores:
        """Return for each item the share, 0..1, of the words' information it explains."""
        found: list[_Posting] = []
        total = 0.0
        for gram in dict.fromkeys(_grams(" ".join(words))):
            if posting := self._postings.get(gram):
                found.append(posting)
                total += posting.worth
            else:
                total += self._unknown[len(gram)]
        if not found:
            return np.zeros(self._size)
        numbers = np.concatenate([posting.numbers for posting in found])
        weights = np.concatenate([posting.weights for posting in found])
        return np.bincount(numbers, weights, minlength=self._size) / total

    def _posting(self, gram: str, entries: list[tuple[int, float]]) -> "_Posting":
        numbers, shares = zip(*entries, strict=True)
        worth = self._worth(gram, len(entries))
        return _Posting(np.array(numbers, dtype=np.intp), worth * np.array(shares), worth)

    def _worth(self, gram: str, found_in: int) -> float:
        rarity = float(np.log1p((self._size - found_in + 0.5) / (found_in + 0.5)))
        return rarity * (_SINGLE_WEIGHT if len(gram) == 1 else 1.0)


class _Posting(NamedTuple):
    """The items with a gram, what it gives to each, and what it is worth in a question."""

    numbers: NDArray[np.intp]
    weights: Scores
    worth: float


def _weighted_grams(item: Item) -> dict[str, float]:
    fields = [(name, _NAME_WEIGHT) for name in (*item.names, *item.shared)]
    fields += [(item.material, _MATERIAL_WEIGHT), *((text, _TEXT_WEIGHT) for _, text in item.sections())]
    weighted: defaultdict[str, float] = defaultdict(float)
    for text, weight in fields:
        for gram in _grams(text):
            weighted[gram] += weight
    return weighted


def _grams(text: str) -> list[str]:
    folded = fold(text)
    grams = [char for char in folded if char > _LAST_ASCII]
    grams += [pair for pair in map(add, folded, folded[1:]) if not pair.isascii()]
    # Four Latin letters of one word say as much as two syllables: "volcano" is no "aerosol can".
    if _ASCII.search(folded):
        for word in map(fold, text.split()):
            if word and word.isascii():
                grams += [word[at : at + 4] for at in range(max(1, len(word) - 3))]
    return grams
