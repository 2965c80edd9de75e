"""On which days the user's municipality takes what: an extra to a waste answer when the district is known."""

from chat_worker.agents.findings import found, not_found, passage, together, told
from chat_worker.agents.where import district_of
from chat_worker.domain import Finding, Language, Passage, Turn
from chat_worker.ports import Tools
from chat_worker.ports.disposal import DisposalRules, PutOut

ZONES_SHOWN = 2
_SOURCE = "행정안전부 생활쓰레기배출정보"
_KINDS: dict[Language, tuple[str, str, str]] = {
    "ko": ("일반쓰레기", "음식물", "재활용"),
    "en": ("general waste", "food waste", "recycling"),
}
_NOWHERE: dict[Language, str] = {"ko": "지역을 알 수 없어요.", "en": "The district is not known."}


async def household_waste(turn: Turn, tools: Tools) -> Finding:
    """The days and hours of the district's zones; raises a VendorError."""
    assert tools.household_waste is not None
    district = await district_of(turn, tools)
    if district is None:
        return not_found("household_waste", told(turn, _NOWHERE))
    rules = await tools.household_waste.rules(district)
    here = [rule for rule in rules if district.neighbourhood and district.neighbourhood in rule.area]
    return found("household_waste", [_passage(turn, rule) for rule in (here or rules)[:ZONES_SHOWN]])


def _passage(turn: Turn, rule: DisposalRules) -> Passage:
    kinds = zip(_KINDS[turn.language], (rule.general, rule.food, rule.recycling), strict=True)
    text = together(*(_when(kind, put_out) for kind, put_out in kinds), rule.place)
    title = f"{rule.district.name} {rule.zone}".strip()
    return passage(title, text, _SOURCE, section=rule.department, revised=rule.revised)


def _when(kind: str, put_out: PutOut) -> str:
    hours = f"{put_out.begins}~{put_out.ends}" if put_out.begins and put_out.ends else ""
    when = " ".join(part for part in (put_out.days, hours) if part)
    return f"{kind}: {when}" if when else ""
