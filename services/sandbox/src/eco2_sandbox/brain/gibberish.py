"""Tells text that means nothing: lone letters, keyboard rows, syllables that no word has."""

import re

_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_RUN = 4
_WORD = re.compile(r"[A-Za-z]+|[가-힣]+|[ㄱ-ㅎㅏ-ㅣ]+|\d+")
_NO_VOWEL = re.compile(r"[bcdfghjklmnpqrstvwxz]{4,}", re.IGNORECASE)


def is_gibberish(text: str) -> bool:
    """Say whether most of the words of a text are none."""
    words = _WORD.findall(text)
    return sum(map(_is_noise, words)) * 2 > len(words) if words else True


def _is_noise(word: str) -> bool:
    if re.fullmatch(r"[ㄱ-ㅎㅏ-ㅣ]+", word):
        return True
    if re.fullmatch(r"[가-힣]+", word):
        return sum(map(_is_rare, word)) * 2 > len(word)
    return _is_keyboard_run(word.lower()) or bool(_NO_VOWEL.fullmatch(word))


def _is_rare(syllable: str) -> bool:
    # The old standard lists the syllables that Korean words use; it has two bytes for each of them.
    return len(syllable.encode("euc_kr", errors="replace")) != 2


def _is_keyboard_run(word: str) -> bool:
    runs = (word[at : at + _RUN] for at in range(len(word) - _RUN + 1))
    return any(run in row or run[::-1] in row for run in runs for row in _ROWS)
