"""The reference pipeline: a one-node LangGraph that routes, and an answer whose tokens go round it.

What it leaves out, and the product has: several agents, fencing, metrics, traces, sessions, limits.
"""

from dataclasses import dataclass
from typing import TypedDict

import openai
from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime

from bench.reference_process import main
from bench.reference_worker import JobLog, stream_answer

CHAIN = "reference"


class State(TypedDict):
    """What the graph carries."""

    question: str


@dataclass(frozen=True)
class Sink:
    """Reaches the node through the run's context: the job's log and the model."""

    log: JobLog
    model: openai.AsyncOpenAI


async def answer(state: State, runtime: Runtime[Sink]) -> dict[str, str]:
    """The one node."""
    await stream_answer(runtime.context.model, state["question"], runtime.context.log)
    return {}


_GRAPH = (
    StateGraph(State, context_schema=Sink)
    .add_node("answer", answer)
    .add_edge(START, "answer")
    .add_edge("answer", END)
    .compile()
)


async def run_graph(model: openai.AsyncOpenAI, question: str, log: JobLog) -> None:
    """Answer one job through the graph."""
    await _GRAPH.ainvoke({"question": question}, context=Sink(log, model))


if __name__ == "__main__":
    main(CHAIN, run_graph)
