"""Takes the bare name of a thing out of a phrase."""

import re

from eco2_sandbox.brain.things import THINGS, name_of
from eco2_sandbox.brain.wheres import without_dates, without_places

_ARTICLE = re.compile(r"^(?:(?:an?|the|my|some|this|that|these|those|it|them)\b\s*)+", re.IGNORECASE)
_LEAD = re.compile(
    r"^(?:(?:혹시|저기|그럼|그러면|그런데|근데|저는|나는|내가|제가|집에서|안녕하세요|안녕|이거|그거|이건|그건"
    r"|저거|이것|그것|요즘|지금|근처|주변|가까운|집|동네에|우리|은|는|도|을|를)(?=\s|$)\s*)+"
)
_AMOUNT = re.compile(r"\s*(?:\d+\s?)?(?:kg|킬로그램|킬로|키로)(?:에|당)?$", re.IGNORECASE)
_PARTICLE_AFTER_FINAL = re.compile(r"(?:은|을|이랑)$")
_PARTICLE_AFTER_VOWEL = re.compile(r"(?:는|를|랑)$")
_POLITE = re.compile(r"(?<=[은는])요$")
_ENDS_LIKE_PARTICLE = ("마을", "가을", "지도", "포도", "온도")


def noun(text: str) -> str:
    """Return a phrase without the words that lead into it and the particle at its end."""
    text = _up_to_topic(text)
    phrase = _ARTICLE.sub("", _LEAD.sub("", without_dates(without_places(text)).strip(" ,.?!~"))).strip()
    return _LEAD.sub("", _without_particle(_AMOUNT.sub("", phrase) or phrase)).strip()


def ends_with_item(text: str) -> bool:
    """Say whether a text ends with the name of a thing people throw away."""
    last = text.strip(" ,.?!").rpartition(" ")[2]
    return bool(last) and name_of(last[-24:]) is not None


def _up_to_topic(text: str) -> str:
    """Leave out what is said about the thing: "배 껍질은 음식물" -> "배 껍질"."""
    marks = (found.start() for found in re.finditer(r"(?<=[가-힣])[은는]\s", text))
    end = next((at for at in marks if ends_with_item(text[:at])), len(text))
    return text[:end]


def _without_particle(phrase: str) -> str:
    phrase = _POLITE.sub("", phrase)
    if phrase[:-1] in THINGS and phrase[-1] in "은는이도":
        return phrase[:-1]
    if len(phrase) < 3 or phrase.endswith(_ENDS_LIKE_PARTICLE):
        return phrase
    closed = re.sub(r"(?:이랑|랑|[은는을를])$", "", phrase)
    before = closed[-1:]
    has_final = "가" <= before <= "힣" and (ord(before) - ord("가")) % 28 > 0
    particle = _PARTICLE_AFTER_FINAL if has_final else _PARTICLE_AFTER_VOWEL
    return closed if particle.search(phrase) else phrase
