"""Small talk, and what no other agent serves."""

from chat_worker.domain import Finding, Intent, SubQuestion
from chat_worker.ports import Tools


async def general(asked: SubQuestion, _tools: Tools) -> Finding:
    """No evidence: the model may talk, but must not state rules; an unserved intent is said to be one."""
    if asked.intent is Intent.GENERAL:
        return Finding(agent="general", status="ok", passages=[], note="")
    note = f"This assistant cannot look up '{asked.intent.value}' yet."
    return Finding(agent=asked.intent.value, status="failed", passages=[], note=note)
