"""Which agents serve which intent, which need to know where, and what is looked up beside what was asked."""

import re
from collections.abc import Iterator
from typing import Any

from langgraph.types import Command, Send

from chat_worker.agents import AGENTS
from chat_worker.agents.general import UNSURE_BELOW
from chat_worker.agents.where import named_place
from chat_worker.domain import Intent, SubQuestion, Turn
from chat_worker.graph.nodes import missing
from chat_worker.graph.state import AgentTask, ChatState, TurnContext

ROUTES: dict[Intent, tuple[str, ...]] = {
    Intent.WASTE: ("waste_rag",),
    Intent.BULK_WASTE: ("bulk_waste",),
    Intent.CHARACTER: ("character",),
    Intent.LOCATION: ("location",),
    Intent.COLLECTION_POINT: ("collection_point",),
    Intent.RECYCLABLE_PRICE: ("recyclable_price",),
    Intent.WEATHER: ("weather",),
    Intent.WEB_SEARCH: ("web_search",),
    Intent.IMAGE_GENERATION: ("image_generation",),
    Intent.GENERAL: ("general",),
}
NEED_A_PLACE = frozenset({Intent.WEATHER, Intent.COLLECTION_POINT, Intent.LOCATION})
BRANCHES_MAX = 12

_PUT_OUT = re.compile(
    r"내놓|내다|배출일|배출 ?요일|요일|밖에|오늘|내일|언제|put (it |them )?out|which day|when", re.I
)


def route(state: ChatState, context: TurnContext) -> list[Send] | str:
    """To the branches, all at once; first to `place` when a branch needs one and nobody has said where."""
    has_place = state.get("location") is not None
    if not has_place and any(_lacks_a_place(one, context) for one in _asked(state)):
        return "place"
    return fan_out(state)


def fan_out(state: ChatState) -> list[Send]:
    """One branch per agent and sub-question, and the extras."""
    asked = _asked(state)
    sends = [
        Send(agent, _task(state, one))
        for one in asked
        for agent in (ROUTES[one.intent] if _is_clear(one) else ("general",))
    ]
    extras = [Send(agent, _task(state, one, is_extra=True)) for agent, one in _extras(state, asked)]
    return [*sends, *extras][:BRANCHES_MAX]


def goto(where: list[Send] | str, change: ChatState) -> Any:
    """A change of the state and where the graph goes on; an edge would read the state anew for that."""
    command: Any = Command
    return command(update=change, goto=where)


def _asked(state: ChatState) -> list[SubQuestion]:
    return [SubQuestion.model_validate(one) for one in state.get("intents", [])]


def _is_clear(one: SubQuestion) -> bool:
    return one.confidence >= UNSURE_BELOW


def _lacks_a_place(one: SubQuestion, context: TurnContext) -> bool:
    if one.intent not in NEED_A_PLACE or not _is_clear(one) or _says_where(one):
        return False
    # Nobody is asked for a place that no agent could use.
    return any(not missing(AGENTS[agent].needs, context) for agent in ROUTES[one.intent])


def _says_where(one: SubQuestion) -> bool:
    return bool(named_place(Turn(one)))


def _extras(state: ChatState, asked: list[SubQuestion]) -> Iterator[tuple[str, SubQuestion]]:
    """Only where it changes the answer: what goes outside, on a known day and place, meets the weather."""
    clear = [one for one in asked if _is_clear(one)]
    intents = {one.intent for one in clear}
    for one in clear:
        goes_out = one.intent is Intent.BULK_WASTE or (
            one.intent is Intent.WASTE and bool(_PUT_OUT.search(one.question))
        )
        if goes_out and (state.get("location") is not None or _says_where(one)):
            if Intent.WEATHER not in intents:
                yield "weather", one
            if one.intent is Intent.WASTE:
                yield "household_waste", one
            return


def _task(state: ChatState, one: SubQuestion, *, is_extra: bool = False) -> AgentTask:
    return AgentTask(
        asked=one.model_dump(mode="json"),
        location=state.get("location"),
        owner=state.get("owner", ""),
        session_id=state.get("session_id", ""),
        is_extra=is_extra,
    )
