"""How to throw a thing away, from the waste guide."""

from chat_worker.domain import Finding, Language, SubQuestion
from chat_worker.ports import Tools

THING_MAX_CHARS = 80
_NOT_FOUND: dict[Language, str] = {
    "ko": "'{thing}'은(는) 분리배출 안내에 없어요.",
    "en": "The waste guide has no entry for '{thing}'.",
}
_SIMILAR: dict[Language, str] = {
    "ko": "꼭 같은 품목은 안내에 없어서 비슷한 품목의 내용이에요.",
    "en": "The guide does not name this very item; this is about similar ones.",
}


async def waste_rag(asked: SubQuestion, tools: Tools) -> Finding:
    """The guide's passages on the thing asked about, or an explicit `not_found`."""
    found = tools.guide.search(asked.question)
    if not found.passages and asked.item:
        found = tools.guide.search(asked.item)
    if not found.passages:
        thing = (asked.item or asked.question)[:THING_MAX_CHARS]
        note = _NOT_FOUND[asked.language].format(thing=thing)
        return Finding(agent="waste_rag", status="not_found", passages=[], note=note)
    note = "" if found.is_named else _SIMILAR[asked.language]
    return Finding(agent="waste_rag", status="ok", passages=found.passages, note=note)
