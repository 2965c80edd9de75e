"""One labelled thing, judged."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

Part = Literal["tuning", "held_out"]


class Figure(StrEnum):
    """What is measured."""

    SINGLE = "intent, one asked"
    MULTI = "intents, several asked"
    SUB_QUESTION = "sub-questions"
    RECALL_1 = "guide recall@1"
    RECALL_3 = "guide recall@3"
    RULE = "answer contains the rule"
    NOT_FOUND = "not-found honesty"
    REFUSAL = "refusal"
    LANGUAGE = "language match"


@dataclass(frozen=True, slots=True)
class Outcome:
    """Whether one labelled thing came out right; `miss` tells what was wanted and got, empty when right."""

    figure: Figure
    part: Part
    groups: tuple[str, ...]
    question: str
    miss: str = ""


def rate(outcomes: Sequence[Outcome]) -> float:
    """The share that is right; raises ZeroDivisionError when there is nothing to judge."""
    return sum(not outcome.miss for outcome in outcomes) / len(outcomes)


def of(outcomes: Iterable[Outcome], figure: Figure, part: Part) -> list[Outcome]:
    """The outcomes of one figure and part."""
    return [outcome for outcome in outcomes if outcome.figure is figure and outcome.part == part]
