"""Finds the place, the district and the day a clause speaks of."""

import re

from eco2_sandbox.brain.words import CITIES, DATE_WORDS, NOT_DISTRICTS, any_of

_DISTRICT = re.compile(
    r"(?<![가-힣])(?P<name>[가-힣]{1,5}(?:특별자치시|광역시|특별시|시|군|구))"
    r"(?=$|[\s?.,!]|에서|에|의|은|는|도|로|쪽|날씨|근처|이?야|인데|이에요|예요)"
)
_PLACE = re.compile(
    r"(?<![가-힣])(?!지역|구역|영역|운동|활동|행동|자동|이동|수동|냉동|공동|아동)(?P<name>[가-힣]{1,6}(?:"
    r"(?:역|동|읍|면)(?=\s*(?:근처|주변|에서|에 있|쪽|가까))|[역동](?=에?\s)))"
)
_DISTRICT_EN = re.compile(r"\b[A-Z][a-z]+[- ](?:gu|si|gun)\b", re.IGNORECASE)
_PLACE_EN = re.compile(
    r"\b(?:near|around|at|by)\s+(?!me\b|my\b|here\b|the\b|home\b)"
    r"(?P<name>[A-Z][\w-]*(?:\s(?:City Hall|[A-Z][\w-]*))?(?:\s[Ss]tation)?)"
)
_CITY = re.compile(
    rf"(?<![가-힣A-Za-z])(?:{'|'.join(CITIES)})(?=$|[\s?.,!]|시|에|의|은|는|역|날씨|[A-Z])", re.IGNORECASE
)
_DATE = any_of(DATE_WORDS)


def date_in(clause: str) -> str | None:
    """Return the day a clause names, in its own words."""
    found = _DATE.search(clause)
    return found[0] if found else None


def district_in(clause: str) -> str | None:
    """Return the city, county or district named in a clause, as "강남구"."""
    english = _DISTRICT_EN.search(clause)
    if english:
        return english[0]
    names = [found["name"] for found in _DISTRICT.finditer(clause)]
    return next((name for name in names if len(name) > 1 and not name.endswith(tuple(NOT_DISTRICTS))), None)


def place_in(clause: str) -> str | None:
    """Return the spot or the city named in a clause."""
    spot = _PLACE.search(clause) or _PLACE_EN.search(clause)
    city = _CITY.search(clause)
    return spot["name"] if spot else city[0] if city else None


def without_places(text: str) -> str:
    """Return the text without the names of places in it."""
    for name in (district_in(text), place_in(text)):
        if name:
            text = re.sub(rf"{re.escape(name)}(?:에서|에|시|의)?(?:\s|$)", " ", text)
    return text


def without_dates(text: str) -> str:
    """Return the text without the days it names."""
    return _DATE.sub("", text)
