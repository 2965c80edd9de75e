"""What recyclers pay for sorted material: a survey of the trade, not what a household is paid."""

from chat_worker.agents.findings import found, not_found, passage, thing_of, told
from chat_worker.domain import Finding, Language, Passage, Turn
from chat_worker.errors import NoData
from chat_worker.ports import Tools
from chat_worker.ports.prices import RecyclablePrice

PRICES_SHOWN = 6
_SOURCE = "한국환경공단 재활용가능자원 가격조사"
_REGIONS = {
    **dict.fromkeys(("서울", "경기", "인천", "수도권"), "수도권"),
    **{name: name for name in ("강원", "충북", "충남", "전북", "전남", "경북", "경남")},
}
_TRADE: dict[Language, str] = {
    "ko": "재활용 업체 사이의 매입 가격이고, 가정에 지급되는 금액이 아니에요.",
    "en": "These are prices between recyclers, not what a household is paid.",
}
_SNAPSHOT: dict[Language, str] = {
    "ko": "최신 자료를 불러올 수 없어 {month} 조사값을 보여 드려요.",
    "en": "The newest survey cannot be loaded; these are the figures of {month}.",
}
_NONE: dict[Language, str] = {
    "ko": "'{thing}'의 조사 가격을 찾지 못했어요.",
    "en": "The survey has no price for '{thing}'.",
}


async def recyclable_price(turn: Turn, tools: Tools) -> Finding:
    """The newest survey prices of what is asked about, in the region or the country; raises a VendorError."""
    assert tools.prices is not None
    try:
        prices = await tools.prices.prices(turn.asked.item or turn.question, _region(turn))
    except NoData:
        return not_found("recyclable_price", told(turn, _NONE, thing=thing_of(turn)))
    notes = [told(turn, _TRADE)]
    if prices[0].is_snapshot:
        notes.append(told(turn, _SNAPSHOT, month=prices[0].month))
    return found("recyclable_price", [_passage(price) for price in prices[:PRICES_SHOWN]], " ".join(notes))


def _region(turn: Turn) -> str:
    where = f"{turn.asked.district or ''} {turn.asked.place or ''}"
    return next((region for name, region in _REGIONS.items() if name in where), "전국")


def _passage(price: RecyclablePrice) -> Passage:
    text = f"{price.region} {price.won_per_kg:,.1f}원/kg ({price.month})"
    return passage(price.item, text, _SOURCE, section=price.month)
