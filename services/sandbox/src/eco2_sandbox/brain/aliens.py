"""Tells findings that are beside the point: the guide on contact lenses, for the lens of a lighthouse."""

import re

from eco2_sandbox.brain import things
from eco2_sandbox.brain.prompt import Finding

# They answer with what their texts have most nearly; the others with what there is at a place or a time.
_NEAREST = frozenset({"waste_rag", "feedback", "bulk_waste", "web_search"})
# A dinosaur that is a toy is a toy.
_IS_PLAYTHING = (
    *("장난감", "인형", "모형", "피규어", "풍선", "스티커", "그림", "책"),
    *("toy", "doll", "model", "figure", "sticker"),
)
# What a thing is sorted as, which is no thing beside it.
_KINDS = frozenset(
    {"음식물", "쓰레기", "재활용품", "유리", "플라스틱", "고철", "종이", "비닐", "의류"}
    | {"garbage", "trash", "rubbish", "glass", "plastic", "metal", "paper", "food", "scrap"}
)
_KNOWN_BEFORE = things.words_of("modifiers.txt") | _KINDS
_BEFORE = re.compile(r"([가-힣]{2,8})\s+$")
# The last letter of what is no name: "깨진", "버릴", "집에", "접시의", "서울로".
_SAYS_HOW = re.compile(r"[은는이가을를에의로도서고게면만와과랑나요야데며니다지려줘어아해]$")
_FINALS_THAT_DESCRIBE = (4, 8)


def is_beside_the_point(finding: Finding, question: str) -> bool:
    """Say whether a finding is on other things than the one that is asked about, which no household has."""
    if finding.agent not in _NEAREST or any(word in question.lower() for word in _IS_PLAYTHING):
        return False
    odd = things.odd_in(question)
    said = _said(finding).lower()
    return bool(odd) and not any(name.lower() in said for name in odd) and not _asks_of_more(question)


def unnamed_in(finding: Finding, question: str) -> str | None:
    """Return the name that a question has for a thing when the finding speaks of the kind of thing only."""
    if finding.agent not in _NEAREST or not finding.passages:
        return None
    said = _said(finding)
    for named in things.names_in(question):
        before, name = _BEFORE.search(question[: named.start()]), things.name_of(named[0]) or ""
        if before and name in said and _is_another_kind(before[1]) and before[1] not in said:
            return f"{before[1]} {name}"
    return None


def _is_another_kind(word: str) -> bool:
    describes = (ord(word[-1]) - ord("가")) % 28 in _FINALS_THAT_DESCRIBE
    return not (describes or _SAYS_HOW.search(word) or word in _KNOWN_BEFORE or things.name_of(word))


def _said(finding: Finding) -> str:
    return " ".join(f"{passage.title} {passage.text}" for passage in finding.passages)


def _asks_of_more(question: str) -> bool:
    """Say whether it also asks about an everyday thing, of which the finding may be."""
    odd = things.names_in(question, of=things.ODD)
    everyday = (
        found
        for found in things.names_in(question)
        if not things.name_of(found[0], of=things.ODD)
        and (things.name_of(found[0]) or "").lower() not in _KINDS
    )
    return any(not any(_is_part(question, one, found) for one in odd) for found in everyday)


def _is_part(question: str, whole: re.Match[str], part: re.Match[str]) -> bool:
    return whole.end() <= part.start() and question[whole.end() : part.start()].strip() in ("", "'s")
