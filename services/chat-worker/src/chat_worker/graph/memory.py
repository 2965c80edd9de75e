"""What of a conversation is kept, and what of it the model gets to see."""

from collections.abc import Sequence
from typing import TypedDict

from chat_worker.domain import Message


class Remembered(TypedDict):
    """A question with its answer; `job_id` tells a turn from itself when its job is run again."""

    job_id: str
    question: str
    answer: str


KEPT_TURNS = 20
"""A session remembers this many turns."""
MODEL_CHARS = 12_000
"""About 8,000 tokens of Korean text: what the history may take of the model's window."""


def remember(left: list[Remembered], right: list[Remembered]) -> list[Remembered]:
    """The reducer of the history: a job that was run again replaces what it left the first time."""
    new = {turn["job_id"] for turn in right}
    return [*(turn for turn in left if turn["job_id"] not in new), *right][-KEPT_TURNS:]


def earlier(history: Sequence[Remembered], job_id: str) -> list[Remembered]:
    """The turns but the job's own, which is there when it was remembered and its end was not written."""
    return [turn for turn in history if turn["job_id"] != job_id]


def trim(history: Sequence[Remembered]) -> list[Message]:
    """The newest whole turns that fit the model's budget, as messages."""
    messages: list[Message] = []
    room = MODEL_CHARS
    for turn in reversed(history):
        room -= len(turn["question"]) + len(turn["answer"])
        if room < 0:
            break
        messages[:0] = [
            {"role": "user", "content": turn["question"]},
            {"role": "assistant", "content": turn["answer"]},
        ]
    return messages
