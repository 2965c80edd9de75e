"""Bring names and questions to one spelling, and a question down to the thing it asks about."""

import re
import unicodedata
from functools import lru_cache
from typing import Final

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

_KINDS: Final = (
    "플라스틱|비닐|종이팩|종이|유리병|유리|캔|고철|금속|스티로폼"
    "|음식물|일반|종량제|재활용|불연성|의류|소각용|대형"
)
_BINS: Final = "류|쓰레기|폐기물|봉투|봉지|수거함|함|통|마대"
_COPULA: Final = (
    "으로|로|에다가?|에|인가요?|인지|이에요|예요|이야|야|이죠|죠|일까요?|맞|아니|냐|입니까|이랑|랑|중"
    "|임|이지|이냐|이라"
)

_KOREAN_BOILERPLATE: Final = tuple(
    re.compile(pattern)
    for pattern in (
        # "소파 버릴 때 스티커": what is thrown away stands before the verb.
        r"(?<=\S)\s+버(?:릴\s?때|리려면|릴려면).*",
        # "페트병에 넣나요", "비닐에 담긴 김치": the place, not the thing.
        r"(?<!\S)\S+에(?:다가?|도)?\s+(?:넣|담|버려도|버리면)\S*",
        r"(?<!\S)(?:음쓰|일쓰|재활용품?)\S*",
        # "음식물쓰레기인가요", "플라스틱으로": where it might go, not what it is.
        rf"(?<!\S)(?:{_KINDS})(?:\s?(?:{_BINS}))*(?:{_COPULA})\S*",
        r"(?<!\S)(?:일반|재활용|생활)\s?쓰레기\S*",
        r"버[리려릴린립렸림]\S*",
        r"(?:분리\s?)?(?:수거|배출)(?!함)\S*",
        r"분리\s?하\S*",
        r"재활용(?!센터)\S*",
        r"(?:처리|처분|폐기|정리)(?!물)(?:하|해|방|법|는|를|할|될|되|돼|요)\S*",
        r"(?<!\S)(?:처리|처분|폐기)(?!\S)",
        r"(?<!\S)(?:내놓|내놔|내다|갖다|넣|담아|담으|빼야|떼야|알려|가르쳐|궁금|말해|설명|부탁)\S*",
        r"(?<!\S)(?:어떻게|어떻해|어케|어캐|어캄|어찌|어쩌\S*|어떡\S*|어디\S*|어따|어느)(?!\S)",
        r"(?<!\S)(?:무슨|무엇\S*|뭐\S*|뭘\S*|왜|언제|얼마\S*)(?!\S)",
        r"(?<!\S)(?:하나요?|하죠|해요|해야\S*|하면|할까요?|하는지|되나요?|되는지|돼요?|되요|될까요?|되죠)(?!\S)",
        r"(?<!\S)(?:된다\S*|인가요?|맞나요?|맞아요?|있나요?|있어요?|같은데|있는데|했는데|생겼는데)(?!\S)",
        r"(?<!\S)(?:좀|이거|저거|이건|그거|우리|집에|집|제가|나는|방법\S*|법\S*|요령|방식|때|거|것|건)(?!\S)",
        r"(?<!\S)(?:쓰레기|쓰레기통\S*|다|쓴|다쓴|안|못|수|그냥|따로|같이|함께|혹시|요즘|됨|함|해|임)(?!\S)",
        r"(?<!\S)(?:오래된|낡은|쓰던|사용한|고장\S*|남은|먹다|먹고|시켜\S*|씻\S*)(?!\S)",
    )
)
_ENGLISH_BOILERPLATE: Final = tuple(
    re.compile(pattern)
    for pattern in (
        r"\b(?:can|could|should|do|does|may|must|would)\s+(?:i|we|you|they|it|this|the|my|people)\b",
        r"^(?:can|could)\s+(?=\S+\s)",
        r"\b(?:how|where|what|which|when|i|we|you|to|the|a|an|my|is|are|be|it|in|into|of|for|with)\b",
        r"\b(?:this|that|these|and|or|old|used|empty|throw|throwing|away|out|dispos\w*|recycl\w*)\b",
        r"\b(?:trash|garbage|bins?|put|get|rid|please|tell|me|goes|go|korea|seoul|discard\w*)\b",
    )
)

_PUNCTUATION: Final = re.compile(r"[^\w\s]|_")
_LATIN: Final = re.compile("[a-z]")


def fold(text: str) -> str:
    """Return text in one spelling: NFKC, lower case, letters and digits only, sound-alikes merged."""
    return _fold_known(text) if len(text) <= _KNOWN_WORD_LENGTH else _fold(text)


def content_words(question: str) -> list[str]:
    """Return the words that name the thing asked about; all words when only boilerplate is left."""
    plain = _PUNCTUATION.sub(" ", _canonical(question))
    rest = plain
    if not plain.isascii():
        for pattern in _KOREAN_BOILERPLATE:
            rest = pattern.sub(" ", rest)
    if _LATIN.search(rest):
        for pattern in _ENGLISH_BOILERPLATE:
            rest = pattern.sub(" ", rest)
    return rest.split() or plain.split()


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
    return min((stem for stem in stems(word) if len(stem) > 1), key=len, default=word)


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

FOLDED_PARTICLES: Final = frozenset(map(fold, _PARTICLES))
