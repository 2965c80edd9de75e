"""Which language a text is in, as far as Korean and English go."""

import re

from chat_worker.domain import Language

_HANGUL = re.compile(r"[가-힣ㄱ-ㅎㅏ-ㅣ]")
_LATIN = re.compile(r"[A-Za-z]")
_CITED = re.compile(r"^.*\[\d+\].*$", re.MULTILINE)
_QUOTED = re.compile(r"'[^'\n]{1,200}'|\"[^\"\n]{1,200}\"|‘[^’\n]{1,200}’|“[^”\n]{1,200}”")
LATIN_PER_HANGUL = 2.5
"""A Korean syllable says about as much as this many Latin letters."""


def of_question(text: str) -> Language:
    """Korean as soon as there is any; "LED 전구" is no English."""
    return "ko" if _HANGUL.search(text) else "en"


def of_answer(text: str) -> Language:
    """The language that most of the answer's own words are in; what it cites or quotes is not its own."""
    own = _QUOTED.sub("", own_lines(text))
    return _majority(own if _has_letters(own) else text)


def own_lines(text: str) -> str:
    """The lines of an answer that cite nothing."""
    return _CITED.sub("", text)


def quotes_korean(text: str) -> bool:
    """True when a cited line of the answer is in Korean."""
    return any(_majority(line) == "ko" for line in _CITED.findall(text))


def _has_letters(text: str) -> bool:
    return bool(_HANGUL.search(text) or _LATIN.search(text))


def _majority(text: str) -> Language:
    hangul, latin = len(_HANGUL.findall(text)), len(_LATIN.findall(text))
    return "ko" if hangul * LATIN_PER_HANGUL > latin else "en"
