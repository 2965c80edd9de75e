"""What an agent is, and what it must have."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from chat_worker.domain import Finding, Turn
from chat_worker.ports import Tools

AgentFunction = Callable[[Turn, Tools], Awaitable[Finding]]


@dataclass(frozen=True)
class Agent:
    """An agent, the seconds it may take, and how often its vendor is tried within them.

    Without one of the tools that it `needs`, which have no key, it says so instead of running.
    """

    run: AgentFunction
    deadline_s: float
    tries: int
    because: str
    needs: tuple[str, ...] = ()
