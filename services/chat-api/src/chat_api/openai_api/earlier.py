"""A conversation that its client remembers and we do not: it travels with the question, as text."""

from collections.abc import Sequence
from typing import NamedTuple

from eco2_bus.job import MESSAGE_MAX_CHARS

_BEFORE = "\n\n[Earlier in this conversation]\n"
_SPEAKERS = {"user": "User", "assistant": "Assistant"}


class Said(NamedTuple):
    """Somebody's words."""

    role: str
    text: str


def with_earlier(question: str, earlier: Sequence[Said]) -> str:
    """The question followed by as many of the newest messages as the limit of a question has room for."""
    room = MESSAGE_MAX_CHARS - len(question) - len(_BEFORE)
    lines: list[str] = []
    for said in reversed(earlier):
        line = f"{_SPEAKERS[said.role]}: {said.text.strip()}"
        room -= len(line) + 1
        if room < 0:
            break
        lines.insert(0, line)
    return question + _BEFORE + "\n".join(lines) if lines else question
