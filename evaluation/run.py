"""Puts every labelled question to the product, and judges what comes back."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import TypeVar

from all_in_one.product import open_product

from evaluation import guide_recall, scoring
from evaluation.asking import AT_ONCE, Reply, ask_all
from evaluation.labelled import Message, read_messages, read_questions
from evaluation.language import quotes_korean
from evaluation.outcome import Outcome, Part
from evaluation.sub_questions import take_apart

QUICK_STEP = 3
T = TypeVar("T")


@dataclass(frozen=True)
class Plan:
    """What is asked: everything, or every third held-out question; how many at once."""

    is_quick: bool = False
    at_once: int = AT_ONCE

    @property
    def parts(self) -> tuple[Part, ...]:
        """The parts to measure."""
        return ("held_out",) if self.is_quick else ("tuning", "held_out")

    def some(self, asked: Sequence[T]) -> Sequence[T]:
        """What is asked of these."""
        return asked[::QUICK_STEP] if self.is_quick else asked


@dataclass(frozen=True)
class Results:
    """Everything that came out right or wrong, and the circumstances."""

    outcomes: list[Outcome]
    models: str
    uses_stand_ins: bool
    took_s: float
    quoting: int
    """Answers in English whose cited lines are in Korean."""


async def run(plan: Plan) -> Results:
    """Measures the guide, the product's replies and the sub-questions; raises CannotListen."""
    began = perf_counter()
    outcomes = list(guide_recall.measure(plan.parts))
    replies: list[Reply] = []
    async with open_product("127.0.0.1", 0) as product:
        messages, questions = read_messages(), plan.some(read_questions())
        for part in plan.parts:
            of_part: Sequence[Message] = plan.some(getattr(messages, part))
            heard = await ask_all(product.url, [one.q for one in of_part], plan.at_once)
            outcomes += scoring.judge_messages(of_part, heard, part)
            outcomes += await _sub_questions(of_part, part, plan.at_once)
            replies += heard
        answers = await ask_all(product.url, [one.q for one in questions], plan.at_once)
        outcomes += scoring.judge_questions(questions, answers)
        uses_stand_ins = product.uses_stand_ins
    quoting = sum(
        one.language == "en" and quotes_korean(reply.answer)
        for one, reply in zip(questions, answers, strict=True)
    )
    return Results(outcomes, _named([*replies, *answers]), uses_stand_ins, perf_counter() - began, quoting)


async def _sub_questions(messages: Sequence[Message], part: Part, at_once: int) -> list[Outcome]:
    told = [message for message in messages if message.about]
    asked = await take_apart([message.q for message in told], at_once)
    return [
        scoring.judge_sub_questions(message, some, part) for message, some in zip(told, asked, strict=True)
    ]


def _named(replies: Sequence[Reply]) -> str:
    models = Counter(reply.model for reply in replies if reply.model)
    return ", ".join(name for name, _ in models.most_common()) or "no model answered"
