"""Weighs a clause: how much it speaks for each intent."""

import re
from dataclasses import dataclass
from functools import lru_cache

from eco2_sandbox.brain import things
from eco2_sandbox.brain.cues import BULKY_WISH, CUES
from eco2_sandbox.brain.prompt import Language, language_of
from eco2_sandbox.brain.words import any_of, listed

# From the first score on a clause asks for something; from the second on it does so by its own words.
ASKS, CLEARLY_ASKS = 3.0, 4.0
_THING, _THING_ASKED_ABOUT, _BULKY = 1.5, 1.5, 0.5
_BULKY_WISHED_AWAY = 9.0
_ALIEN = -4.0
# A wish is told by its first words and its last ones.
_MOST_CHARS = 240

_QUESTION = re.compile(
    r"\?|(?:은|는|건|거|것|은요|는요|건요|요|나|까|지|냐|야|줘|해|돼|되|좀|법|방법|임|음|ㅁ|가|려고|라고|죠|데|다)\s*[.~!]*$"
    r"|어떻|어떡|어디|어느|무슨|뭘로|뭐로"
    r"|\b(?:how|what|where|which|is|are|do|does|should|can|need|what's|where's)\b",
)
# What people do with things beside throwing them away, and what they ask beside how to.
_ELSEWHERE: dict[Language, re.Pattern[str]] = {
    "ko": any_of(
        listed("""
            무슨 뜻, 뜻이, 의미, 추천, 레시피, 요리, 먹었어, 먹지, 먹을까, 먹을래, 먹니, 맛있, 사고 싶, 살까,
            샀어, 뭐 사, 사 줘, 읽기, 예쁘, 예뻐, 귀여, 만들어, 만드는, 노래, 발명, 번역, 재밌, 재미있, 농담,
            읽어, 왜, 사랑, 역사
        """)
    ),
    "en": any_of(
        listed("""
            jokes?, recipes?, cook, meaning, mean, translate, invent\\w*, favou?rite, song, write, wrote,
            capital, poem, best, love, like, slow, bored, homework, story
        """)
    ),
}


@dataclass(frozen=True)
class Score:
    """The intent that a clause speaks for most, how much, and how much it does for the next."""

    intent: str
    best: float
    next_best: float

    @property
    def asks(self) -> bool:
        """Say whether this is enough to be a wish."""
        return self.best >= ASKS


@lru_cache(maxsize=4096)
def score(clause: str) -> Score:
    """Return the score of a clause; of equal intents the more particular one wins."""
    text = _both_ends(clause).lower()
    sums = dict.fromkeys(_PARTICULAR_FIRST, 0.0)
    languages: tuple[Language, ...] = ("ko", "en") if re.search("[a-z]{3}", text) else ("ko",)
    for language in languages if language_of(text) == "ko" else ("en",):
        for cue in CUES[language]:
            if cue.speaks(text):
                sums[cue.intent] += cue.weight
    _add_things(sums, text)
    first, second = sorted(sums, key=lambda intent: -sums[intent])[:2]
    return Score(first, sums[first], sums[second])


def _add_things(sums: dict[str, float], text: str) -> None:
    language = language_of(text)
    if _ELSEWHERE[language].search(text):
        sums["waste"] += _ALIEN
    if not things.names_in(text):
        return
    is_bulky = things.is_bulky(text)
    about = "bulk_waste" if is_bulky else "waste"
    sums[about] += _THING + _BULKY * is_bulky
    if _QUESTION.search(text):
        sums[about] += _THING_ASKED_ABOUT
    if is_bulky and BULKY_WISH[language].search(text):
        sums[about] += _BULKY_WISHED_AWAY
    sums["recyclable_price"] += _THING if sums["recyclable_price"] else 0


def _both_ends(clause: str) -> str:
    half = _MOST_CHARS // 2
    return clause if len(clause) <= _MOST_CHARS else f"{clause[:half]} {clause[-half:]}"


_PARTICULAR_FIRST = (
    *("image_generation", "character", "bulk_waste", "collection_point", "recyclable_price", "weather"),
    *("web_search", "waste", "location"),
)
