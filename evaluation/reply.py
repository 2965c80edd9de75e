"""What the product made of a question."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reply:
    """What came of a question; `failure` says why there is no answer, and is empty when there is one."""

    answer: str = ""
    intents: tuple[str, ...] = ()
    model: str = ""
    duration_ms: int = 0
    failure: str = ""
