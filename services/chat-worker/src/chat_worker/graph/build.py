"""The graph: intent -> agents in parallel -> one answer."""

from typing import Any

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph

from chat_worker.agents import AGENTS
from chat_worker.graph.answer import answer
from chat_worker.graph.nodes import agent_node, step_node
from chat_worker.graph.routing import route
from chat_worker.graph.state import ChatState, TurnContext
from chat_worker.graph.understand import understand

ChatGraph = CompiledStateGraph[ChatState, TurnContext, ChatState, ChatState]


async def intent(state: ChatState, context: TurnContext) -> ChatState:
    """Finds out what is asked."""
    history = context.trim(state.get("history", []))
    understanding, usage = await understand(state.get("question", ""), history, context.tools.model)
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
    graph.add_node("intent", step_node("intent", intent))
    # Deferred: branches of different length must not make the answer run twice.
    graph.add_node("answer", step_node("answer", answer, ends_turn=True), defer=True)
    graph.add_edge(START, "intent")
    graph.add_conditional_edges("intent", route, list(AGENTS))
    for name, agent in AGENTS.items():
        graph.add_node(name, agent_node(name, agent))
        graph.add_edge(name, "answer")
    graph.add_edge("answer", END)
    return graph.compile(checkpointer=checkpointer)
