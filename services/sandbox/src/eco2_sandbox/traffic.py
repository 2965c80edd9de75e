"""What has been asked of the stand-ins, and how each request ended."""

from dataclasses import asdict, dataclass, field
from typing import Literal

from eco2_sandbox.behaviour import RequestKind
from eco2_sandbox.vendors.behaviour import VENDORS, Vendor

Ending = Literal["completed", "closed_early", "broken", "failed"]


@dataclass
class Tally:
    """Counts for one kind of request; `closed_early` are those whose client left before the end."""

    started: int = 0
    open: int = 0
    completed: int = 0
    closed_early: int = 0
    broken: int = 0
    failed: int = 0

    def begin(self) -> None:
        """Count a request that is now being served."""
        self.started += 1
        self.open += 1

    def end(self, ending: Ending) -> None:
        """Count how a request that was begun has ended."""
        self.open -= 1
        setattr(self, ending, getattr(self, ending) + 1)


@dataclass
class Traffic:
    """The tallies of a running server, by kind of request to the model and by vendor."""

    stream: Tally = field(default_factory=Tally)
    plain: Tally = field(default_factory=Tally)
    embeddings: Tally = field(default_factory=Tally)
    vendors: dict[Vendor, Tally] = field(default_factory=lambda: {name: Tally() for name in VENDORS})

    def of(self, kind: RequestKind) -> Tally:
        """Return the tally for this kind."""
        return {"stream": self.stream, "plain": self.plain, "embeddings": self.embeddings}[kind]

    def counts(self) -> dict[str, dict[str, int]]:
        """Return all counts, `{kind or vendor: {started, open, completed, closed_early, broken, failed}}`."""
        kinds = {"stream": self.stream, "plain": self.plain, "embeddings": self.embeddings}
        return {name: asdict(tally) for name, tally in (*kinds.items(), *self.vendors.items())}
