"""One structured call finds out everything that a message asks for."""

import logging
import re
from collections.abc import Sequence
from importlib import resources

from pydantic import ValidationError

from chat_worker.domain import (
    Intent,
    JsonSchema,
    Message,
    Sighting,
    SubQuestion,
    TokenUsage,
    Understanding,
)
from chat_worker.ports import ChatModel
from chat_worker.quoting import quoted

_log = logging.getLogger(__name__)

_PROMPT = resources.files("chat_worker").joinpath("prompts/intent.md").read_text(encoding="utf-8")
_SMALL_TALK = re.compile(
    r"(안녕(하세요|하십니까)?|하이|헬로우?|반가워요?|고마워요?|감사(해요|합니다)|잘\s?가|"
    r"hi|hello|hey|thanks|thank you|bye)[\s!.~?^ㅎㅋ]*",
    re.IGNORECASE,
)

_NULLABLE = {"type": ["string", "null"]}
SCHEMA: JsonSchema = {
    "type": "object",
    "additionalProperties": False,
    "required": ["language", "intents"],
    "properties": {
        "language": {"type": "string", "enum": ["ko", "en"]},
        "intents": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": [
                    "intent",
                    "confidence",
                    "question",
                    "item",
                    "material",
                    "place",
                    "district",
                    "date",
                ],
                "properties": {
                    "intent": {"type": "string", "enum": [intent.value for intent in Intent]},
                    "confidence": {"type": "number"},
                    "question": {"type": "string"},
                    "item": _NULLABLE,
                    "material": _NULLABLE,
                    "place": _NULLABLE,
                    "district": _NULLABLE,
                    "date": _NULLABLE,
                },
            },
        },
    },
}


async def understand(
    question: str, history: Sequence[Message], model: ChatModel, sighting: Sighting | None = None
) -> tuple[Understanding, TokenUsage | None]:
    """All intents of a message with their sub-questions; a lone greeting needs no model call."""
    if sighting is None and _SMALL_TALK.fullmatch(question.strip()):
        language = "en" if question.isascii() else "ko"
        small_talk = SubQuestion(intent=Intent.GENERAL, confidence=1, question=question)
        return Understanding(language=language, intents=[small_talk]), None
    messages: list[Message] = [
        {"role": "system", "content": _PROMPT},
        *history,
        {"role": "user", "content": _asked(question, sighting)},
    ]
    reply, usage = await model.structured(messages, "Understanding", SCHEMA)
    return _read(reply, question), usage


def _asked(question: str, sighting: Sighting | None) -> str:
    asked = quoted("question", question)
    if sighting is None or sighting.item is None:
        return asked
    seen = {"item": sighting.item, "material": sighting.material}
    return quoted("picture", seen) + "\n" + asked


def _read(reply: str, question: str) -> Understanding:
    """The model's reply; one that does not follow the schema counts as a waste question.

    The guide says for itself when it knows nothing, so this guess can do no harm.
    """
    try:
        return Understanding.model_validate_json(reply)
    except ValidationError as error:
        _log.warning("the model's understanding has %d invalid fields", error.error_count())
        language = "en" if question.isascii() else "ko"
        guess = SubQuestion(intent=Intent.WASTE, confidence=0.5, question=question)
        return Understanding(language=language, intents=[guess])
