"""Where a battery, a lamp, medicine, clothes or a small appliance can be dropped off."""

import re

from eco2_bus.job import Location

from chat_worker.agents.findings import found, not_found, passage, thing_of, together, told
from chat_worker.agents.where import district_of, point_of
from chat_worker.domain import Finding, Language, Passage, Turn
from chat_worker.errors import NoData
from chat_worker.ports import Tools
from chat_worker.ports.collection import Collected, CollectionPoint

# Of the short names only whole words: a contract (계약서) is no medicine, and a coupon (쿠폰) no phone.
_KINDS: dict[Collected, re.Pattern[str]] = {
    Collected.MEDICINE: re.compile(
        r"의약|약품|[알물]약|(가루|감기|상비|처방)약|연고|"
        r"(?<!\w)약(?=$|\W|[은을이도들과]|봉[투지]|통|병)|medicin|medication|\bpills?\b|\bdrugs?\b",
        re.IGNORECASE,
    ),
    Collected.CLOTHES: re.compile(r"옷(?!장|걸이)|의류|신발(?!장)|clothes|clothing|shoes", re.IGNORECASE),
    Collected.LAMPS_AND_BATTERIES: re.compile(
        r"배터리|전지|형광등|전구|램프|batter(y|ies)|\blamps?\b|bulb|fluorescent", re.IGNORECASE
    ),
    Collected.ELECTRONICS: re.compile(
        r"가전|(?<![쿠스])폰(?!지)|노트북|컴퓨터|전자|phone|electronic|appliance|laptop|computer",
        re.IGNORECASE,
    ),
}
_WHICH: dict[Language, str] = {
    "ko": "'{thing}'을(를) 모으는 수거함 자료는 없어요. "
    "건전지·형광등, 의약품, 의류, 소형가전 수거함을 찾을 수 있어요.",
    "en": "There is no data on boxes for '{thing}'. "
    "Boxes for batteries and lamps, medicine, clothes and small electronics can be looked up.",
}
_NOWHERE: dict[Language, str] = {
    "ko": "어느 지역인지 알려 주시면 가까운 수거함을 찾아볼게요.",
    "en": "Tell me your district and I will look for boxes near you.",
}
_NONE: dict[Language, str] = {
    "ko": "{district}에 등록된 수거함을 찾지 못했어요. 등록은 의무가 아니라서 실제로는 있을 수 있어요.",
    "en": "No registered box was found in {district}. Registration is voluntary, so there may be some.",
}
_REGISTERED: dict[Language, str] = {
    "ko": "등록된 곳 기준이에요. 가기 전에 확인해 주세요.",
    "en": "Registered places only; please check before you go.",
}
_SOURCES = {
    Collected.ELECTRONICS: "한국환경공단 폐전자제품 수거함 위치정보",
    Collected.LAMPS_AND_BATTERIES: "전국폐형광등·폐건전지수거함표준데이터",
    Collected.MEDICINE: "전국폐의약품수거함표준데이터",
    Collected.CLOTHES: "전국의류수거함표준데이터",
}


async def collection_point(turn: Turn, tools: Tools) -> Finding:
    """The registered points near the user, the nearest first; raises a VendorError."""
    assert tools.collection_points is not None
    takes = kind_of(turn.asked.item or "") or kind_of(turn.question)
    if takes is None:
        return not_found("collection_point", told(turn, _WHICH, thing=thing_of(turn)))
    district = await district_of(turn, tools)
    if district is None:
        return not_found("collection_point", told(turn, _NOWHERE))
    near: Location | None = await point_of(turn, tools)
    try:
        points = await tools.collection_points.near(takes, district, near)
    except NoData:
        return not_found("collection_point", told(turn, _NONE, district=district.name))
    return found("collection_point", [_passage(point) for point in points], told(turn, _REGISTERED))


def kind_of(text: str) -> Collected | None:
    """The kind of box that takes what a text speaks of."""
    return next((kind for kind, names in _KINDS.items() if names.search(text)), None)


def _passage(point: CollectionPoint) -> Passage:
    distance = f"{point.distance_m:,} m" if point.distance_m is not None else ""
    text = together(point.address, point.detail, point.accepts, distance)
    source = _SOURCES[point.takes]
    return passage(point.name, text, source, section=point.institution, revised=point.revised)
