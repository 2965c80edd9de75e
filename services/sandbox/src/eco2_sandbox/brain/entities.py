"""Finds the thing, the kind of place and the material a clause speaks of."""

import re

from eco2_sandbox.brain.nouns import ends_with_item, noun
from eco2_sandbox.brain.things import name_of, names_in
from eco2_sandbox.brain.wheres import without_places
from eco2_sandbox.brain.words import MATERIALS, any_of

_BEFORE_VERB = re.compile(
    r"^(?P<item>.*?)\s*(?:어떻게|어떡|어디|어느|버려|버리|버릴|버렸|분리|배출|재활용|쓰레기|처리|내놓|씻어|헹|떼|종량제"
    r"|수거함|수거|시세|가격|얼마|단가|매입|대형 ?폐기물|방법|근처|가까운|내놔"
    r"|일반 ?쓰레기|스티커|무상|방문 ?수거|팔면)"
)
_INTO_BOX = re.compile(r"^(?P<item>.+?)(?:은|는|도)?\s+\S*수거함에\s?(?:넣|버)")
_COLLECTED = re.compile(r"(?P<item>[가-힣]{1,20})(?:\s(?:넣는|버리는|모으는))?\s*수거함")
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
_SOUGHT = re.compile(
    r"(?P<item>(?:[가-힣]+\s)?[가-힣]*(?:제로\s?웨이스트\s?(?:샵|가게|매장|상점)?|리필\s?(?:스테이션|샵)"
    r"|재활용\s?센터|고물상|주민센터|동사무소|행정복지센터|약국|마트|편의점|중고\s?(?:가게|매장)))"
    r"|\b(?P<english>zero[- ]waste (?:shop|store)|refill (?:shop|store|station)|recycling cent(?:er|re)"
    r"|junk ?(?:shop|yard)"
    r"|community cent(?:er|re)|pharmacy|second-hand (?:shop|store))",
    re.IGNORECASE,
)
_ENDS_LIKE_VERB = re.compile(
    r"(?:(?<![장창금중광])고|[으하되려]면|[어아해여려라가]서|지만|다가|[는은운인던한]데)$"
)
_LEADS_IN = re.compile(
    r"\b(?:is|are|do|does|did|can|could|should|what|where|which|how|about|with|of|in|to|for|i|you|my|have|count|the"
    r"|an?|put|go|goes|and|or|off|from|need|into|rinse|wash|remove|separate|sort|flush)\b|[,.?!]",
    re.IGNORECASE,
)
# The patterns look from each letter on for the end of a name; nobody takes as long to name a thing.
_MOST_CHARS = 240
_MATERIAL = any_of(MATERIALS)


def item_in(clause: str) -> str | None:
    """Return the noun phrase about to be thrown away, in the user's words."""
    clause = without_places(clause[:_MOST_CHARS])
    for pattern in (*_ENGLISH, _INTO_BOX, _COLLECTED, _AFTER_VERB, _BEFORE_VERB):
        found = pattern.search(clause)
        item = noun(found["item"]) if found else ""
        if item and (ends_with_item(item) or not _ENDS_LIKE_VERB.search(item)):
            return item
    return None


def thing_in(clause: str) -> str | None:
    """Return the first everyday thing of a clause and what leads to it: "다 본 책", "coffee grounds"."""
    clause = without_places(clause[:_MOST_CHARS])
    last: re.Match[str] | None = None
    for named in names_in(clause):
        if last is not None and not _goes_on(clause, last, named):
            break
        last = named
    if last is None:
        return None
    before = _LEADS_IN.split(clause[: last.start()])[-1]
    return noun(f"{before}{last[0]}") or None


def _goes_on(clause: str, one: re.Match[str], after: re.Match[str]) -> bool:
    """Say whether the next name is the head of the same thing: "콜라 페트병", "pizza box"."""
    return not clause[one.end() : after.start()].strip() and name_of(one[0]) == one[0]


def sought_in(clause: str) -> str | None:
    """Return the kind of place a clause looks for."""
    found = _SOUGHT.search(clause)
    return (found["english"] or noun(found["item"])) if found else None


def material_in(clause: str) -> str | None:
    """Return the material named in a clause."""
    found = _MATERIAL.search(clause)
    return found[0] if found else None
