"""Other names for a thing that the guide does not know by the user's words: one short call to the model."""

import logging
from importlib import resources
from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from chat_worker.domain import JsonSchema, Message, TokenUsage
from chat_worker.ports import ChatModel
from chat_worker.quoting import quoted

_log = logging.getLogger(__name__)

MOST_NAMES = 3
_PROMPT = resources.files("chat_worker").joinpath("prompts/reword.md").read_text(encoding="utf-8")
SCHEMA: JsonSchema = {
    "type": "object",
    "additionalProperties": False,
    "required": ["names"],
    "properties": {"names": {"type": "array", "items": {"type": "string"}}},
}
_Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]


class _Rewording(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    names: list[_Name]


async def other_names(question: str, model: ChatModel) -> tuple[list[str], TokenUsage]:
    """Up to MOST_NAMES names, the most likely first; raises what a ChatModel raises."""
    messages: list[Message] = [
        {"role": "system", "content": _PROMPT},
        {"role": "user", "content": quoted("question", question)},
    ]
    reply, usage = await model.structured(messages, "Rewording", SCHEMA)
    try:
        return _Rewording.model_validate_json(reply).names[:MOST_NAMES], usage
    except ValidationError as error:
        _log.warning("the model's other names have %d invalid fields", error.error_count())
        return [], usage
