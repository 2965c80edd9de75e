"""Puts every labelled question to the product, and judges what comes back."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import TypeVar

from all_in_one.product import open_product

from evaluation import guide_recall, scoring
from evaluation.asking import AT_ONCE, ask_all
from evaluation.labelled import Message, Question, read_messages, read_questions
from evaluation.language import of_answer, quotes_korean
from evaluation.outcome import Outcome, Part
from evaluation.reply import Reply
from evaluation.sub_questions import take_apart

PARTS: tuple[Part, ...] = ("tuning", "held_out")
T = TypeVar("T")


@dataclass(frozen=True)
class Plan:
    """Which parts are measured, with every how many-th of their questions, and how many at once."""

    parts: Sequence[Part] = PARTS
    step: int = 1
    at_once: int = AT_ONCE

    def some(self, asked: Sequence[T]) -> Sequence[T]:
        """What is asked of these, which lie sorted by what they are about."""
        return asked[:: self.step]


@dataclass(frozen=True)
class Results:
    """Everything that came out right or wrong, and the circumstances."""

    outcomes: Sequence[Outcome]
    replies: Sequence[Reply]
    uses_stand_ins: bool
    took_s: float

    @property
    def models(self) -> str:
        """The names of the models that answered."""
        names = dict.fromkeys(reply.model for reply in self.replies if reply.model)
        return ", ".join(names) or "no model answered"

    @property
    def quoting(self) -> int:
        """How many answers in English cite lines in Korean."""
        return sum(of_answer(one.answer) == "en" and quotes_korean(one.answer) for one in self.replies)


class Interrupted(Exception):
    """Ctrl-C stopped the product, and so what it was asked."""


async def run(plan: Plan) -> Results:
    """Measures the guide, the replies and the sub-questions; raises CannotListen and Interrupted."""
    began = perf_counter()
    outcomes, replies = list(guide_recall.measure(plan.parts)), list[Reply]()
    async with open_product("127.0.0.1", 0) as product:
        for part in plan.parts:
            messages: Sequence[Message] = plan.some(getattr(read_messages(), part))
            questions: Sequence[Question] = plan.some(getattr(read_questions(), part))
            asked = [one.q for one in (*messages, *questions)]
            print(f"{part}: {len(asked)} questions", file=sys.stderr, flush=True)
            heard = await ask_all(product.url, asked, plan.at_once)
            if product.server.left.is_set():
                raise Interrupted
            outcomes += scoring.judge_messages(messages, heard[: len(messages)], part)
            outcomes += scoring.judge_questions(questions, heard[len(messages) :], part)
            outcomes += await _sub_questions(messages, part, plan.at_once)
            replies += heard
        uses_stand_ins = product.uses_stand_ins
    return Results(outcomes, replies, uses_stand_ins, perf_counter() - began)


async def _sub_questions(messages: Sequence[Message], part: Part, at_once: int) -> list[Outcome]:
    told = [message for message in messages if message.about]
    asked = await take_apart([message.q for message in told], at_once)
    return [
        scoring.judge_sub_questions(message, some, part) for message, some in zip(told, asked, strict=True)
    ]
