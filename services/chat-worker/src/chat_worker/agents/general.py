"""Small talk, and what no other agent serves."""

from chat_worker.domain import Finding, Intent, Language, SubQuestion
from chat_worker.ports import Tools

_UNSERVED: dict[Language, str] = {
    "ko": "이 부분은 아직 찾아드릴 수 없어요: {question}",
    "en": "This cannot be looked up yet: {question}",
}


async def general(asked: SubQuestion, _tools: Tools) -> Finding:
    """No evidence: the model may talk, but must not state rules; an unserved intent is said to be one."""
    if asked.intent is Intent.GENERAL:
        return Finding(agent="general", status="ok", passages=[], note="")
    note = _UNSERVED[asked.language].format(question=asked.question[:80])
    return Finding(agent=asked.intent.value, status="failed", passages=[], note=note)
