"""Understands a message by rules, with the conversation and the picture that it may point to."""

import re
from collections.abc import Sequence
from dataclasses import asdict, replace

from eco2_sandbox.brain import nouns
from eco2_sandbox.brain.messages import read_all
from eco2_sandbox.brain.orders import without_orders
from eco2_sandbox.brain.prompt import Picture, language_of
from eco2_sandbox.brain.readings import WITH_ITEM, Reading, general, in_the_words_of, named_item, read
from eco2_sandbox.brain.scores import CLEARLY_ASKS, score
from eco2_sandbox.brain.spelling import folded

_POINTS_BACK = re.compile(
    r"^(?:그럼|그러면|그건|그거|그것|이건|이거|what about|how about|then\b)|그건|그거|\b(?:it|that|them)\b",
    re.IGNORECASE,
)
_FOLLOWS_UP = re.compile(r"^(?:그럼|그러면|그건|그거는?|what about|how about|then)\s*", re.IGNORECASE)
_THIS = re.compile(r"(?:이|그|저)(?:거|것|건)|\b(?:this|that|it|these|them)\b", re.IGNORECASE)
_MOST_READINGS = 6
# Rules look at each clause beside each other one; people say what they want long before this.
_MOST_CHARS = 1_000


def understand(question: str, earlier: Sequence[str], picture: Picture | None = None) -> dict[str, object]:
    """Return the `Understanding` of a question; `earlier` are the user's questions before, newest first.

    A `picture` beside the question says what "this" is; without a word it is a thing to throw away.
    """
    language = language_of(question)
    question = _readable(question)
    found = _follow_up(question, earlier) or read_all(question)
    if picture is not None and picture.item:
        found = _of_picture(question, found, picture)
    if not found:
        found = named_item(question) or [general(question)]
    elif _POINTS_BACK.search(question):
        found = _with_earlier_item(found, earlier)
    return {"language": language, "intents": [asdict(one) for one in found[:_MOST_READINGS]]}


def _readable(message: str) -> str:
    return folded(without_orders(message[:_MOST_CHARS]))


def _of_picture(question: str, found: list[Reading], picture: Picture) -> list[Reading]:
    wishes = found or [Reading("waste", 0.8, question.strip())]
    return [_about(one, picture) if one.item is None else one for one in wishes]


def _about(reading: Reading, picture: Picture) -> Reading:
    if reading.intent == "character":
        return replace(reading, material=reading.material or picture.material)
    if reading.intent not in WITH_ITEM or picture.item is None:
        return reading
    asked, times = _THIS.subn(picture.item, reading.question, count=1)
    asked = asked if times else f"{picture.item} {reading.question}".strip()
    return replace(reading, question=asked, item=picture.item, material=reading.material or picture.material)


def _follow_up(question: str, earlier: Sequence[str]) -> list[Reading]:
    rest = _FOLLOWS_UP.sub("", question.strip())
    # "그럼 뚜껑은?" takes up the question before; "그럼 뚜껑은 어떻게 버려?" is one of its own.
    if rest == question.strip() or score(rest).best >= CLEARLY_ASKS:
        return []
    thing = nouns.noun(rest)
    for before in earlier:
        readings = read_all(_readable(before))
        if readings:
            asked = in_the_words_of(readings[-1].question, thing) if thing else readings[-1].question
            return [replace(read(asked), confidence=0.7)]
    return []


def _with_earlier_item(found: list[Reading], earlier: Sequence[str]) -> list[Reading]:
    lacking = [one for one in found if one.item is None and one.intent in WITH_ITEM]
    if not lacking:
        return found
    items = (one.item for before in earlier for one in reversed(read_all(_readable(before))) if one.item)
    item = next(items, None)
    return [replace(one, item=item) if one in lacking else one for one in found]
