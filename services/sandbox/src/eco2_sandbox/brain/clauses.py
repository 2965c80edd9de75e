"""Cuts a message into the clauses that ask for one thing each."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from eco2_sandbox.brain import things
from eco2_sandbox.brain.nouns import ends_with_item
from eco2_sandbox.brain.scores import CLEARLY_ASKS, score

_ALWAYS = re.compile(
    r"(?<=[?!;.,\n])\s+|(?<=[?!])(?=[가-힣])|,(?=[가-힣])|\n|\s*(?:그리고|또한|그 다음에?)\s+"
    r"|(?<=[려찾해]주고)\s+|(?<=싶고)\s+"
    r"|(?<=[가-힣])\s+또\s+|\s+(?:and then|and also|also|plus|as well as)\s+|(?<=;)",
    re.IGNORECASE,
)
# Between two things, and between two things to do: there may be one wish or two.
_PERHAPS = re.compile(
    r"(?<=[가-힣])(?P<noun>이랑|랑|하고|와|과)\s+|\s+(?P<and>and|및|&)\s+"
    r"|(?<=[가-힣]고)\s+(?!싶|있|나서|계|나면)|(?<=[가-힣]데)\s+|(?<=[가-힣]데),|(?<=는지)\s+|(?<=면서)\s+",
    re.IGNORECASE,
)
# People who want more than this at once do not write it as one message.
_MOST_JOINTS = 24
_MOST_WORDS_OF_THING = 4


@dataclass(frozen=True)
class _Atom:
    text: str
    # What stands between it and the next one.
    joint: str
    joins_nouns: bool


def clauses(message: str) -> list[str]:
    """Return the clauses in order, each with the words that lead to it."""
    parts = (part.strip(" ,;\n\t") for part in _ALWAYS.split(message, maxsplit=_MOST_JOINTS))
    found: list[str] = []
    for clause in (clause for part in parts if part for clause in _cut(part)):
        if found and _leans_on(found[-1], clause):
            found[-1] = f"{found[-1]} {clause}"
        else:
            found.append(clause)
    return found


def _cut(part: str) -> Iterator[str]:
    """Yield the wishes of a part: "세척하고 버려" is one, "날씨랑 페트병" and "캔이랑 병" are two."""
    kept = joint = waiting = ""
    for atom in _atoms(part):
        text = waiting + atom.text
        if score(text).asks:
            if kept and _is_another_wish(kept, text):
                yield kept.strip()
                kept = joint = ""
            kept, joint, waiting = kept + joint + text, atom.joint, ""
        elif atom.joins_nouns and ends_with_item(text):
            yield from (one for one in (kept.strip(), text.strip()) if one)
            kept = joint = waiting = ""
        else:
            waiting = text + atom.joint
    if kept and _names_only(waiting):
        yield from (kept.strip(), waiting.strip())
    else:
        yield (kept + joint + waiting).strip()


def _atoms(part: str) -> Iterator[_Atom]:
    start = 0
    for count, joint in enumerate(_PERHAPS.finditer(part)):
        if count == _MOST_JOINTS:
            break
        yield _Atom(part[start : joint.start()], joint[0], bool(joint["noun"] or joint["and"]))
        start = joint.end()
    yield _Atom(part[start:], "", joins_nouns=False)


def _is_another_wish(before: str, text: str) -> bool:
    one, other = score(before.strip()), score(text)
    if one.intent == other.intent:
        return _names(text) != _names(before) and bool(_names(text)) and bool(_names(before))
    return not _leans_on(before, text) and (other.best >= CLEARLY_ASKS or bool(things.names_in(text)))


def _leans_on(before: str, text: str) -> bool:
    """Say whether a clause asks what the thing of the one before costs to throw away: "얼마예요?"."""
    one, other = score(before), score(text)
    is_fee = other.intent == "bulk_waste" or (
        other.intent == "recyclable_price" and other.best < CLEARLY_ASKS
    )
    return one.intent in ("waste", "bulk_waste") and one.asks and is_fee and not things.names_in(text)


def _names(text: str) -> set[str]:
    return {things.name_of(found[0]) or "" for found in things.names_in(text)}


def _names_only(text: str) -> bool:
    return ends_with_item(text) and len(text.split()) <= _MOST_WORDS_OF_THING
