"""The trace that an operator must see, held against what was received."""

from tests.telemetry.receiver import Receiver, Span, orphans, outline

POST = "POST /api/v1/chat"
EVENTS = "GET /api/v1/chat/{job_id}/events"


class Tree:
    """One job's trace, complete: whoever asks for it first waits for that."""

    def __init__(self, receiver: Receiver, trace_id: str, attempts: int = 1) -> None:
        self._receiver = receiver
        self._trace_id = trace_id
        receiver.wait(lambda: self.count("process chat.jobs") == attempts and not orphans(self.spans), 60)

    @property
    def spans(self) -> list[Span]:
        return self._receiver.trace(self._trace_id)

    def count(self, name: str) -> int:
        return len(self.named(name))

    def named(self, name: str, below: Span | None = None) -> list[Span]:
        """The spans of this name; `below` a span, at any depth."""
        return [s for s in self.spans if s.name == name and (below is None or below in self.ancestors(s))]

    def one(self, name: str, below: Span | None = None) -> Span:
        found = self.named(name, below)
        assert len(found) == 1, f"{len(found)} x {name}{outline(self.spans)}"
        return found[0]

    def parent(self, span: Span) -> Span:
        (parent,) = [one for one in self.spans if one.span_id == span.parent_id]
        return parent

    def children(self, span: Span) -> list[Span]:
        return [one for one in self.spans if one.parent_id == span.span_id]

    def ancestors(self, span: Span) -> list[Span]:
        above: list[Span] = []
        while any(one.span_id == span.parent_id for one in self.spans):
            span = self.parent(span)
            above.append(span)
        return above

    def path(self, span: Span) -> list[str]:
        """`service name KIND` from the root to the span."""
        return [f"{one.service} {one.name} {one.kind}" for one in (*reversed(self.ancestors(span)), span)]


def overlap(spans: list[Span]) -> bool:
    """True when all of them were under way at one moment."""
    return max(span.start for span in spans) < min(span.end for span in spans)
