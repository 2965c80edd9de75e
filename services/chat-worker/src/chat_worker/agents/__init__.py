"""The subagents. To add one: a file here, a line in AGENTS, a line in the routing table, a test."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from chat_worker.agents.general import general
from chat_worker.agents.waste_rag import waste_rag
from chat_worker.domain import Finding, SubQuestion
from chat_worker.ports import Tools

AgentFunction = Callable[[SubQuestion, Tools], Awaitable[Finding]]


@dataclass(frozen=True)
class Agent:
    """An agent and the seconds it may take; what it has not found by then is said to be missing."""

    run: AgentFunction
    deadline_s: float


AGENTS: dict[str, Agent] = {
    # In memory, so it is either quick or broken.
    "waste_rag": Agent(waste_rag, deadline_s=2),
    "general": Agent(general, deadline_s=1),
}
