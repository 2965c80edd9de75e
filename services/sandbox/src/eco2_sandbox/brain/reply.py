"""Decides what kind of reply a conversation asks for, and has it written."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import orjson

from eco2_sandbox.brain.answer import answer, answer_plain_text
from eco2_sandbox.brain.intents import understand
from eco2_sandbox.brain.prompt import picture_in, question_in, read_answer_prompt
from eco2_sandbox.brain.schema import instance_of
from eco2_sandbox.brain.schema_parts import Schema
from eco2_sandbox.brain.sight import look

# The name of the schema the worker asks the intent step to fill.
UNDERSTANDING = "Understanding"
# A schema that asks for these, beside a picture, asks what the picture shows.
_SIGHT = {"item", "material", "confidence"}


@dataclass(frozen=True)
class Turn:
    """One message of the conversation as text."""

    role: str
    text: str
    pictures: tuple[str, ...] = ()


def say(turns: Sequence[Turn]) -> str:
    """Return the text reply to the last user message; the same conversation gets the same reply."""
    return _answer(_asked(turns)[-1])


def is_grounded(turns: Sequence[Turn]) -> bool:
    """Say whether the conversation asks for an answer from passages, which are numbered."""
    text = _asked(turns)[-1]
    return text.startswith("<findings>") and '"n":' in text


def fill(turns: Sequence[Turn], name: str, schema: Schema) -> str:
    """Return the reply as JSON that fits the named schema; raises `UnfillableSchema`."""
    if name == UNDERSTANDING:
        last = _asked(turns)[-1]
        question, *earlier = [question_in(text) for text in reversed(_asked(turns))]
        return orjson.dumps(understand(question, earlier, picture_in(last))).decode()
    filled = instance_of(schema)
    picture = next((turn.pictures[-1] for turn in reversed(turns) if turn.pictures), None)
    if picture is not None and isinstance(filled, dict) and filled.keys() >= _SIGHT:
        filled |= asdict(look(picture))
    return orjson.dumps(filled).decode()


def _asked(turns: Sequence[Turn]) -> list[str]:
    return [turn.text for turn in turns if turn.role == "user"] or [""]


def _answer(text: str) -> str:
    prompt = read_answer_prompt(text)
    return answer_plain_text(question_in(text)) if prompt is None else answer(prompt)
