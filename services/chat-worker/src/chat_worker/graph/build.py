"""The graph: intent (after a look at the picture) -> [place ->] agents in parallel -> one answer."""

from typing import Any

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime

from chat_worker.agents import AGENTS
from chat_worker.domain import Sighting
from chat_worker.graph.answer import answer
from chat_worker.graph.feedback import improve
from chat_worker.graph.memory import earlier
from chat_worker.graph.nodes import Then, agent_node, stage_of, step_node
from chat_worker.graph.place import place
from chat_worker.graph.routing import goto, route
from chat_worker.graph.state import ChatState, TurnContext
from chat_worker.graph.understand import understand
from chat_worker.graph.vision import vision

ChatGraph = CompiledStateGraph[ChatState, TurnContext, ChatState, ChatState]

_THEN: dict[str, Then] = {"waste_rag": improve}
"""Agents whose finding is looked at before it counts."""


async def intent(state: ChatState, runtime: Runtime[TurnContext]) -> Any:
    """Sees the picture, if there is one, finds out what is asked, and sends it to whom it concerns."""
    context = runtime.context
    change: ChatState = await vision(state, context) if state.get("image_url") else {}
    context.sink.learned(change)
    with stage_of(context, "intent"):
        understood = await _understood({**state, **change}, context)
    context.sink.learned(understood)
    used = [*change.get("usage", []), *understood.get("usage", [])]
    change = {**change, **understood, "usage": used}
    return goto(route({**state, **change}, context), change)


async def _understood(state: ChatState, context: TurnContext) -> ChatState:
    history = context.trim(earlier(state.get("history", []), state.get("job_id", "")))
    seen = state.get("sighting")
    sighting = Sighting.model_validate(seen) if seen else None
    understanding, usage = await understand(state.get("question", ""), history, context.tools.model, sighting)
    for asked in understanding.intents:
        context.metrics.track_intent(asked.intent)
    return {
        "language": understanding.language,
        "intents": [
            {**asked.model_dump(mode="json"), "language": understanding.language}
            for asked in understanding.intents
        ],
        "usage": [usage] if usage else [],
    }


def build_graph(checkpointer: BaseCheckpointSaver[Any] | None = None) -> ChatGraph:
    """Compiles the graph; `thread_id` in the run's config is the session."""
    graph: Any = StateGraph(ChatState, context_schema=TurnContext)
    graph.add_node("intent", intent, destinations=("place", *AGENTS))
    graph.add_node("place", place, destinations=tuple(AGENTS))
    # Deferred: branches of different length must not make the answer run twice.
    graph.add_node("answer", step_node("answer", answer), defer=True)
    graph.add_edge(START, "intent")
    for name, agent in AGENTS.items():
        graph.add_node(name, agent_node(name, agent, _THEN.get(name)))
        graph.add_edge(name, "answer")
    graph.add_edge("answer", END)
    return graph.compile(checkpointer=checkpointer)
