"""Understands a message by rules: what is asked for, one reading per wish."""

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

from eco2_sandbox.brain import entities
from eco2_sandbox.brain.clauses import clauses
from eco2_sandbox.brain.gibberish import is_gibberish
from eco2_sandbox.brain.orders import without_orders
from eco2_sandbox.brain.prompt import Picture, language_of
from eco2_sandbox.brain.words import BULKY_ITEMS, BULKY_WISHES, INTENT_WORDS, SMALL_TALK_WORDS, any_of

_RULES = tuple((intent, any_of(words)) for intent, words in INTENT_WORDS)
_BULKY = any_of(BULKY_ITEMS)
_BULKY_WISH = any_of(BULKY_WISHES)
# May it go in there? Where there is one is another question.
_INTO_BOX = re.compile(r"수거함에\s?(?:넣|버려|버리)(?!.*어디)")
_SMALL_TALK = any_of(word for words in SMALL_TALK_WORDS.values() for word in words)
_POINTS_BACK = re.compile(
    r"^(?:그럼|그러면|그건|그거|그것|이건|이거|what about|how about|then\b)|그건|그거|\b(?:it|that|them)\b",
    re.IGNORECASE,
)
_FOLLOWS_UP = re.compile(r"^(?:그럼|그러면|그건|그거는?|what about|how about|then)\s*", re.IGNORECASE)
_BARE = re.compile(r"[가-힣A-Za-z0-9]{2,12}(?: [가-힣A-Za-z0-9]{1,10})?[?？!.~ ]*")
_ASKS_OTHERWISE = re.compile(
    r"뭐|뭘|무엇|누구|왜|언제|어디|얼마|알려|해줘|할까|있어|없어|what|who|why|when|where", re.IGNORECASE
)
# "심심해", "배고파요": somebody says something, and names no thing.
_ENDS_LIKE_SAYING = re.compile(r"(?:해|해요|파|파요|어요|아요|네요|니다|싶다|싶어|[가-힣]심|졸려)[.!~ ]*$")
_THIS = re.compile(r"(?:이|그|저)(?:거|것|건)|\b(?:this|that|it|these|them)\b", re.IGNORECASE)
_WITH_ITEM = ("waste", "bulk_waste", "collection_point", "recyclable_price")
_MOST_READINGS = 6
_MOST_WORDS_OF_ITEM = 3


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


def understand(question: str, earlier: Sequence[str], picture: Picture | None = None) -> dict[str, object]:
    """Return the `Understanding` of a question; `earlier` are the user's questions before, newest first.

    A `picture` beside the question says what "this" is; without a word it is a thing to throw away.
    """
    language = language_of(question)
    question = without_orders(question)
    found = _read_all(question)
    if picture is not None and picture.item:
        found = _of_picture(question, found, picture)
    if not found:
        found = _follow_up(question, earlier) or _bare_item(question) or [_general(question)]
    elif _POINTS_BACK.search(question):
        found = [_with_earlier_item(reading, earlier) for reading in found]
    return {"language": language, "intents": [asdict(one) for one in found[:_MOST_READINGS]]}


def _of_picture(question: str, found: list[Reading], picture: Picture) -> list[Reading]:
    wishes = found or [Reading("waste", 0.8, question.strip())]
    return [_about(one, picture) if one.item is None else one for one in wishes]


def _about(reading: Reading, picture: Picture) -> Reading:
    if reading.intent == "character":
        return replace(reading, material=reading.material or picture.material)
    if reading.intent not in _WITH_ITEM or picture.item is None:
        return reading
    asked, times = _THIS.subn(picture.item, reading.question, count=1)
    asked = asked if times else f"{picture.item} {reading.question}".strip()
    return replace(reading, question=asked, item=picture.item, material=reading.material or picture.material)


def intent_of(clause: str) -> str | None:
    """Return the first intent whose words a clause has, or None."""
    if _BULKY.search(clause) and _BULKY_WISH.search(clause):
        return "bulk_waste"
    if _INTO_BOX.search(clause):
        return "waste"
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
    readings = [_with_item_of(readings[:at], reading) for at, reading in enumerate(readings)]
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
        elif (_is_listed_item(part) or _is_bare_item(part)) and (donor or whole):
            whole.append(_in_the_words_of(donor or whole[-1], part))
        elif not _SMALL_TALK.search(part):
            waiting = f"{waiting} {part}".strip()
    if waiting and whole:
        whole[-1] = f"{whole[-1]} {waiting}"
    return whole


def _with_item_of(before: Sequence[Reading], reading: Reading) -> Reading:
    # "How do I throw away batteries, and where is a box?": the box is one for batteries.
    items = [one.item for one in before if one.item]
    wants = reading.intent in ("collection_point", "bulk_waste") and reading.item is None
    return replace(reading, item=items[-1]) if wants and items else reading


def _is_listed_item(part: str) -> bool:
    # "An old pan" is one of a list; "I have an old pan" tells what "it" means in the next sentence.
    return entities.ends_with_item(part) and not (part.isascii() and len(part.split()) > _MOST_WORDS_OF_ITEM)


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
        item=_item(intent, clause),
        material=entities.material_in(clause) if intent in (*_WITH_ITEM, "character") else None,
        place=entities.place_in(clause),
        district=entities.district_in(clause),
        date=entities.date_in(clause),
    )


def _item(intent: str, clause: str) -> str | None:
    if intent == "location":
        return entities.sought_in(clause)
    return entities.item_in(clause) if intent in _WITH_ITEM else None


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
    if not _BARE.fullmatch(text) or is_gibberish(text):
        return False
    return not (_SMALL_TALK.search(text) or _ASKS_OTHERWISE.search(text) or _ENDS_LIKE_SAYING.search(text))


def _general(question: str) -> Reading:
    known = _SMALL_TALK.search(question) is not None
    confidence = 0.95 if known else 0.1 if is_gibberish(question) else 0.5
    return Reading(intent="general", confidence=confidence, question=question.strip())


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
