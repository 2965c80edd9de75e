"""Checks what a client sends, in the order OpenAI does: key, body, model."""

from typing import TypeVar

import orjson
from fastapi import Request
from pydantic import BaseModel, ValidationError

from eco2_sandbox.openai_api import errors
from eco2_sandbox.openai_api.requests import ChatRequest

Body = TypeVar("Body", bound=BaseModel)


def check_key(request: Request) -> None:
    """Raise `ApiError` 401 unless the request carries a bearer key; any key will do."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        raise errors.no_key()


async def read_body(request: Request, body_type: type[Body]) -> Body:
    """Return the checked body; raises `ApiError` 401 without a key and 400 for a malformed body."""
    check_key(request)
    try:
        sent = orjson.loads(await request.body())
    except orjson.JSONDecodeError as fault:
        raise errors.not_json() from fault
    if not isinstance(sent, dict):
        raise errors.not_json()
    try:
        return body_type.model_validate(sent)
    except ValidationError as fault:
        raise _invalid(fault) from fault


def check_model(model: str, missing_model: str) -> None:
    """Raise `ApiError` 404 for the model that does not exist."""
    if model == missing_model:
        raise errors.no_model(model)


def check_chat(body: ChatRequest, missing_model: str) -> None:
    """Raise `ApiError` for a request that is well formed and still not to be served."""
    check_model(body.model, missing_model)
    if body.n and body.n > 1:
        raise _unsupported("Only one completion per request is supported here.", "n")
    if body.stream_options and not body.stream:
        message = "The 'stream_options' parameter is only allowed when 'stream' is enabled."
        raise _unsupported(message, "stream_options")
    form = body.response_format
    if form and form.type == "json_schema" and form.json_schema is None:
        param = "response_format.json_schema"
        message = f"Missing required parameter: '{param}'."
        raise errors.ApiError(400, message, param=param, code="missing_required_parameter")


def _unsupported(message: str, param: str) -> errors.ApiError:
    return errors.ApiError(400, message, param=param, code="unsupported_value")


def _invalid(fault: ValidationError) -> errors.ApiError:
    first = fault.errors(include_url=False, include_input=False)[0]
    param = ""
    for step in first["loc"]:
        param += f"[{step}]" if isinstance(step, int) else f".{step}" if param else step
    if first["type"] == "missing":
        message, code = f"Missing required parameter: '{param}'.", "missing_required_parameter"
    elif first["type"].endswith("_type") or first["type"].endswith("_parsing"):
        message, code = f"Invalid type for '{param}': {first['msg']}.", "invalid_type"
    else:
        message, code = f"Invalid value for '{param}': {first['msg']}.", "invalid_value"
    return errors.ApiError(400, message, param=param, code=code)
