"""Measure the search on labelled questions: python -m chat_worker.guide.evaluate [--questions path]."""

import argparse
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict

from chat_worker.guide.search import GuideIndex, Hit

QUESTIONS = Path("tests/guide/questions.yaml")
PARTS = ("tuning", "held_out")


class Question(BaseModel):
    """A labelled question; an empty `want` means that no item may pass for what it names."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    q: str
    want: tuple[str, ...]
    kind: Literal["plain", "colloquial", "misspelt", "english", "negative"]


class LabelledSet(BaseModel):
    """Questions the search was tuned on, and questions it never saw."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tuning: tuple[Question, ...]
    held_out: tuple[Question, ...]


@dataclass(frozen=True)
class Outcome:
    """What the search returned for one question."""

    question: Question
    hits: tuple[Hit, ...]

    @property
    def found(self) -> list[str]:
        """The ids found, best first."""
        return [hit.item.id for hit in self.hits]

    def right_within(self, k: int) -> bool:
        """Tell whether a wanted item is among the first k, or none is named when nothing is wanted."""
        if not self.question.want:
            return not any(hit.is_named for hit in self.hits)
        return any(item in self.question.want for item in self.found[:k])


def read_questions(path: Path = QUESTIONS) -> LabelledSet:
    """Read a labelled set; raises ValidationError on an unknown field or kind."""
    return LabelledSet.model_validate(yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader))


def ask(index: GuideIndex, questions: Iterable[Question]) -> list[Outcome]:
    """Return what the index answers to each question."""
    return [Outcome(question, tuple(index.search(question.q))) for question in questions]


def recall(outcomes: Iterable[Outcome], k: int) -> float:
    """Return the share of outcomes that are right within k."""
    right = [outcome.right_within(k) for outcome in outcomes]
    return sum(right) / len(right)


def report(name: str, outcomes: list[Outcome]) -> Iterator[str]:
    """Yield a table of recall by kind of question and then every miss."""
    kinds: defaultdict[str, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        kinds[outcome.question.kind].append(outcome)
    positive = [outcome for outcome in outcomes if outcome.question.want]
    yield f"{name:<12}{'n':>4}{'recall@1':>10}{'recall@3':>10}"
    for kind, some in [*kinds.items(), ("positive", positive), ("all", outcomes)]:
        yield f"  {kind:<10}{len(some):>4}{recall(some, 1):>10.3f}{recall(some, 3):>10.3f}"
    for outcome in outcomes:
        if not outcome.right_within(1):
            yield (
                f"  miss: {outcome.question.q} | want {', '.join(outcome.question.want) or 'nothing'} | got "
                + ", ".join(f"{hit.item.id} {hit.score:.2f}" for hit in outcome.hits)
            )


def us_per_search(index: GuideIndex, questions: Sequence[Question]) -> float:
    """Return the microseconds of CPU that a search takes when the question was never asked before."""
    started = time.process_time()
    for question in questions:
        index.look_up(question.q)
    return (time.process_time() - started) / len(questions) * 1e6


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the report for the parts asked for; `--part tuning` hides the questions that only measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", type=Path, default=QUESTIONS)
    parser.add_argument("--part", choices=PARTS, action="append")
    asked = parser.parse_args(arguments)
    labelled, index = read_questions(asked.questions), GuideIndex.packaged()
    for part in asked.part or PARTS:
        print("\n".join(report(part, ask(index, getattr(labelled, part)))))
    print(f"{us_per_search(index, [*labelled.tuning, *labelled.held_out]):.0f} us per search")


if __name__ == "__main__":
    main()
