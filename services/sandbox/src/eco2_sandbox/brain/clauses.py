"""Cuts a message into the clauses that ask for one thing each."""

import re
from collections.abc import Callable, Iterator

from eco2_sandbox.brain.nouns import ends_with_item

_ALWAYS = re.compile(
    r"(?<=[?!;.,\n])\s+|,(?=[가-힣])|\n|\s*(?:그리고|또한|그 다음에?)\s+|(?<=[려찾해]주고)\s+|(?<=싶고)\s+"
    r"|\s+(?:and then|and also|also)\s+",
    re.IGNORECASE,
)
_PERHAPS = re.compile(
    r"(?<=[가-힣])(?:이랑|랑|하고|와|과)\s+|(?<=얼마고|버리고)\s+(?!싶)|\s+(?:and|및|&)\s+", re.IGNORECASE
)


def clauses(message: str, asks: Callable[[str], bool]) -> list[str]:
    """Return the clauses in order; `asks` says whether a text asks for something by itself."""
    parts = (part.strip(" ,;\n\t") for part in _ALWAYS.split(message))
    return [clause for part in parts if part for clause in _cut(part, asks)]


def _cut(part: str, asks: Callable[[str], bool]) -> Iterator[str]:
    start = 0
    for joint in _PERHAPS.finditer(part):
        left, right = part[start : joint.start()], part[joint.end() :]
        # "세척하고 버려" is one wish; "날씨랑 페트병" and "캔이랑 병" are two.
        if ends_with_item(left) or (asks(left) and asks(right)):
            yield left.strip()
            start = joint.end()
    yield part[start:].strip()
