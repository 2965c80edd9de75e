"""Reads `data/cues.tsv`: what words say for which intent, by weight, alone or beside others.

A line is a language, an intent, a weight, words, and, where these alone say nothing, the words beside them.
A line that begins with `$` names a list of words for use in others. Words are patterns, between commas.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from eco2_sandbox.brain.prompt import Language
from eco2_sandbox.brain.things import lines_of
from eco2_sandbox.brain.words import any_of

_NAME = re.compile(r"\$\w+")


@dataclass(frozen=True)
class Cue:
    """Words that speak for an intent."""

    language: str
    intent: str
    weight: float
    words: re.Pattern[str]
    beside: re.Pattern[str] | None

    def speaks(self, text: str) -> bool:
        """Say whether a text in lower case has these words."""
        return bool(self.words.search(text)) and (self.beside is None or bool(self.beside.search(text)))


def _read() -> Iterator[Cue]:
    for line in _LINES:
        if not line.startswith("$"):
            language, intent, weight, words, *beside = line.split("\t")
            alone = _pattern(words)
            yield Cue(language, intent, float(weight), alone, _pattern(beside[0]) if beside else None)


def _pattern(words: str) -> re.Pattern[str]:
    while _NAME.search(words):
        words = _NAME.sub(lambda name: _LISTS[name[0]], words)
    # A comma within a pattern has no blank behind it.
    return any_of(words.split(", "))


_LINES = lines_of("cues.tsv")
_LISTS = dict(line.split("\t") for line in _LINES if line.startswith("$"))
_CUES = tuple(_read())
CUES: dict[Language, tuple[Cue, ...]] = {
    "ko": tuple(cue for cue in _CUES if cue.language == "ko"),
    "en": tuple(cue for cue in _CUES if cue.language == "en"),
}
BULKY_WISH: dict[Language, re.Pattern[str]] = {"ko": _pattern("$bulky_ko"), "en": _pattern("$bulky_en")}
