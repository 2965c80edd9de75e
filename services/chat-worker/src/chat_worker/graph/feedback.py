"""When the guide does not know the very thing: ask it in other words, then the web, then say so.

A chain within its branch, not nodes of the graph: LangGraph's deferred answer does not wait for a node that
only a Send has started, and would be given once per step (docs/decisions/0010).
"""

from chat_worker.agents import AGENTS
from chat_worker.agents.findings import found, not_found, told
from chat_worker.agents.table import Agent
from chat_worker.agents.waste_rag import is_poor, waste_rag
from chat_worker.domain import Finding, Language, Turn
from chat_worker.graph.nodes import run_agent
from chat_worker.graph.state import TurnContext
from chat_worker.ports import Tools

_GENERAL_KNOWLEDGE: dict[Language, str] = {
    "ko": "확인된 자료가 없어서, 답한다면 일반적인 상식이에요. 정확한 방법은 주민센터에 확인해 주세요.",
    "en": "No confirmed source was found, so anything said is general knowledge. "
    "Please ask your community centre.",
}


async def improve(turn: Turn, finding: Finding, context: TurnContext) -> list[Finding]:
    """Good evidence as it is; poor evidence with what better words or the web bring."""
    if not is_poor(finding):
        return [finding]
    better = await run_agent("feedback", FEEDBACK, turn, context)
    if better["status"] == "ok":
        return [better]
    web = await run_agent("web_search", AGENTS["web_search"], turn, context)
    if web["status"] == "ok":
        return [finding, web]
    return [finding, found("general", [], told(turn, _GENERAL_KNOWLEDGE))]


async def feedback(turn: Turn, tools: Tools) -> Finding:
    """The guide asked again: for the thing alone, then for its material."""
    for words in (turn.asked.item, turn.asked.material):
        if not words or words == turn.question:
            continue
        asked = turn.asked.model_copy(update={"question": words, "item": None})
        finding = await waste_rag(Turn(asked, turn.location), tools)
        if not is_poor(finding):
            return finding
    return not_found("feedback", "")


FEEDBACK = Agent(feedback, 1, 1, "the guide again, in memory")
