"""Finds the thing, the material, the place and the day a clause speaks of."""

import re

from eco2_sandbox.brain.words import CITIES, DATE_WORDS, ITEMS, MATERIALS, NOT_DISTRICTS, any_of

_BEFORE_VERB = re.compile(
    r"^(?P<item>.*?)\s*(?:어떻게|어떡|어디|어느|버려|버리|버릴|버렸|분리|배출|재활용|쓰레기|처리|내놓|씻어|헹|떼|종량제"
    r"|수거함|수거|시세|가격|얼마|단가|대형 ?폐기물|방법|근처|가까운)"
)
_COLLECTED = re.compile(r"(?P<item>[가-힣]+)\s*수거함")
_AFTER_VERB = re.compile(
    r"(?:버리려는|버리고 싶은|버릴)\s+(?P<item>[가-힣A-Za-z0-9 ]+?)(?:이|가|은|는|을|를)\s"
)
_ENGLISH = (
    re.compile(
        r"\b(?:throw(?:ing)? (?:away|out)|throw|dispos(?:e|ing) of|recycl(?:e|ing)|get rid of|discard)\s+"
        r"(?P<item>[\w' -]+?)(?:\s+(?:in|at|near|on|today|tomorrow|properly|please)\b|[?.!,]|$)",
        re.IGNORECASE,
    ),
    re.compile(r"\bwhere do(?:es)?\s+(?P<item>[\w' -]+?)\s+go\b", re.IGNORECASE),
    re.compile(r"\b(?:is|are)\s+(?P<item>[\w' -]+?)\s+recyclable", re.IGNORECASE),
)
_ARTICLE = re.compile(r"^(?:(?:an?|the|my|some|this|that|these|those|it|them)\b\s*)+", re.IGNORECASE)
_LEAD = re.compile(
    r"^(?:(?:혹시|저기|그럼|그러면|그런데|근데|저는|나는|내가|제가|집에서|안녕하세요|안녕|이거|그거|이건|그건|저거|이것|그것"
    r"|은|는|도|을|를)(?=\s|$)\s*)+"
)
_PARTICLE_AFTER_FINAL = re.compile(r"(?:은|을|이랑)$")
_PARTICLE_AFTER_VOWEL = re.compile(r"(?:는|를|랑)$")
_ENDS_LIKE_VERB = re.compile(r"(?:하고|하면|해서|어서|아서|지만|다가|씻고|떼고)$")
_ENDS_LIKE_PARTICLE = ("마을", "가을", "지도", "포도", "온도")
_DISTRICT = re.compile(
    r"(?<![가-힣])(?P<name>[가-힣]{1,5}(?:특별자치시|광역시|특별시|시|군|구))"
    r"(?=$|[\s?.,!]|에서|에|의|은|는|도|로|쪽|날씨|근처|이?야|인데|이에요|예요)"
)
_PLACE = re.compile(
    r"(?<![가-힣])(?P<name>[가-힣]{1,6}(?:역|동|읍|면))(?=\s*(?:근처|주변|에서|에 있|쪽|가까))"
)
_CITY = re.compile(
    rf"(?<![가-힣A-Za-z])(?:{'|'.join(CITIES)})(?=$|[\s?.,!]|시|에|의|은|는|역|날씨|[A-Z])", re.IGNORECASE
)
_DATE = any_of(DATE_WORDS)
_MATERIAL = any_of(MATERIALS)
_LAST_ITEM = re.compile("|".join(sorted(map(re.escape, ITEMS), key=len, reverse=True)), re.IGNORECASE)


def item_in(clause: str) -> str | None:
    """Return the noun phrase about to be thrown away, in the user's words."""
    for pattern in (*_ENGLISH, _COLLECTED, _AFTER_VERB, _BEFORE_VERB):
        found = pattern.search(clause)
        item = noun(found["item"]) if found else ""
        if item and not _ENDS_LIKE_VERB.search(item):
            return item
    return None


def noun(text: str) -> str:
    """Return a phrase without the words that lead into it and the particle at its end."""
    text = _up_to_topic(text)
    phrase = _ARTICLE.sub("", _LEAD.sub("", _DATE.sub("", _without_places(text)).strip(" ,.?!~"))).strip()
    return _LEAD.sub("", _without_particle(phrase)).strip()


def ends_with_item(text: str) -> bool:
    """Say whether a text ends with the name of a thing people throw away."""
    last = text.strip(" ,.?!").lower().rpartition(" ")[2]
    return any(last == item or (not item.isascii() and last.endswith(item)) for item in ITEMS)


def material_in(clause: str) -> str | None:
    """Return the material named in a clause."""
    return _first(_MATERIAL, clause)


def date_in(clause: str) -> str | None:
    """Return the day a clause names, in its own words."""
    return _first(_DATE, clause)


def district_in(clause: str) -> str | None:
    """Return the city, county or district named in a clause, as "강남구"."""
    names = [found["name"] for found in _DISTRICT.finditer(clause)]
    return next((name for name in names if len(name) > 1 and not name.endswith(tuple(NOT_DISTRICTS))), None)


def place_in(clause: str) -> str | None:
    """Return the spot or the city named in a clause."""
    spot = _PLACE.search(clause)
    return spot["name"] if spot else _first(_CITY, clause)


def _first(pattern: re.Pattern[str], clause: str) -> str | None:
    found = pattern.search(clause)
    return found[0] if found else None


def _up_to_topic(text: str) -> str:
    """Leave out what is said about the thing: "배 껍질은 음식물" -> "배 껍질"."""
    marks = (found.start() for found in re.finditer(r"(?<=[가-힣])[은는]\s", text))
    end = next((at for at in marks if ends_with_item(text[:at])), len(text))
    return text[:end]


def _without_places(text: str) -> str:
    for name in (district_in(text), place_in(text)):
        if name:
            text = re.sub(rf"{re.escape(name)}(?:에서|에|시|의)?(?:\s|$)", " ", text)
    return text


def _without_particle(phrase: str) -> str:
    if len(phrase) < 3 or phrase.endswith(_ENDS_LIKE_PARTICLE):
        return phrase
    closed = re.sub(r"(?:이랑|랑|[은는을를])$", "", phrase)
    before = closed[-1:]
    has_final = "가" <= before <= "힣" and (ord(before) - ord("가")) % 28 > 0
    particle = _PARTICLE_AFTER_FINAL if has_final else _PARTICLE_AFTER_VOWEL
    return closed if particle.search(phrase) else phrase
