"""When the guide does not know the very thing: ask it in other words, then the web, then say so.

A chain within its branch, not nodes of the graph: LangGraph's deferred answer does not wait for a node that
only a Send has started, and would be given once per step (docs/decisions/0010).
"""

import logging
from collections.abc import Sequence

from chat_worker.agents import AGENTS
from chat_worker.agents.findings import found, not_found, told
from chat_worker.agents.table import Agent
from chat_worker.agents.waste_rag import is_poor, waste_rag
from chat_worker.domain import Finding, Language, Turn
from chat_worker.errors import AnswerRefused, BudgetExceeded, ModelRejected, ModelUnavailable
from chat_worker.graph.nodes import run_agent
from chat_worker.graph.rewording import other_names
from chat_worker.graph.state import Sink, TurnContext
from chat_worker.ports import Tools

_log = logging.getLogger(__name__)

DEADLINE_S = 6.0
_GENERAL_KNOWLEDGE: dict[Language, str] = {
    "ko": "확인된 자료가 없어서, 답한다면 일반적인 상식이에요. 정확한 방법은 주민센터에 확인해 주세요.",
    "en": "No confirmed source was found, so anything said is general knowledge. "
    "Please ask your community centre.",
}


async def improve(turn: Turn, finding: Finding, context: TurnContext) -> list[Finding]:
    """Good evidence as it is; poor evidence with what better words or the web bring."""
    if not is_poor(finding):
        return [finding]
    better = await run_agent("feedback", _feedback(context.sink), turn, context)
    if better["status"] == "ok":
        return [better]
    web = await run_agent("web_search", AGENTS["web_search"], turn, context)
    if web["status"] == "ok":
        return [finding, web]
    return [finding, found("general", [], told(turn, _GENERAL_KNOWLEDGE))]


def _feedback(sink: Sink) -> Agent:
    async def feedback(turn: Turn, tools: Tools) -> Finding:
        """The guide asked again: for the thing alone, for its material, for what the model calls it."""
        known = await _known_as([turn.asked.item, turn.asked.material], turn, tools)
        if known is None:
            known = await _known_as(await _other_names(turn, tools, sink), turn, tools)
        return known or not_found("feedback", "")

    return Agent(feedback, DEADLINE_S, 1, "the guide again, in memory, and one short call to the model")


async def _known_as(names: Sequence[str | None], turn: Turn, tools: Tools) -> Finding | None:
    """Good evidence under the first of these names that has any."""
    for name in names:
        if not name or name == turn.question:
            continue
        asked = turn.asked.model_copy(update={"question": name, "item": None})
        finding = await waste_rag(Turn(asked, turn.location), tools)
        if not is_poor(finding):
            return finding
    return None


async def _other_names(turn: Turn, tools: Tools, sink: Sink) -> list[str]:
    try:
        names, usage = await other_names(turn.question, tools.model)
    except (AnswerRefused, BudgetExceeded, ModelRejected, ModelUnavailable) as error:
        # The chain goes on without them.
        _log.warning("no other names: %s", type(error).__name__)
        return []
    sink.overheard("feedback", usage)
    return names
