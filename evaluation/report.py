"""Tells what was measured: a table per part, every miss, and the targets."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from evaluation.outcome import Figure, Outcome, Part, of, rate
from evaluation.targets import Verdict

_PARTS: tuple[Part, ...] = ("tuning", "held_out")


def tables(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """Yields, for each part that has any, its figures with their groups below."""
    for part in _PARTS:
        if not any(outcome.part == part for outcome in outcomes):
            continue
        yield f"\n{part}"
        yield f"  {'':<34}{'n':>5}{'right':>8}"
        for figure in Figure:
            yield from _rows(figure, of(outcomes, figure, part))


def misses(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """Yields every miss, once for each figure that it spoils."""
    missed = [outcome for outcome in outcomes if outcome.miss]
    yield f"\n{len(missed)} misses"
    for one in missed:
        yield f"  {one.figure} ({one.part}): {one.question} | {one.miss}"


def verdicts(judged: Sequence[Verdict], *, is_enforced: bool) -> Iterator[str]:
    """Yields each target beside what was seen."""
    yield f"\ntargets on held_out ({'enforced' if is_enforced else 'not enforced'})"
    for one in judged:
        seen = "unmeasured" if one.seen is None else f"{one.seen:.3f}"
        yield f"  {one.figure:<34}{one.wanted:>6.2f}{seen:>12}  {'reached' if one.is_reached else 'MISSED'}"


def _rows(figure: Figure, outcomes: Sequence[Outcome]) -> Iterator[str]:
    if not outcomes:
        return
    yield f"  {figure:<34}{len(outcomes):>5}{rate(outcomes):>8.3f}"
    # By language first, then by what is asked, then by how.
    groups: defaultdict[tuple[int, str], list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        for place in enumerate(outcome.groups):
            groups[place].append(outcome)
    if len(groups) > 1:
        for (_, group), some in sorted(groups.items()):
            yield f"    {group:<32}{len(some):>5}{rate(some):>8.3f}"
