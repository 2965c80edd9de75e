"""Knows everyday things by name: what a household has, what is bulky, and what no household has."""

import re
from functools import lru_cache
from importlib import resources

_DATA = resources.files("eco2_sandbox.brain").joinpath("data")


def lines_of(name: str) -> list[str]:
    """Return the lines of one of the tables that people can edit."""
    return _DATA.joinpath(name).read_text(encoding="utf-8").splitlines()


def words_of(name: str) -> frozenset[str]:
    """Return the words of one of the tables."""
    return frozenset(word for line in lines_of(name) for word in line.split())


BULKY = words_of("bulky.txt")
THINGS = words_of("things_ko.txt") | words_of("things_en.txt") | BULKY
ODD = words_of("odd.txt")
# A word may end with one of these and still be another word.
_NO_THINGS = words_of("no_things.txt")
_PARTICLES = (
    *(
        "이랑",
        "하고",
        "에는",
        "에도",
        "에서",
        "에다",
        "으로",
        "에요",
        "예요",
        "이요",
        "이야",
        "인데",
        "이나",
        "까지",
    ),
    *(
        "부터",
        "처럼",
        "같은",
        "만은",
        "이에요",
        "은요",
        "는요",
        "인가",
        "인가요",
        "인지",
        "이지",
        "이죠",
        "들은",
    ),
    *(
        "은",
        "는",
        "이",
        "가",
        "을",
        "를",
        "도",
        "만",
        "와",
        "과",
        "랑",
        "로",
        "에",
        "의",
        "요",
        "야",
        "들",
        "나",
        "고",
    ),
)
_TOKEN = re.compile(r"[가-힣]+|[A-Za-z][A-Za-z-]*")
# Two words that are one name in English stand with a hyphen in the tables.
_PAIR = re.compile(
    r"\b(?:" + "|".join(sorted(name.replace("-", " ") for name in THINGS | ODD if "-" in name)) + r")s?\b",
    re.IGNORECASE,
)
_LONGEST = 8
# A longer word that ends like a verb does not end with a name: "가져가시나요" holds no fish bone.
_VERB = re.compile(r"(?:나요|어요|아요|해요|니다|까요|세요|려고|려면|는데|지만|면서|어서|아서)$")
# One syllable is a name by itself or at the end of a longer one only where it is such an ending.
_ENDINGS = frozenset("병캔컵팩통칼옷뼈펜책랩폰씨약")


@lru_cache(maxsize=4096)
def name_of(token: str, *, of: frozenset[str] = THINGS) -> str | None:
    """Return the token without its particle when it names one of these things, or ends with such a name."""
    if token.isascii():
        return token if any(form in of for form in _singulars(token.lower())) else None
    stems = _stems(token)
    named = next((stem for stem in stems if stem in of), None)
    if named or _VERB.search(token):
        return named
    return next((stem for stem in stems if _ends_with(stem, of)), None)


def names_in(text: str, *, of: frozenset[str] = THINGS) -> list[re.Match[str]]:
    """Return the words of a text that name things."""
    return [found for found in _TOKEN.finditer(_PAIR.sub(_joined, text)) if name_of(found[0][-24:], of=of)]


def is_bulky(text: str) -> bool:
    """Say whether a text names something too big for a bag."""
    # What goes "변기에" is not the toilet.
    return any(not found[0].endswith(("에", "에서")) for found in names_in(text, of=BULKY))


def odd_in(text: str) -> list[str]:
    """Return the things of a text that no household has, without particles."""
    return [name for found in names_in(text, of=ODD) if (name := name_of(found[0], of=ODD))]


def _joined(pair: re.Match[str]) -> str:
    # As long as before, so that places in the text stay what they are.
    return pair[0].replace(" ", "-")


def _stems(token: str) -> list[str]:
    stems = [token]
    for _ in range(2):
        last = stems[-1]
        particle = next((one for one in _PARTICLES if last.endswith(one) and len(last) > len(one)), None)
        if particle is None:
            break
        stems.append(last[: -len(particle)])
    return stems


def _ends_with(stem: str, of: frozenset[str]) -> bool:
    if stem in _NO_THINGS:
        return False
    tails = (stem[-size:] for size in range(2, min(len(stem), _LONGEST)))
    if any(tail in of for tail in tails):
        return of is not ODD
    return of is THINGS and len(stem) > 1 and stem[-1] in _ENDINGS


def _singulars(word: str) -> tuple[str, ...]:
    forms = [word]
    if word.endswith("ies"):
        forms.append(word[:-3] + "y")
    if word.endswith("ves"):
        forms += [word[:-3] + "fe", word[:-3] + "f"]
    if word.endswith("es"):
        forms.append(word[:-2])
    if word.endswith("s") and not word.endswith("ss"):
        forms.append(word[:-1])
    return tuple(forms)
