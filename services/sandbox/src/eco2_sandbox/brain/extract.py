"""Chooses the sentences of passages that speak to a question."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from eco2_sandbox.brain.orders import is_order
from eco2_sandbox.brain.prompt import Passage

# A full stop after a digit is a date or a number, not an end.
_SENTENCE_END = re.compile(r"(?<=[^\d\s][.!?])\s+|\s*\n+\s*")
_BULLET = re.compile(r"^\s*(?:[-*•·▶○]|\d{1,2}[.)])\s+")
_HOW_TO = re.compile(r"어떻게|어디|버리|버려|버릴|배출|방법|how|where|throw|dispos|recycl|bin", re.IGNORECASE)
_HOW_TO_SECTION = re.compile(r"버리|배출|방법|how", re.IGNORECASE)

_TITLE_WEIGHT = 0.5
_SECTION_WEIGHT = 0.3
# The retriever puts the best passage first; its order decides between equals.
_RANK_WEIGHT = 0.3
_KEPT_SHARE_OF_BEST = 0.5
_MOST_CHARS_OF_LINE = 240


@dataclass(frozen=True)
class Quote:
    """A sentence of a passage, or the whole of a short one, word for word."""

    text: str
    n: int


@dataclass(frozen=True)
class _Candidate:
    quote: Quote
    place: int
    score: float


def choose(passages: Sequence[Passage], question: str, limit: int) -> list[Quote]:
    """Return up to `limit` sentences, at least one where there is any, in the passages' order."""
    ranked = sorted(_candidates(passages, question), key=lambda one: (-one.score, one.place))
    if not ranked:
        return []
    enough = ranked[0].score * _KEPT_SHARE_OF_BEST
    kept = [one for one in ranked[:limit] if one.score >= enough]
    return [one.quote for one in sorted(kept, key=lambda one: one.place)]


def line_of(passage: Passage, *, with_title: bool) -> Quote:
    """Return a passage in one line, behind its title where that is not said anyway; orders are left out."""
    said = " ".join(one for one in sentences(passage.text) if not is_order(one))
    if with_title and passage.title and passage.title not in said:
        joint = " " if passage.title[-1] in ".!?:" else ": "
        said = joint.join(filter(None, (passage.title, said)))
    return Quote(said if len(said) <= _MOST_CHARS_OF_LINE else said[:_MOST_CHARS_OF_LINE] + "…", passage.n)


def sentences(text: str) -> list[str]:
    """Return the sentences and lines of a text without their bullets."""
    lines = (_BULLET.sub("", line).strip() for line in _SENTENCE_END.split(text))
    return [line for line in lines if line]


def _candidates(passages: Sequence[Passage], question: str) -> Iterator[_Candidate]:
    wanted = _grams(question)
    seen: set[str] = set()
    place = 0
    for rank, passage in enumerate(passages):
        ground = _standing(passage, rank, question, wanted)
        for sentence in sentences(passage.text):
            # Whoever wrote the passage may have written to us.
            if sentence in seen or is_order(sentence):
                continue
            seen.add(sentence)
            place += 1
            yield _Candidate(Quote(sentence, passage.n), place, ground + _overlap(sentence, wanted))


def _standing(passage: Passage, rank: int, question: str, wanted: set[str]) -> float:
    score = _TITLE_WEIGHT * _overlap(passage.title, wanted) + _RANK_WEIGHT / (1 + rank)
    if _HOW_TO.search(question) and _HOW_TO_SECTION.search(passage.section):
        score += _SECTION_WEIGHT
    return score


def _overlap(text: str, wanted: set[str]) -> float:
    return len(_grams(text) & wanted) / len(wanted) if wanted else 0.0


def _grams(text: str) -> set[str]:
    letters = re.sub(r"[\W_]+", " ", text.lower())
    return {letters[at : at + 2] for at in range(len(letters) - 1) if " " not in letters[at : at + 2]}
