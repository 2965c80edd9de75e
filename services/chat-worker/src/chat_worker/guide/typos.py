"""Find names written with one sound wrong, lacking or too many: "형강등" is "형광등", "테잎" is "테이프"."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Final

from chat_worker.guide.normalise import jamo

# A shorter name with a wrong sound is as likely to be another word.
SHORTEST: Final = 3

_INITIALS: Final = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"
_FINALS: Final = " ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ"
_FIRST_VOWEL: Final = ord("ㅏ")
_LONGEST_HALF: Final = 5


class Lookalikes:
    """Folded names, found by spellings that sound the same or differ in one sound."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
        self._beginnings: set[str] = set()
        self._endings: set[str] = set()
        for name in names:
            if len(name) >= SHORTEST and not name.isascii():
                sounds = _sounds(name)
                self._beginnings.update(sounds[:size] for size in range(1, _LONGEST_HALF + 1))
                self._endings.update(sounds[-size:] for size in range(1, _LONGEST_HALF + 1))
                for shortened in _shortened(sounds):
                    self._names[shortened].append((name, sounds))

    def of(self, word: str) -> Iterator[str]:
        """Yield the names that sound like the folded word."""
        if word.isascii():
            return
        sounds = _sounds(word)
        half = min((len(sounds) - 1) // 2, _LONGEST_HALF)
        # The wrong sound is in one half, so the other begins or ends a name. Most words end here.
        if half and sounds[:half] not in self._beginnings and sounds[-half:] not in self._endings:
            return
        # Two spellings one sound apart are the same when both lose a sound at the right place.
        found = {pair for shortened in _shortened(sounds) for pair in self._names.get(shortened, ())}
        yield from sorted(name for name, others in found if _at_most_one_apart(sounds, others))


class _Sounds(dict[int, str]):
    """The letters that each character sounds like, worked out when it is first met."""

    def __missing__(self, code: int) -> str:
        self[code] = sounds = _sounds_of(chr(code))
        return sounds


_SOUNDS: Final = _Sounds()


def _sounds(word: str) -> str:
    """Return a letter per sound: "찌꺽이" and "찌꺼기" are the same."""
    return word.translate(_SOUNDS)


def _sounds_of(char: str) -> str:
    if (sounds := jamo(char)) is None:
        return char
    initial, vowel, final = sounds
    # A syllable that begins with ㅇ begins with its vowel.
    spelt = _INITIALS[initial].replace("ㅇ", "") + chr(_FIRST_VOWEL + vowel) + _FINALS[final]
    return spelt.rstrip()


def _shortened(sounds: str) -> set[str]:
    return {sounds, *(sounds[:at] + sounds[at + 1 :] for at in range(len(sounds)))}


def _at_most_one_apart(left: str, right: str) -> bool:
    short, long = sorted((left, right), key=len)
    same = next((at for at, sound in enumerate(short) if sound != long[at]), len(short))
    return long[same + 1 :] in (short[same + 1 :], short[same:])
