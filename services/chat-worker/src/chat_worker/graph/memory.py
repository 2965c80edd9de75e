"""What of a conversation is kept, and what of it the model gets to see."""

from collections.abc import Sequence

from chat_worker.domain import Message

KEPT_MESSAGES = 40
"""A session remembers this many messages; its turns are stored elsewhere in full."""
MODEL_CHARS = 12_000
"""About 8,000 tokens of Korean text: what the history may take of the model's window."""


def remember(left: list[Message], right: list[Message]) -> list[Message]:
    """The reducer of the history."""
    return [*left, *right][-KEPT_MESSAGES:]


def trim(history: Sequence[Message]) -> list[Message]:
    """The newest whole turns that fit the model's budget, beginning with a user's message."""
    kept: list[Message] = []
    room = MODEL_CHARS
    for message in reversed(history):
        room -= len(message["content"])
        if room < 0:
            break
        kept.insert(0, message)
    while kept and kept[0]["role"] != "user":
        kept.pop(0)
    return kept
