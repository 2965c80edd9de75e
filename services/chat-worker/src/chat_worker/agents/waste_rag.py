"""How to throw a thing away, from the waste guide."""

from chat_worker.domain import Finding, SubQuestion
from chat_worker.ports import Tools


async def waste_rag(asked: SubQuestion, tools: Tools) -> Finding:
    """The guide's passages on the thing asked about, or an explicit `not_found`."""
    passages = tools.guide.search(asked.question)
    if not passages and asked.item:
        passages = tools.guide.search(asked.item)
    if not passages:
        thing = asked.item or asked.question
        note = f"The waste guide has no entry for: {thing[:80]}"
        return Finding(agent="waste_rag", status="not_found", passages=[], note=note)
    return Finding(agent="waste_rag", status="ok", passages=passages, note="")
