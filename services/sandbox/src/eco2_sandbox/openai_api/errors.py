"""Refusals in OpenAI's words and shapes, rendered in one place."""

from collections.abc import Mapping
from http import HTTPStatus

import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from eco2_sandbox.behaviour import FailStatus
from eco2_sandbox.brain.schema_parts import UnfillableSchema


class ApiError(Exception):
    """A request the vendor refuses, with the fields of its error body."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        type: str = "invalid_request_error",
        param: str | None = None,
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.error = {"message": message, "type": type, "param": param, "code": code}
        self.headers = dict(headers or {})


def no_key() -> ApiError:
    """Return the refusal of a request without a bearer key."""
    return ApiError(
        401,
        "You didn't provide an API key. You need to provide your API key in an Authorization header"
        " using Bearer auth (i.e. Authorization: Bearer YOUR_KEY).",
    )


def no_model(model: str) -> ApiError:
    """Return the refusal of a model that does not exist."""
    message = f"The model `{model}` does not exist or you do not have access to it."
    return ApiError(404, message, code="model_not_found")


def not_json() -> ApiError:
    """Return the refusal of a body that is no JSON object."""
    return ApiError(400, "We could not parse the JSON body of your request. The API expects a JSON payload.")


def asked_for(status: FailStatus) -> ApiError:
    """Return the failure that was asked for at the control door."""
    match status:
        case 400:
            return ApiError(400, "Your request could not be processed.", code="invalid_request")
        case 401:
            return ApiError(401, "Incorrect API key provided: sandbox.", code="invalid_api_key")
        case 429:
            return ApiError(
                429,
                "Rate limit reached for requests. Please try again in 20ms.",
                type="requests",
                code="rate_limit_exceeded",
                headers={"retry-after-ms": "20", "retry-after": "1"},
            )
        case 500:
            message = "The server had an error while processing your request. Sorry about that!"
            return ApiError(500, message, type="server_error")


def install(app: FastAPI) -> None:
    """Render every refusal of the app in OpenAI's shape."""
    app.exception_handler(ApiError)(_render)
    app.exception_handler(UnfillableSchema)(_render_unfillable)
    app.exception_handler(HTTPException)(_render_unrouted)
    app.exception_handler(RequestValidationError)(_render_invalid_control)


def _response(error: ApiError) -> Response:
    return Response(
        orjson.dumps({"error": error.error}),
        error.status,
        media_type="application/json",
        headers=error.headers,
    )


async def _render(request: Request, error: ApiError) -> Response:
    return _response(error)


async def _render_unfillable(request: Request, fault: UnfillableSchema) -> Response:
    message = f"Invalid schema for response_format: {fault}"
    return _response(ApiError(400, message, param="response_format", code="invalid_json_schema"))


async def _render_unrouted(request: Request, error: HTTPException) -> Response:
    where = f"({request.method} {request.url.path})"
    words = "Invalid URL" if error.status_code == HTTPStatus.NOT_FOUND else error.detail
    return _response(ApiError(error.status_code, f"{words} {where}", headers=error.headers))


async def _render_invalid_control(request: Request, error: RequestValidationError) -> Response:
    first = error.errors()[0]
    field = ".".join(str(part) for part in first["loc"] if part != "body")
    return _response(ApiError(422, f"{field or 'body'}: {first['msg']}", param=field or None))
