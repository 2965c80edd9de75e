"""A tokenizer: text into pieces of one to four characters, the same ones every time."""

import re
import unicodedata
from functools import lru_cache

_PIECE = re.compile(r" ?[A-Za-z]{1,3}| ?[가-힣]{1,2}|[0-9]{1,3}|\r\n|\n{1,2}| {1,4}|.", re.DOTALL)
# Text of these characters alone holds nothing that joins the character before it.
_SIMPLE = re.compile(r"[\x00-\x7f가-힣ㄱ-ㅣ·…“”‘’①-⑳℃°²→※]*")
_JOINER = "\u200d"
_JOINING_RANGES = (
    (0x1160, 0x11FF),  # vowels and finals of decomposed Hangul
    (0xD7B0, 0xD7FF),
    (0xFF9E, 0xFF9F),
    (0x1F3FB, 0x1F3FF),  # skin tones
    (0xE0020, 0xE007F),  # tags of regional flags
)


@lru_cache(maxsize=512)
def pieces(text: str) -> tuple[str, ...]:
    """Return the pieces of a text, in order; marks and joined emoji stay with their character."""
    found = _PIECE.findall(text)
    return tuple(found if _SIMPLE.fullmatch(text) else _joined(found))


def count_tokens(text: str) -> int:
    """Return how many pieces a text has: the sandbox's rule for usage."""
    return len(pieces(text))


def _joined(found: list[str]) -> list[str]:
    whole: list[str] = []
    for piece in found:
        if whole and _belongs_to(whole[-1], piece[0]):
            whole[-1] += piece
        else:
            whole.append(piece)
    return whole


def _belongs_to(before: str, char: str) -> bool:
    if char == _JOINER or before.endswith(_JOINER):
        return True
    if _is_flag_letter(char):
        return len(before) == 1 and _is_flag_letter(before)
    return unicodedata.category(char).startswith("M") or any(
        first <= ord(char) <= last for first, last in _JOINING_RANGES
    )


def _is_flag_letter(char: str) -> bool:
    return 0x1F1E6 <= ord(char) <= 0x1F1FF
