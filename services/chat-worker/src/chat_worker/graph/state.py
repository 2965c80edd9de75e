"""What the graph remembers: plain data, so that a checkpoint can be read by any version."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Protocol, TypedDict

from opentelemetry.trace import Tracer

from chat_worker.domain import Finding, Message, TokenUsage
from chat_worker.graph.memory import Remembered, remember
from chat_worker.ports import MetricsPort, Tools


def collect(left: list[Any], right: list[Any] | None) -> list[Any]:
    """Gathers what parallel branches bring; None empties the list at the start of a turn."""
    return [] if right is None else [*left, *right]


class Point(TypedDict):
    """WGS84 coordinates in degrees."""

    latitude: float
    longitude: float


class ChatState(TypedDict, total=False):
    """The checkpointed state of a session; all but the history is of the turn under way."""

    job_id: str
    question: str
    owner: str
    session_id: str
    image_url: str | None
    location: Point | None
    sighting: dict[str, Any] | None
    language: str
    intents: list[dict[str, Any]]
    findings: Annotated[list[Finding], collect]
    usage: Annotated[list[TokenUsage], collect]
    answer: str
    finish_reason: Literal["stop", "length"]
    history: Annotated[list[Remembered], remember]


class AgentTask(TypedDict):
    """What one branch of the fan-out gets: its own sub-question, and where and for whom it is asked."""

    asked: dict[str, Any]
    location: Point | None
    owner: str
    session_id: str
    is_extra: bool


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

    def image(self, url: str, alt: str) -> None:
        """A picture that was made; told once, however often it is given."""
        ...

    def overheard(self, node: str, usage: TokenUsage) -> None:
        """A node has had the model say something that no viewer is shown."""
        ...

    def learned(self, change: ChatState) -> None:
        """What a node has found out and used, so that it is known however the run ends."""
        ...


@dataclass(frozen=True)
class TurnContext:
    """What the nodes of one run share besides the state."""

    sink: Sink
    tools: Tools
    tracer: Tracer
    trim: Callable[[Sequence[Remembered]], list[Message]]
    metrics: MetricsPort
