"""How a simulated model speaks: how many tokens, how soon, how fast."""

import re
from dataclasses import dataclass

_NAME = re.compile(rb"sim-(\d+)-(\d+)-(\d+)")


@dataclass(frozen=True)
class Pace:
    """One answer's length and rhythm, written as `sim-<tokens>-<first ms>-<token ms>`."""

    tokens: int
    first_token_ms: int = 0
    token_ms: int = 0

    @property
    def name(self) -> str:
        """The model name, or the word in a question, that asks the simulator for this pace."""
        return f"sim-{self.tokens}-{self.first_token_ms}-{self.token_ms}"

    @classmethod
    def find(cls, request_body: bytes) -> "Pace | None":
        """The pace that was asked for last in a request, wherever it stands in it."""
        found = _NAME.findall(request_body)
        return cls(*(int(part) for part in found[-1])) if found else None
