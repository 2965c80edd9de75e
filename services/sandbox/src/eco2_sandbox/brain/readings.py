"""Reads one clause: which intent its words have, and what it speaks of."""

import re
from dataclasses import dataclass, replace

from eco2_sandbox.brain import entities, nouns, things, wheres
from eco2_sandbox.brain.gibberish import is_gibberish
from eco2_sandbox.brain.scores import Score, score
from eco2_sandbox.brain.words import SMALL_TALK_WORDS, any_of

WITH_ITEM = ("waste", "bulk_waste", "collection_point", "recyclable_price")

_SMALL_TALK = any_of(word for words in SMALL_TALK_WORDS.values() for word in words)
_BARE = re.compile(r"[가-힣A-Za-z0-9]{2,12}(?: [가-힣A-Za-z0-9]{1,10})?[?？!.~ ]*")
_ASKS_OTHERWISE = re.compile(
    r"뭐|뭘|무엇|누구|왜|언제|어디|얼마|알려|해줘|할까|있어|없어|what|who|why|when|where", re.IGNORECASE
)
# "심심해", "배고파요": somebody says something, and names no thing.
_ENDS_LIKE_SAYING = re.compile(
    r"(?:해|해요|파|파요|어요|아요|네요|니다|싶다|싶어|[가-힣]심|졸려|줘|워|자|래|니|냐|지)[.!~ ]*$"
)


@dataclass(frozen=True)
class Reading:
    """One wish found in a message."""

    intent: str
    confidence: float
    question: str
    item: str | None = None
    material: str | None = None
    place: str | None = None
    district: str | None = None
    date: str | None = None


def asks(clause: str) -> bool:
    """Say whether a clause asks for something by itself."""
    return score(clause).asks


def read(clause: str) -> Reading:
    """Return the reading of a clause that asks for something."""
    weighed = score(clause)
    intent = weighed.intent if weighed.asks else "general"
    return Reading(
        intent=intent,
        confidence=_confidence(weighed),
        question=clause,
        item=_item(intent, clause),
        material=entities.material_in(clause) if intent in (*WITH_ITEM, "character") else None,
        place=wheres.place_in(clause),
        district=wheres.district_in(clause),
        date=wheres.date_in(clause),
    )


def named_item(question: str) -> list[Reading]:
    """A thing's name without a question, as people type it with the thing in hand."""
    text = question.strip()
    if is_bare_item(text):
        return [replace(read(text), intent="waste", confidence=0.7, item=nouns.noun(text))]
    weighed = score(text)
    is_about_it = weighed.intent in ("waste", "bulk_waste") and weighed.best > 0 and things.names_in(text)
    if not is_about_it or is_small_talk(text):
        return []
    return [replace(read(text), intent=weighed.intent, confidence=0.6, item=entities.thing_in(text))]


def general(question: str) -> Reading:
    """Return the reading of what no rule knows; what means nothing has next to no confidence."""
    confidence = 0.95 if is_small_talk(question) else 0.1 if is_gibberish(question) else 0.5
    return Reading(intent="general", confidence=confidence, question=question.strip())


def is_small_talk(text: str) -> bool:
    """Say whether a text greets, thanks, or asks who is speaking."""
    return _SMALL_TALK.search(text) is not None


def is_bare_item(text: str) -> bool:
    """Say whether a text is a name and nothing else."""
    if not _BARE.fullmatch(text) or is_gibberish(text):
        return False
    says = _ENDS_LIKE_SAYING.search(text) and not things.names_in(text)
    return not (is_small_talk(text) or _ASKS_OTHERWISE.search(text) or says)


def in_the_words_of(donor: str, part: str) -> str:
    """Ask of one thing what is asked of another: "페트병", "캔 어떻게 버려?" -> "페트병 어떻게 버려?"."""
    thing, other = nouns.noun(part), entities.item_in(donor)
    return donor.replace(other, thing) if other else f"{thing} {donor}"


def _confidence(weighed: Score) -> float:
    """Sure when one intent is far ahead of all others."""
    return round(min(0.95, 0.6 + 0.05 * (weighed.best - weighed.next_best)), 2)


def _item(intent: str, clause: str) -> str | None:
    if intent == "location":
        return entities.sought_in(clause)
    return entities.item_in(clause) or entities.thing_in(clause) if intent in WITH_ITEM else None
