"""Understands a message by rules: what is asked for, one reading per wish."""

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

from eco2_sandbox.brain import entities
from eco2_sandbox.brain.clauses import clauses
from eco2_sandbox.brain.prompt import language_of
from eco2_sandbox.brain.words import BULKY_ITEMS, BULKY_WISHES, INTENT_WORDS, SMALL_TALK_WORDS, any_of

_RULES = tuple((intent, any_of(words)) for intent, words in INTENT_WORDS)
_BULKY = any_of(BULKY_ITEMS)
_BULKY_WISH = any_of(BULKY_WISHES)
_SMALL_TALK = any_of(word for words in SMALL_TALK_WORDS.values() for word in words)
_POINTS_BACK = re.compile(
    r"^(?:그럼|그러면|그건|그거|그것|이건|이거|what about|how about|then\b)|그건|그거|\b(?:it|that|them)\b",
    re.IGNORECASE,
)
_FOLLOWS_UP = re.compile(r"^(?:그럼|그러면|그건|그거는?|what about|how about|then)\s*", re.IGNORECASE)
_BARE = re.compile(r"[가-힣A-Za-z0-9]{2,12}(?: [가-힣A-Za-z0-9]{1,10})?[?？!.~ ]*")
_ASKS_OTHERWISE = re.compile(
    r"뭐|무엇|누구|왜|언제|어디|얼마|알려|해줘|할까|있어|없어|what|who|why|when|where", re.IGNORECASE
)
_WITH_ITEM = ("waste", "bulk_waste", "collection_point", "recyclable_price")
_MOST_READINGS = 6


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


def understand(question: str, earlier: Sequence[str]) -> dict[str, object]:
    """Return the `Understanding` of a question; `earlier` are the user's questions before, newest first."""
    found = _read_all(question)
    if not found:
        found = _follow_up(question, earlier) or _bare_item(question) or [_general(question)]
    elif _POINTS_BACK.search(question):
        found = [_with_earlier_item(reading, earlier) for reading in found]
    return {"language": language_of(question), "intents": [asdict(one) for one in found[:_MOST_READINGS]]}


def intent_of(clause: str) -> str | None:
    """Return the first intent whose words a clause has, or None."""
    if _BULKY.search(clause) and _BULKY_WISH.search(clause):
        return "bulk_waste"
    return next((intent for intent, words in _RULES if words.search(clause)), None)


def _asks(clause: str) -> bool:
    return intent_of(clause) is not None


def _read_all(message: str) -> list[Reading]:
    whole = _whole_questions(clauses(message, _asks))
    readings: list[Reading] = []
    for reading in (_read(clause) for clause in whole if _asks(clause)):
        same = [at for at, one in enumerate(readings) if _is_same_wish(one, reading)]
        if same:
            before = readings[same[0]]
            readings[same[0]] = replace(before, question=f"{before.question} {reading.question}")
        else:
            readings.append(reading)
    where = {"place": entities.place_in(message), "district": entities.district_in(message)}
    return [one if one.place or one.district else replace(one, **where) for one in readings]


def _whole_questions(parts: Sequence[str]) -> list[str]:
    """Return the parts that ask, with what belongs to them from the parts that do not."""
    whole: list[str] = []
    waiting = ""
    for at, part in enumerate(parts):
        donor = next((later for later in parts[at + 1 :] if _asks(later)), None)
        if _asks(part):
            whole.append(f"{waiting} {part}".strip())
            waiting = ""
        elif (entities.ends_with_item(part) or _is_bare_item(part)) and (donor or whole):
            whole.append(_in_the_words_of(donor or whole[-1], part))
        elif not _SMALL_TALK.search(part):
            waiting = f"{waiting} {part}".strip()
    if waiting and whole:
        whole[-1] = f"{whole[-1]} {waiting}"
    return whole


def _in_the_words_of(donor: str, part: str) -> str:
    """Ask of one thing what is asked of another: "페트병", "캔 어떻게 버려?" -> "페트병 어떻게 버려?"."""
    thing, other = entities.noun(part), entities.item_in(donor)
    return donor.replace(other, thing) if other else f"{thing} {donor}"


def _read(clause: str) -> Reading:
    intent = intent_of(clause) or "general"
    hits = sum(len(words.findall(clause)) for name, words in _RULES if name == intent)
    return Reading(
        intent=intent,
        confidence=0.95 if hits > 1 else 0.9,
        question=clause,
        item=entities.item_in(clause) if intent in _WITH_ITEM else None,
        material=entities.material_in(clause) if intent in _WITH_ITEM else None,
        place=entities.place_in(clause),
        district=entities.district_in(clause),
        date=entities.date_in(clause),
    )


def _is_same_wish(one: Reading, other: Reading) -> bool:
    new = (other.item not in (None, one.item), other.place not in (None, one.place), other.date != one.date)
    return one.intent == other.intent and not any(new)


def _bare_item(question: str) -> list[Reading]:
    """A thing's name and nothing else, as people type it with the thing in hand."""
    text = question.strip()
    if not _is_bare_item(text):
        return []
    return [replace(_read(text), intent="waste", confidence=0.7, item=entities.noun(text))]


def _is_bare_item(text: str) -> bool:
    return bool(_BARE.fullmatch(text)) and not (_SMALL_TALK.search(text) or _ASKS_OTHERWISE.search(text))


def _general(question: str) -> Reading:
    known = _SMALL_TALK.search(question) is not None
    return Reading(intent="general", confidence=0.95 if known else 0.5, question=question.strip())


def _follow_up(question: str, earlier: Sequence[str]) -> list[Reading]:
    if not _FOLLOWS_UP.match(question.strip()):
        return []
    thing = entities.noun(_FOLLOWS_UP.sub("", question.strip()))
    for before in earlier:
        readings = _read_all(before)
        if readings:
            asked = _in_the_words_of(readings[-1].question, thing) if thing else readings[-1].question
            return [replace(_read(asked), confidence=0.7)]
    return []


def _with_earlier_item(reading: Reading, earlier: Sequence[str]) -> Reading:
    if reading.item is not None or reading.intent not in _WITH_ITEM:
        return reading
    items = (one.item for before in earlier for one in reversed(_read_all(before)) if one.item)
    return replace(reading, item=next(items, None))
