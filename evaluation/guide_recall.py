"""The guide's recall, measured by the guide's own labelled questions and code."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from chat_worker.guide import evaluate
from chat_worker.guide.search import GuideIndex

from evaluation.outcome import Figure, Outcome, Part

QUESTIONS = Path(__file__).parents[1] / evaluate.QUESTIONS


def measure(parts: Sequence[Part]) -> Iterator[Outcome]:
    """Every question of these parts, judged within one and within three."""
    labelled, index = evaluate.read_questions(QUESTIONS), GuideIndex.packaged()
    for part in parts:
        for found in evaluate.ask(index, getattr(labelled, part)):
            yield _judged(found, 1, Figure.RECALL_1, part)
            yield _judged(found, 3, Figure.RECALL_3, part)


def _judged(found: evaluate.Outcome, k: int, figure: Figure, part: Part) -> Outcome:
    want = ", ".join(found.question.want) or "nothing"
    miss = "" if found.right_within(k) else f"want {want} | got {', '.join(found.found) or 'nothing'}"
    return Outcome(figure, part, (found.question.kind,), found.question.q, miss)
