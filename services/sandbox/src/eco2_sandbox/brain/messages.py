"""Takes a message apart: one reading for every wish in it."""

from collections.abc import Sequence
from dataclasses import replace

from eco2_sandbox.brain import nouns, wheres
from eco2_sandbox.brain.clauses import clauses
from eco2_sandbox.brain.readings import (
    WITH_ITEM,
    Reading,
    asks,
    in_the_words_of,
    is_bare_item,
    is_small_talk,
    read,
)
from eco2_sandbox.brain.scores import ASKS, CLEARLY_ASKS, score

_MOST_WORDS_OF_ITEM = 3


def read_all(message: str) -> list[Reading]:
    """Return the readings of a message in order; none when nothing is asked for."""
    whole = _whole_questions(clauses(message))
    readings: list[Reading] = []
    for reading in (read(clause) for clause in whole if asks(clause)):
        same = [at for at, one in enumerate(readings) if _is_same_wish(one, reading)]
        if same:
            before = readings[same[0]]
            readings[same[0]] = replace(before, question=f"{before.question} {reading.question}")
        else:
            readings.append(reading)
    readings = [_with_item_of(readings[:at], reading) for at, reading in enumerate(readings)]
    where = {"place": wheres.place_in(message), "district": wheres.district_in(message)}
    return [one if one.place or one.district else replace(one, **where) for one in readings]


def _whole_questions(parts: Sequence[str]) -> list[str]:
    """Return the parts that ask, with what belongs to them from the parts that do not."""
    whole: list[str] = []
    waiting = ""
    for at, part in enumerate(parts):
        donor = next((later for later in parts[at + 1 :] if asks(later)), None)
        if whole and _is_left_short(part) and read(whole[-1]).item:
            whole.append(in_the_words_of(whole[-1], part))
        elif asks(part):
            whole.append(f"{waiting} {part}".strip())
            waiting = ""
        elif (_is_listed_item(part) or is_bare_item(part)) and (donor or whole):
            whole.append(in_the_words_of(donor or whole[-1], part))
        elif not is_small_talk(part):
            waiting = f"{waiting} {part}".strip()
    if waiting and whole:
        whole[-1] = f"{whole[-1]} {waiting}"
    return whole


def _with_item_of(before: Sequence[Reading], reading: Reading) -> Reading:
    # "How do I throw away batteries, and where is a box?": the box is one for batteries.
    items = [one.item for one in before if one.item]
    wants = reading.intent in WITH_ITEM and reading.item is None
    return replace(reading, item=items[-1]) if wants and items else reading


def _is_listed_item(part: str) -> bool:
    # "An old pan" is one of a list; "I have an old pan" tells what "it" means in the next sentence.
    return nouns.ends_with_item(part) and not (part.isascii() and len(part.split()) > _MOST_WORDS_OF_ITEM)


def _is_left_short(part: str) -> bool:
    """Say whether a part only names a thing, as if the question before were said of it too: "소파는?"."""
    return ASKS <= score(part).best < CLEARLY_ASKS and _is_listed_item(part)


def _is_same_wish(one: Reading, other: Reading) -> bool:
    new = (
        other.item not in (None, one.item),
        other.place not in (None, one.place),
        other.date not in (None, one.date),
    )
    return one.intent == other.intent and not any(new)
