"""Finds the thing, the material, the place and the day a clause speaks of."""

import re

from eco2_sandbox.brain.words import CITIES, DATE_WORDS, ITEMS, MATERIALS, NOT_DISTRICTS, any_of

_BEFORE_VERB = re.compile(
    r"^(?P<item>.*?)\s*(?:어떻게|어떡|어디|어느|버려|버리|버릴|버렸|분리|배출|재활용|쓰레기|처리|내놓|씻어|헹|떼|종량제"
    r"|수거함|수거|시세|가격|얼마|단가|매입|대형 ?폐기물|방법|근처|가까운|내놔"
    r"|일반 ?쓰레기|스티커|무상|방문 ?수거|팔면)"
)
_INTO_BOX = re.compile(r"^(?P<item>.+?)(?:은|는|도)?\s+\S*수거함에\s?(?:넣|버)")
_COLLECTED = re.compile(r"(?P<item>[가-힣]+)(?:\s(?:넣는|버리는|모으는))?\s*수거함")
_AFTER_VERB = re.compile(
    r"(?:버리려는|버리고 싶은|버릴)\s+(?P<item>[가-힣A-Za-z0-9 ]+?)(?:이|가|은|는|을|를)\s"
)
_THING = r"(?P<item>[\w' -]+?)"
_ENGLISH = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"\b(?:have|got)\s+(?=(?:an?|some|my)\s){_THING}\s*[.,!?]",
        rf"\bput\s+{_THING}\s+(?:in|into)\b",
        rf"\b(?:label|lid|cap)s? (?:from|of|off)\s+{_THING}(?:[?.!,]|$)",
        rf"\b(?:what (?:do|should) i do|what to do) with\s+{_THING}(?:[?.!,]|$)",
        r"\b(?:throw(?:ing)? (?:away|out)|throw(?!\s(?:it|this|that|them)\b)|dispos(?:e|ing) of"
        r"|recycl(?:e|ing)(?!\s(?:bin|cent|news|polic|rule|poster|robot|campaign))"
        r"|(?:get|getting) rid of|discard)\s+"
        rf"{_THING}(?:\s+(?:in|at|near|on|today|tomorrow|properly|please)\b|[?.!,]|$)",
        rf"\b(?:where|which bin) (?:do(?:es)?|should)\s+{_THING}\s+(?:go|be)\b",
        rf"\b(?:is|are|can)\s+{_THING}\s+(?:recyclable|be recycled)",
        rf"\bdrop(?:ping)?[- ]off (?:(?:point|box|place)s? for )?(?!point|box|place|near|close){_THING}"
        r"(?:\s+(?:in|at|near|around)\b|[?.!,]|$)",
        rf"\b(?:an?|any|the|nearest|closest)\s+(?!the\b){_THING}\s+(?:collection|drop-off|donation|bin\b)",
        rf"\bprices? (?:of|for)\s+{_THING}(?:\s+(?:per|these|in|now|today)\b|[?.!,]|$)",
        rf"\bhow much (?:is|are|for)\s+(?!the\s(?:fee|cost)){_THING}"
        r"(?:\s+(?:per|these|in|now|today|worth|prices?)\b|[?.!,]|$)",
        rf"\b(?:current|today's)\s+{_THING}\s+prices?\b",
        rf"\b(?:sticker|fee|pick up|pick-up service) for\s+{_THING}(?:\s+in\b|[?.!,]|$)",
    )
)
_ARTICLE = re.compile(r"^(?:(?:an?|the|my|some|this|that|these|those|it|them)\b\s*)+", re.IGNORECASE)
_LEAD = re.compile(
    r"^(?:(?:혹시|저기|그럼|그러면|그런데|근데|저는|나는|내가|제가|집에서|안녕하세요|안녕|이거|그거|이건|그건|저거|이것|그것|요즘|지금|근처|주변|가까운|집|동네에|우리"
    r"|은|는|도|을|를)(?=\s|$)\s*)+"
)
_SOUGHT = re.compile(
    r"(?P<item>(?:[가-힣]+\s)?[가-힣]*(?:제로\s?웨이스트\s?(?:샵|가게|매장|상점)?|리필\s?(?:스테이션|샵)"
    r"|재활용\s?센터|고물상|주민센터|동사무소|행정복지센터|약국|마트|편의점|중고\s?(?:가게|매장)))"
    r"|\b(?P<english>zero[- ]waste (?:shop|store)|refill (?:shop|store|station)|recycling cent(?:er|re)"
    r"|junk ?(?:shop|yard)"
    r"|community cent(?:er|re)|pharmacy|second-hand (?:shop|store))",
    re.IGNORECASE,
)
_AMOUNT = re.compile(r"\s*(?:\d+\s?)?(?:kg|킬로그램|킬로|키로)(?:에|당)?$", re.IGNORECASE)
_PARTICLE_AFTER_FINAL = re.compile(r"(?:은|을|이랑)$")
_PARTICLE_AFTER_VOWEL = re.compile(r"(?:는|를|랑)$")
_ENDS_LIKE_VERB = re.compile(r"(?:하고|하면|해서|어서|아서|지만|다가|씻고|떼고)$")
_ENDS_LIKE_PARTICLE = ("마을", "가을", "지도", "포도", "온도")
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
_MATERIAL = any_of(MATERIALS)
_LAST_ITEM = re.compile("|".join(sorted(map(re.escape, ITEMS), key=len, reverse=True)), re.IGNORECASE)


def item_in(clause: str) -> str | None:
    """Return the noun phrase about to be thrown away, in the user's words."""
    clause = _without_places(clause)
    for pattern in (*_ENGLISH, _INTO_BOX, _COLLECTED, _AFTER_VERB, _BEFORE_VERB):
        found = pattern.search(clause)
        item = noun(found["item"]) if found else ""
        if item and not _ENDS_LIKE_VERB.search(item):
            return item
    return None


def sought_in(clause: str) -> str | None:
    """Return the kind of place a clause looks for."""
    found = _SOUGHT.search(clause)
    return (found["english"] or noun(found["item"])) if found else None


def noun(text: str) -> str:
    """Return a phrase without the words that lead into it and the particle at its end."""
    text = _up_to_topic(text)
    phrase = _ARTICLE.sub("", _LEAD.sub("", _DATE.sub("", _without_places(text)).strip(" ,.?!~"))).strip()
    return _LEAD.sub("", _without_particle(_AMOUNT.sub("", phrase) or phrase)).strip()


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
    english = _DISTRICT_EN.search(clause)
    if english:
        return english[0]
    names = [found["name"] for found in _DISTRICT.finditer(clause)]
    return next((name for name in names if len(name) > 1 and not name.endswith(tuple(NOT_DISTRICTS))), None)


def place_in(clause: str) -> str | None:
    """Return the spot or the city named in a clause."""
    spot = _PLACE.search(clause) or _PLACE_EN.search(clause)
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
    if phrase[:-1] in ITEMS and phrase[-1] in "은는이도":
        return phrase[:-1]
    if len(phrase) < 3 or phrase.endswith(_ENDS_LIKE_PARTICLE):
        return phrase
    closed = re.sub(r"(?:이랑|랑|[은는을를])$", "", phrase)
    before = closed[-1:]
    has_final = "가" <= before <= "힣" and (ord(before) - ord("가")) % 28 > 0
    particle = _PARTICLE_AFTER_FINAL if has_final else _PARTICLE_AFTER_VOWEL
    return closed if particle.search(phrase) else phrase
