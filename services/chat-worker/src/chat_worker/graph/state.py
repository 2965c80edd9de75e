"""What the graph remembers: plain data, so that a checkpoint can be read by any version."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Protocol, TypedDict

from opentelemetry.trace import Tracer

from chat_worker.domain import Finding, Message, TokenUsage
from chat_worker.graph.memory import Remembered, remember
from chat_worker.ports import Tools


def collect(left: list[Any], right: list[Any] | None) -> list[Any]:
    """Gathers what parallel branches bring; None empties the list at the start of a turn."""
    return [] if right is None else [*left, *right]


class ChatState(TypedDict, total=False):
    """The checkpointed state of a session."""

    job_id: str
    question: str
    language: str
    intents: list[dict[str, Any]]
    findings: Annotated[list[Finding], collect]
    usage: Annotated[list[TokenUsage], collect]
    answer: str
    history: Annotated[list[Remembered], remember]


class AgentTask(TypedDict):
    """What one branch of the fan-out gets: its own sub-question, nothing else."""

    asked: dict[str, Any]


class Sink(Protocol):
    """Where a turn is heard while it runs."""

    def token(self, text: str, tokens: int = 1) -> bool:
        """Answer text; False says that the answer is long enough."""
        ...

    def stage(
        self, node: str, status: str, duration_ms: float | None = None, detail: str | None = None
    ) -> None:
        """Start or end of a node."""
        ...

    def sources(self, findings: Sequence[Finding]) -> None:
        """What the answer rests on."""
        ...

    def learned(self, change: ChatState) -> None:
        """What a node has found out and used, so that it is known however the run ends."""
        ...

    async def flush(self) -> None:
        """Returns when all of it is in the log; raises when the run has lost its job."""
        ...


@dataclass(frozen=True)
class TurnContext:
    """What the nodes of one run share besides the state."""

    sink: Sink
    tools: Tools
    tracer: Tracer
    trim: Callable[[Sequence[Remembered]], list[Message]]
