"""Small talk, and the question back when it is not clear what is asked."""

from chat_worker.domain import Finding, Language, Turn
from chat_worker.ports import Tools

UNSURE_BELOW = 0.4
_ASK_BACK: dict[Language, str] = {
    "ko": "무엇을 찾으시는지 확실하지 않아요. "
    "어떤 물건을 버리려는지, 또는 무엇이 궁금한지 조금 더 알려 주세요.",
    "en": "It is not clear what you are looking for. Please say which thing you want to throw away, "
    "or what you would like to know.",
}


async def general(turn: Turn, _tools: Tools) -> Finding:
    """No evidence: the model may talk, but must not state rules."""
    note = _ASK_BACK[turn.language] if turn.asked.confidence < UNSURE_BELOW else ""
    return Finding(agent="general", status="ok", passages=[], note=note)
