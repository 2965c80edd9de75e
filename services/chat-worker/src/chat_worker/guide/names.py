"""Find the names of known items inside a question, the longest first."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate, pairwise

from chat_worker.guide.normalise import FOLDED_PARTICLES, content_words, fold, shortest_stem, stems
from chat_worker.guide.schema import Item
from chat_worker.guide.typos import Lookalikes

# The head noun of a Korean phrase comes last ("택배상자에 붙은 테이프" asks about the tape).
_LAST_NAME_BONUS = 1.5
# Misspelt names are looked for in so many words in a row; without a limit a long message takes seconds.
_WORDS_IN_A_NAME = 3

_TWO_SCRIPTS = re.compile(r"[\x00-\x7f][^\x00-\x7f]|[^\x00-\x7f][\x00-\x7f]")

# Where a name starts and ends in the folded question, and whose name it is.
Span = tuple[int, int, frozenset[int]]


@dataclass(frozen=True)
class NameMatch:
    """A name in a question: the items that carry it and the share, 0..1, of the question it gives to each."""

    items: frozenset[int]
    share: float
    size: int


class NameBook:
    """Every name and alias of the items, looked up by what a question contains."""

    def __init__(self, items: Iterable[Item]) -> None:
        numbered = [
            (number, name) for number, item in enumerate(items) for name in (*item.names, *item.shared)
        ]
        own = _owners((fold(name), number) for number, name in numbered if len(name) > 1)
        # A question loses its boilerplate before it is looked up, and "공사 쓰레기" with it.
        bare = _owners(("".join(map(fold, content_words(name))), number) for number, name in numbered)
        self._long = {name: owners for name, owners in bare.items() if len(name) > 1} | own
        self._syllables = _owners((name, number) for number, name in numbered if len(name) == 1)
        lengths: defaultdict[str, set[int]] = defaultdict(set)
        for name in self._long:
            lengths[name[:2]].add(len(name))
        # By the first two characters: a question is cut only where a name of that length may stand.
        self._lengths = {beginning: tuple(some) for beginning, some in lengths.items()}
        self._lookalikes = Lookalikes(self._long)

    def find(self, words: list[str]) -> list[NameMatch]:
        """Return the names in the words as written, without particles, or misspelt when that reads more."""
        bare = [shortest_stem(word) for word in words]
        found = self._as_written(words) + (self._as_written(bare) if bare != words else [])
        # "스티러폼 상자" is a misspelt styrofoam box before it is a box.
        longest = max((match.size for match in found), default=0)
        return self._misspelt(bare, longest + 2) or found

    def _as_written(self, words: list[str]) -> list[NameMatch]:
        """Return the names in the words, without those inside a longer name."""
        text, edges = _joined(words)
        spans = {*self._long_names(text, edges), *self._single_syllables(words)}
        kept: list[Span] = []
        taken = bytearray(len(text))
        for start, end, items in sorted(spans, key=lambda span: (span[0] - span[1], -span[0])):
            if not any(taken[start:end]):
                taken[start:end] = b"\1" * (end - start)
                kept.append((start, end, items))
        return _shares(kept, len(text))

    def _misspelt(self, words: list[str], least: int) -> list[NameMatch]:
        """Return the names of at least so many letters that a word, or a few in a row, resemble."""
        folded = [fold(word) for word in words]
        text, ends = "".join(folded), [0, *accumulate(map(len, folded))]
        return _shares(
            [
                (start, end, self._long[name])
                for at, start in enumerate(ends)
                for end in ends[at + 1 : at + 1 + _WORDS_IN_A_NAME]
                if end - start >= least
                for name in self._lookalikes.of(text[start:end])
            ],
            len(text),
        )

    def _long_names(self, text: str, edges: set[int]) -> Iterator[Span]:
        for start in range(len(text) - 1):
            for length in self._lengths.get(text[start : start + 2], ()):
                end = min(start + length, len(text))
                name = text[start:end]
                if (items := self._long.get(name)) and _stands_alone(name, start, end, text, edges):
                    yield start, end, items

    def _single_syllables(self, words: list[str]) -> Iterator[Span]:
        start = 0
        for word in words:
            # A longer word has no particle that leaves one syllable.
            for stem in stems(word) if len(word) <= 3 else ():
                if items := self._syllables.get(stem):
                    yield start, start + 1, items
            start += len(fold(word))


def _owners(names: Iterable[tuple[str, int]]) -> dict[str, frozenset[int]]:
    owners: defaultdict[str, set[int]] = defaultdict(set)
    for name, number in names:
        owners[name].add(number)
    return {name: frozenset(numbers) for name, numbers in owners.items()}


def _joined(words: list[str]) -> tuple[str, set[int]]:
    """Return the folded words as one string and the offsets where a word or a script begins or ends."""
    folded = [fold(word) for word in words]
    text = "".join(folded)
    edges = {0, *accumulate(map(len, folded))}
    if _TWO_SCRIPTS.search(text):
        edges |= {
            at for at, (left, right) in enumerate(pairwise(text), 1) if left.isascii() != right.isascii()
        }
    return text, edges


def _stands_alone(name: str, start: int, end: int, text: str, edges: set[int]) -> bool:
    if not name.isascii():
        return end in edges or (start in edges and _ends_well(start, end, text, edges))
    # "can" is not in "canada"; "cans" is "can" and "boxes" is "box".
    plural = any(text.startswith(ending, end) and end + len(ending) in edges for ending in ("s", "es"))
    return start in edges and (end in edges or plural)


def _ends_well(start: int, end: int, text: str, edges: set[int]) -> bool:
    # "고추장 통째로" is not about "고추장통", "깨진 유리는" is about "깨진 유리".
    word_start = next(at for at in range(end - 1, -1, -1) if at in edges)
    word_end = next(at for at in range(end + 1, len(text) + 1) if at in edges)
    return word_start == start or end - word_start > 1 or text[end:word_end] in FOLDED_PARTICLES


def _shares(spans: list[Span], length: int) -> list[NameMatch]:
    last = max((end for _, end, _ in spans), default=0)
    return [
        NameMatch(items, _share(end - start, end == last, length) / len(items), end - start)
        for start, end, items in spans
    ]


def _share(size: int, is_last: bool, length: int) -> float:
    return (size + _LAST_NAME_BONUS * is_last) / (length + _LAST_NAME_BONUS)
