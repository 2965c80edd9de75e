"""How to throw a thing away, from the waste guide."""

from chat_worker.agents.findings import found, not_found, thing_of, told
from chat_worker.domain import Finding, Language, Turn
from chat_worker.ports import Tools

_NOT_FOUND: dict[Language, str] = {
    "ko": "'{thing}'은(는) 분리배출 안내에 없어요.",
    "en": "The waste guide has no entry for '{thing}'.",
}
_SIMILAR: dict[Language, str] = {
    "ko": "꼭 같은 품목은 안내에 없어서 비슷한 품목의 내용이에요.",
    "en": "The guide does not name this very item; this is about similar ones.",
}


async def waste_rag(turn: Turn, tools: Tools) -> Finding:
    """The guide's passages on the thing asked about, or an explicit `not_found`."""
    evidence = await tools.guide.find(turn.question)
    if not evidence.is_named and turn.asked.item:
        by_item = await tools.guide.find(turn.asked.item)
        if by_item.is_named or not evidence.passages:
            evidence = by_item
    if not evidence.passages:
        return not_found("waste_rag", told(turn, _NOT_FOUND, thing=thing_of(turn)))
    return found("waste_rag", evidence.passages, "" if evidence.is_named else told(turn, _SIMILAR))


def is_poor(finding: Finding) -> bool:
    """True when the guide does not know the very thing: its look-alikes may be beside the point."""
    return finding["status"] != "ok" or bool(finding["note"])
