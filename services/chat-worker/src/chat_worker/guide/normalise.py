"""Bring names and questions to one spelling, and a question down to the thing it asks about."""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache, partial
from typing import Final

from chat_worker.guide.normalise_phrases import ASKING_WORDS, ENGLISH, KOREAN, Rule

_FIRST_SYLLABLE, _LAST_SYLLABLE = 0xAC00, 0xD7A3
_VOWELS, _FINALS = 21, 28
# ㅔ/ㅐ, ㅖ/ㅒ and ㅙ/ㅞ/ㅚ sound alike and are often confused: "배게", "베개".
_VOWEL_TWIN: Final = {3: 1, 5: 1, 7: 1, 10: 11, 15: 11}
# Tense and plain consonants: "건전찌", "쏘파".
_INITIAL_TWIN: Final = {1: 0, 4: 3, 8: 7, 10: 9, 13: 12}

_PARTICLES: Final = (
    *("이랑", "하고", "에서", "에다", "에는", "으로", "들은", "들을", "들이", "인데", "이나", "까지", "부터"),
    *("은", "는", "을", "를", "이", "가", "도", "에", "의", "와", "과", "랑", "로", "만", "들"),
)
_UNCLEAR_PARTICLES: Final = frozenset("이가로의만과들")
_LONG_PARTICLES: Final = frozenset(particle for particle in _PARTICLES if len(particle) == 2)
_SHORT_PARTICLES: Final = frozenset(particle for particle in _PARTICLES if len(particle) == 1)
# Everyday questions share their words. Some 200 bytes a word, and no word longer than a name is kept.
_KNOWN_WORDS, _KNOWN_WORD_LENGTH = 8_192, 24

_PUNCTUATION: Final = re.compile(r"[^\w\s]|_")
_LATIN: Final = re.compile("[a-z]")
# "soil from a flower pot": what stands before is the thing. "of" and "for" also follow a number or a wish.
_PREPOSITION: Final = re.compile(r"\s(?:on|from|in|inside|with|under)\s", re.IGNORECASE)


def fold(text: str) -> str:
    """Return text in one spelling: NFKC, lower case, letters and digits only, sound-alikes merged."""
    return _fold_known(text) if len(text) <= _KNOWN_WORD_LENGTH else _fold(text)


def content_words(question: str) -> list[str]:
    """Return the words that name the thing asked about; all words when only boilerplate is left."""
    plain = _PUNCTUATION.sub(" ", _canonical(question))
    readings = ((),) if plain.isascii() else KOREAN
    return next(filter(None, (_rest(plain, reading) for reading in readings)), None) or plain.split()


def _rest(plain: str, korean: Iterable[Rule]) -> list[str]:
    if plain.isascii():
        return _without(ENGLISH, plain).split()
    rest = " ".join(map(_told, _without(korean, plain).split()))
    return (_without(ENGLISH, rest) if _LATIN.search(rest) else rest).split()


def _told(word: str) -> str:
    """Return what is left of a word when it only asks."""
    return _told_known(word) if len(word) <= _KNOWN_WORD_LENGTH else _without(ASKING_WORDS, word)


def _without(rules: Iterable[Rule], text: str) -> str:
    for pattern, replacement, needs in rules:
        if needs in text:
            text = pattern.sub(replacement, text)
    return text


def english_head(question: str) -> str:
    """Return what stands before the first preposition of an English question, or nothing."""
    found = _PREPOSITION.search(question) if question.isascii() else None
    return question[: found.start()] if found else ""


def without_particle(word: str) -> str:
    """Return the word without its particle; a doubtful particle stays on a short word ("종이")."""
    if len(word) > 2 and word[-2:] in _LONG_PARTICLES:
        return word[:-2]
    if (
        len(word) > 1
        and word[-1] in _SHORT_PARTICLES
        and (word[-1] not in _UNCLEAR_PARTICLES or len(word) > 3)
    ):
        return word[:-1]
    return word


def shortest_stem(word: str) -> str:
    """Return the word without its longest particle, whatever is left but one syllable."""
    if len(word) > 3 and word[-2:] in _LONG_PARTICLES:
        return word[:-2]
    return word[:-1] if len(word) > 2 and word[-1] in _SHORT_PARTICLES else word


def stems(word: str) -> set[str]:
    """Return every reading of the word as a stem with one particle or none."""
    read = {word}
    if word[-2:] in _LONG_PARTICLES:
        read.add(word[:-2])
    if word[-1:] in _SHORT_PARTICLES:
        read.add(word[:-1])
    return read - {""}


def _canonical(text: str) -> str:
    return unicodedata.normalize("NFKC", text).lower()


def jamo(syllable: str) -> tuple[int, int, int] | None:
    """Return the numbers of a Hangul syllable's initial, vowel and final; None for any other character."""
    code = ord(syllable)
    if not _FIRST_SYLLABLE <= code <= _LAST_SYLLABLE:
        return None
    body, final = divmod(code - _FIRST_SYLLABLE, _FINALS)
    return *divmod(body, _VOWELS), final


class _Folds(dict[int, str]):
    """What each character is folded to, worked out when it is first met."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        self[code] = folded = _fold_syllable(char) if char.isalnum() else ""
        return folded


def _fold_syllable(char: str) -> str:
    if (sounds := jamo(char)) is None:
        return char
    initial, vowel, final = sounds
    initial, vowel = _INITIAL_TWIN.get(initial, initial), _VOWEL_TWIN.get(vowel, vowel)
    return chr(_FIRST_SYLLABLE + (initial * _VOWELS + vowel) * _FINALS + final)


_FOLDS: Final = _Folds()


def _fold(text: str) -> str:
    return _canonical(text).translate(_FOLDS)


_fold_known = lru_cache(_KNOWN_WORDS)(_fold)
_told_known = lru_cache(_KNOWN_WORDS)(partial(_without, ASKING_WORDS))

FOLDED_PARTICLES: Final = frozenset(map(fold, _PARTICLES))
