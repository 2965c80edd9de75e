"""What must be reached on the messages that only measure; the one place of these numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from evaluation.outcome import Figure, Outcome, of, rate

TARGETS: Mapping[Figure, float] = {
    Figure.SINGLE: 0.95,
    Figure.MULTI: 0.90,
    Figure.RECALL_1: 0.93,
    Figure.RECALL_3: 0.97,
    Figure.RULE: 0.95,
    Figure.NOT_FOUND: 0.95,
    Figure.REFUSAL: 0.95,
    Figure.LANGUAGE: 1.0,
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """One target; `seen` is None when nothing was measured, which reaches no target."""

    figure: Figure
    wanted: float
    seen: float | None

    @property
    def is_reached(self) -> bool:
        """Exactly at the target is reached."""
        return self.seen is not None and self.seen >= self.wanted


def judge(outcomes: Sequence[Outcome]) -> list[Verdict]:
    """Every target, beside what the held-out part shows."""
    return [
        Verdict(figure, wanted, rate(held_out) if (held_out := of(outcomes, figure, "held_out")) else None)
        for figure, wanted in TARGETS.items()
    ]
