"""What the Responses API answers to a wish for a picture."""

import binascii
from typing import Any

from pydantic import BaseModel, ValidationError

from chat_worker.adapters.web_text import plain_text
from chat_worker.errors import AnswerRefused, QuotaExceeded, SchemaDrift, Transient, VendorError
from chat_worker.ports.images import MadeImage

DESCRIPTION_MAX_CHARS = 1_000
_REFUSALS = frozenset(
    {"moderation_blocked", "content_policy_violation", "image_content_policy_violation", "invalid_prompt"}
)


class Usage(BaseModel):
    """The tokens of a call."""

    input_tokens: int = 0
    output_tokens: int = 0


class _Output(BaseModel):
    type: str
    status: str | None = None
    result: Any = None
    revised_prompt: Any = None


class _Error(BaseModel):
    code: Any = None
    type: Any = None


class _ErrorBody(BaseModel):
    error: _Error


class Reply(BaseModel):
    """The parts of a response that are read; outputs of other tools pass."""

    output: list[_Output]
    error: _Error | None = None
    usage: Usage | None = None


def parsed(body: bytes) -> Reply:
    """The reply; raises SchemaDrift."""
    try:
        return Reply.model_validate_json(body)
    except ValidationError as error:
        raise SchemaDrift(f"openai: {error.error_count()} unexpected fields") from None


def picture_of(reply: Reply, max_bytes: int) -> MadeImage:
    """The picture of a reply; raises AnswerRefused, Transient for an unfinished one, or SchemaDrift."""
    calls = [output for output in reply.output if output.type == "image_generation_call"]
    for call in calls:
        if call.status != "failed" and isinstance(call.result, str):
            data = _decoded(call.result, max_bytes)
            return MadeImage(_media_type(data), data, plain_text(call.revised_prompt, DESCRIPTION_MAX_CHARS))
    if reply.error and reply.error.code in _REFUSALS:
        raise AnswerRefused
    if calls or reply.error:
        raise Transient("openai: the picture was not finished")
    if any(output.type == "message" for output in reply.output):
        raise AnswerRefused
    raise SchemaDrift("openai: neither a picture nor a message")


def refusal(status: int, body: bytes) -> VendorError | None:
    """What an error body says beyond its status; raises AnswerRefused for a wish that is not drawn."""
    try:
        error = _ErrorBody.model_validate_json(body).error
    except ValidationError:
        error = _Error()
    if status == 400 and error.code in _REFUSALS:
        raise AnswerRefused
    if status == 429 and "insufficient_quota" in (error.code, error.type):
        return QuotaExceeded("openai: the quota is used up")
    return Transient(f"openai: HTTP {status}") if status in {409, 429} else None


def _decoded(result: str, max_bytes: int) -> bytes:
    if len(result) > max_bytes * 4 // 3 + 4:
        raise SchemaDrift("openai: a picture above the limit")
    try:
        return binascii.a2b_base64(result, strict_mode=True)
    except ValueError:
        raise SchemaDrift("openai: a picture that is no base64") from None


def _media_type(data: bytes) -> str:
    """By the first bytes, whatever was asked for: a browser looks at nothing else."""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "image/webp"
    raise SchemaDrift("openai: a picture of no known kind")
