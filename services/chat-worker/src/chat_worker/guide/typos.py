"""Find names written with one syllable slightly wrong: "형강등" for "형광등"."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Final

from chat_worker.guide.normalise import jamo

# A shorter name with a wrong syllable is as likely to be another word.
SHORTEST: Final = 3
_BLANK: Final = "?"


class Lookalikes:
    """Folded names, found by spellings that differ in one or two sounds of one syllable."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names: defaultdict[str, list[str]] = defaultdict(list)
        self._ends: set[tuple[int, str]] = set()
        for name in names:
            self._ends |= {(len(name), name[:1]), (-len(name), name[-1:])}
            for _, blurred in _blurred(name):
                self._names[blurred].append(name)

    def of(self, word: str) -> Iterator[str]:
        """Yield the names that look like the folded word."""
        # One syllable is wrong at most: the first or the last is right. Most words end here.
        if (len(word), word[:1]) not in self._ends and (-len(word), word[-1:]) not in self._ends:
            return
        for at, blurred in _blurred(word):
            yield from (name for name in self._names.get(blurred, ()) if _sounds_alike(word[at], name[at]))


def _blurred(word: str) -> Iterator[tuple[int, str]]:
    if len(word) >= SHORTEST and not word.isascii():
        for at in range(len(word)):
            yield at, word[:at] + _BLANK + word[at + 1 :]


def _sounds_alike(left: str, right: str) -> bool:
    """Tell whether two of the three sounds of both syllables are the same."""
    sounds, others = jamo(left), jamo(right)
    if sounds is None or others is None:
        return False
    return sum(sound == other for sound, other in zip(sounds, others, strict=True)) == 2
