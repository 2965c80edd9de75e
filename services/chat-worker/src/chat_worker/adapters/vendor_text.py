"""Text of vendors: data of strangers, with words that stand for nothing."""

import re
from typing import Annotated

from pydantic import BeforeValidator

TEXT_MAX_CHARS = 2_000
_EMPTY_WORDS = frozenset({"", "-", "null", "없음", "해당없음", "해당 없음"})


def cleaned(value: object) -> str:
    """One line of text of bounded length; empty for a word that stands for nothing."""
    text = "" if value is None else re.sub(r"\s+", " ", str(value)[:TEXT_MAX_CHARS]).strip()
    return "" if text.lower() in _EMPTY_WORDS else text


CleanText = Annotated[str, BeforeValidator(cleaned)]
"""A field that is text, a number or null."""
