"""Furniture and large appliances: what the guide says, what the municipality charges, whom to ask."""

import asyncio

from chat_worker.agents.findings import found, not_found, passage, thing_of, together, told
from chat_worker.agents.where import district_of
from chat_worker.domain import Finding, Language, Passage, Turn
from chat_worker.errors import NoData, VendorError
from chat_worker.ports import Tools
from chat_worker.ports.disposal import BulkyFee, DisposalRules
from chat_worker.ports.places import District

FEES_SHOWN = 4
_NO_DISTRICT: dict[Language, str] = {
    "ko": "수수료는 지역마다 달라요. 시·군·구를 알려 주시면 찾아볼게요.",
    "en": "Fees differ between municipalities. Tell me your district and I will look them up.",
}
_NO_FEE: dict[Language, str] = {
    "ko": "{district}의 '{thing}' 수수료는 등록된 자료에 없어요.",
    "en": "The registered data has no fee for '{thing}' in {district}.",
}
_NO_LOOK_UP: dict[Language, str] = {
    "ko": "지금은 지역별 수수료를 찾아볼 수 없어요.",
    "en": "The fees of the municipalities cannot be looked up right now.",
}
_NOTHING: dict[Language, str] = {
    "ko": "'{thing}'의 대형폐기물 배출 방법을 찾지 못했어요.",
    "en": "Nothing was found on how '{thing}' is collected as bulky waste.",
}
_FEE_SOURCE = "행정안전부 전국대형폐기물수거수수료정보"
_RULE_SOURCE = "행정안전부 생활쓰레기배출정보"


async def bulk_waste(turn: Turn, tools: Tools) -> Finding:
    """The guide's passages first; the fees beside them where a district is known."""
    evidence = await tools.guide.find(turn.asked.item or turn.question)
    local, note = await _local(turn, tools)
    passages = [*evidence.passages, *local]
    if not passages:
        return not_found("bulk_waste", together(told(turn, _NOTHING, thing=thing_of(turn)), note))
    return found("bulk_waste", passages, note)


async def _local(turn: Turn, tools: Tools) -> tuple[list[Passage], str]:
    if tools.bulky_fees is None:
        return [], told(turn, _NO_LOOK_UP)
    try:
        district = await district_of(turn, tools)
    except NoData:
        district = None
    except VendorError:
        return [], told(turn, _NO_LOOK_UP)
    if district is None:
        return [], told(turn, _NO_DISTRICT)
    (fees, note), rules = await asyncio.gather(_fees(turn, tools, district), _rules(turn, tools, district))
    return [*fees, *rules], note


async def _fees(turn: Turn, tools: Tools, district: District) -> tuple[list[Passage], str]:
    assert tools.bulky_fees is not None
    try:
        fees = await tools.bulky_fees.fees(district, turn.asked.item or turn.question)
    except NoData:
        return [], told(turn, _NO_FEE, district=district.name, thing=thing_of(turn))
    except VendorError:
        return [], told(turn, _NO_LOOK_UP)
    return [_fee(turn, fee) for fee in fees[:FEES_SHOWN]], ""


async def _rules(turn: Turn, tools: Tools, district: District) -> list[Passage]:
    """How the municipality takes bulky things; without it the answer loses a detail, not its point."""
    if tools.household_waste is None:
        return []
    try:
        rules = await tools.household_waste.rules(district)
    except VendorError:
        return []
    return [_rule(turn, rules[0])] if rules and (rules[0].bulky.how or rules[0].phone) else []


def _fee(turn: Turn, fee: BulkyFee) -> Passage:
    price = f"{fee.lowest_won:,}원"
    if fee.highest_won != fee.lowest_won:
        price = f"{fee.lowest_won:,}~{fee.highest_won:,}원"
    words: dict[Language, str] = {
        "ko": "{district} 수수료: {price} (크기에 따라 달라요)",
        "en": "fee in {district}: {price} (depends on the size)",
    }
    if fee.highest_won == fee.lowest_won:
        words = {"ko": "{district} 수수료: {price}", "en": "fee in {district}: {price}"}
    text = told(turn, words, district=fee.district.name, price=price)
    return passage(fee.item, text, _FEE_SOURCE, section=fee.institution, revised=fee.revised)


def _rule(turn: Turn, rule: DisposalRules) -> Passage:
    phone = told(turn, {"ko": "문의 {phone}", "en": "call {phone}"}, phone=rule.phone) if rule.phone else ""
    text = together(rule.bulky.how, rule.department, phone)
    return passage(rule.district.name, text, _RULE_SOURCE, section=rule.zone, revised=rule.revised)
