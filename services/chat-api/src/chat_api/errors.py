"""Every error of the API as an RFC 9457 problem document, rendered in this one place."""

import logging
import re
from collections.abc import Mapping
from typing import Any

from eco2_bus.events import Problem
from eco2_bus.log import LogUnavailable
from eco2_bus.queue import QueueFull, QueueUnavailable
from eco2_history import HistoryUnavailable
from eco2_telemetry import propagation
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import Field
from starlette.exceptions import HTTPException

from chat_api import safe_headers
from chat_api.auth.caller import KeysUnavailable
from chat_api.metrics import metrics_of

_log = logging.getLogger(__name__)

PROBLEM_JSON = "application/problem+json"
FIELDS_MAX = 20
TOO_MANY_STREAMS = "too_many_streams"

_INVALID = ("invalid_fields", "Invalid fields", "Some fields are invalid.")
_CHALLENGE = 'Bearer realm="eco2"'
_INVALID_TOKEN = f'{_CHALLENGE}, error="invalid_token"'
_NAME = re.compile(r"[\w-]{1,64}", re.ASCII)


class ValidationProblem(Problem):
    """A problem that lists the fields at fault."""

    errors: list[dict[str, str]] = Field(default_factory=list[dict[str, str]])


class ApiProblem(Exception):
    """An error that the caller is told as it is."""

    def __init__(
        self,
        status: int,
        code: str,
        title: str,
        detail: str,
        *,
        headers: dict[str, str] | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.title = title
        self.detail = detail
        self.headers = headers or {}
        self.extra = extra or {}


def malformed(detail: str, code: str = "malformed_request") -> ApiProblem:
    """400."""
    return ApiProblem(400, code, "Malformed request", detail)


def unauthenticated() -> ApiProblem:
    """401 for a request that shows no credential."""
    detail = "This service wants to know who is calling: send `Authorization: Bearer ...`."
    return _unauthorized("unauthenticated", "Not authenticated", detail, _CHALLENGE)


def invalid_credential() -> ApiProblem:
    """401; what was wrong with it is nobody's business."""
    detail = "The key, token or ticket is not valid here."
    return _unauthorized("invalid_credential", "Invalid credential", detail, _INVALID_TOKEN)


def credential_expired() -> ApiProblem:
    """401 for what was valid once."""
    return _unauthorized(
        "credential_expired", "Credential expired", "The token or ticket has ended.", _INVALID_TOKEN
    )


def _unauthorized(code: str, title: str, detail: str, challenge: str) -> ApiProblem:
    return ApiProblem(401, code, title, detail, headers={"WWW-Authenticate": challenge})


def unknown_job() -> ApiProblem:
    """404; the same whether the job never was or is somebody else's."""
    return ApiProblem(404, "job_not_found", "No such job", "There is no such job, or it is not yours.")


def unknown_session() -> ApiProblem:
    """404; the same whether the session never was or is somebody else's."""
    detail = "There is no such session, or it is not yours."
    return ApiProblem(404, "session_not_found", "No such session", detail)


def unknown_picture() -> ApiProblem:
    """404; the same whether the picture never was, has expired or is somebody else's."""
    detail = "There is no such picture, or it is not yours, or it has expired."
    return ApiProblem(404, "image_not_found", "No such picture", detail)


def invalid_picture(message: str) -> ApiProblem:
    """422 for bytes that only a closer look tells are none."""
    return ApiProblem(422, *_INVALID, extra={"errors": [{"field": "body.image_url", "message": message}]})


def session_busy(job_id: str | None) -> ApiProblem:
    """409 with the job that has the session; without one, the session is being erased."""
    headers = {"Retry-After": "2"}
    if job_id is None:
        return ApiProblem(
            409, "session_busy", "Session busy", "The session is being erased.", headers=headers
        )
    detail = "The session is still answering a question. Wait, cancel it, or send on_busy=interrupt."
    return ApiProblem(409, "session_busy", "Session busy", detail, headers=headers, extra={"job_id": job_id})


def rate_limited(retry_after_s: int, headers: Mapping[str, str]) -> ApiProblem:
    """429 with the seconds until the next question is let in."""
    detail = f"You ask too often. The next question will be taken in {retry_after_s} s."
    headers = {**headers, "Retry-After": str(retry_after_s)}
    return ApiProblem(429, "rate_limited", "Too many requests", detail, headers=headers)


def too_many_jobs(at_most: int, headers: Mapping[str, str]) -> ApiProblem:
    """429 until one of the caller's questions is answered, or cancelled."""
    detail = f"{at_most} of your questions are still being answered. Wait for one, or cancel it."
    headers = {**headers, "Retry-After": "5"}
    return ApiProblem(429, "too_many_jobs", "Too many questions at a time", detail, headers=headers)


def too_many_streams_of_yours(at_most: int) -> ApiProblem:
    """429 until the caller closes one."""
    detail = f"You have {at_most} streams open. Close one, or wait for its end."
    return ApiProblem(429, TOO_MANY_STREAMS, "Too many streams", detail, headers={"Retry-After": "5"})


def too_many_streams() -> ApiProblem:
    """503 from a process that is full; another one may have room."""
    detail = "Too many answers are being watched. Try again in a moment."
    return ApiProblem(503, TOO_MANY_STREAMS, "Overloaded", detail, headers={"Retry-After": "2"})


def not_waiting() -> ApiProblem:
    """409 for input that nobody has asked for, or not any more."""
    return ApiProblem(409, "not_waiting", "Not waiting", "This job does not wait for any input.")


def not_ended() -> ApiProblem:
    """409 for what only an ended job can get."""
    return ApiProblem(409, "not_ended", "Not ended", "This job has not ended yet.")


def idempotency_in_flight() -> ApiProblem:
    """409."""
    detail = "A request with this Idempotency-Key is still being worked on."
    return ApiProblem(409, "idempotency_in_flight", "Request in flight", detail, headers={"Retry-After": "1"})


def idempotency_mismatch() -> ApiProblem:
    """422."""
    detail = "This Idempotency-Key was used with another body."
    return ApiProblem(422, "idempotency_mismatch", "Idempotency-Key reused", detail)


def events_expired(status_url: str) -> ApiProblem:
    """410 with a link to the answer."""
    return ApiProblem(
        410,
        "events_expired",
        "Events expired",
        "The events of this job are no longer kept; its answer is.",
        headers={"Link": f'<{status_url}>; rel="alternate"'},
        extra={"status_url": status_url},
    )


def install(app: FastAPI) -> None:
    """Has the app answer every error with a problem document."""
    app.add_exception_handler(ApiProblem, _api_problem)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(QueueFull, _overloaded)
    app.add_exception_handler(QueueUnavailable, _dependency_down)
    app.add_exception_handler(LogUnavailable, _dependency_down)
    app.add_exception_handler(HistoryUnavailable, _dependency_down)
    app.add_exception_handler(KeysUnavailable, _dependency_down)
    app.add_exception_handler(Exception, _unexpected)


def body_too_large(request: Request) -> JSONResponse:
    """413, for a body that is refused before anything reads it."""
    return _problem(request, 413, *_TITLES[413], "Body too large.")


def unknown_host(request: Request) -> JSONResponse:
    """421, for a request that a page elsewhere may have sent here under a name of its own."""
    detail = "This service is not known by the name in `Host`. Its operator can add it to ALLOWED_HOSTS."
    return _problem(request, 421, "unknown_host", "Misdirected request", detail)


def _problem(
    request: Request,
    status: int,
    code: str,
    title: str,
    detail: str,
    *,
    headers: dict[str, str] | None = None,
    extra: dict[str, Any] | None = None,
) -> JSONResponse:
    problem = Problem(
        title=title, status=status, detail=detail, code=code, trace_id=propagation.current_trace_id()
    )
    if request.method == "POST" or code == TOO_MANY_STREAMS:
        metrics_of(request).rejected(code)
    body = {**problem.model_dump(), **(extra or {})}
    return JSONResponse(body, status_code=status, headers=headers, media_type=PROBLEM_JSON)


async def _api_problem(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ApiProblem)
    return _problem(
        request, error.status, error.code, error.title, error.detail, headers=error.headers, extra=error.extra
    )


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    details: list[dict[str, Any]] = list(error.errors())
    if any(detail["type"] == "json_invalid" for detail in details):
        return _problem(request, 400, "malformed_request", "Malformed request", "The body is not valid JSON.")
    # The value at fault stays out: it is the user's text, and may not even be encodable.
    fields = [
        {"field": _field(detail["loc"]), "message": detail["msg"].removeprefix("Value error, ")}
        for detail in details[:FIELDS_MAX]
    ]
    return _problem(request, 422, *_INVALID, extra={"errors": fields})


def _field(location: tuple[int | str, ...]) -> str:
    # The name of an unknown field is the user's text too, and told only if it looks like a name.
    return ".".join(str(part) if _NAME.fullmatch(str(part)) else "?" for part in location)


_TITLES = {
    400: ("malformed_request", "Malformed request"),
    404: ("not_found", "Not found"),
    405: ("method_not_allowed", "Method not allowed"),
    413: ("body_too_large", "Body too large"),
    415: ("unsupported_media_type", "Unsupported media type"),
}


async def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    code, title = _TITLES.get(error.status_code, ("http_error", "Request failed"))
    headers = dict(error.headers) if error.headers else None
    return _problem(request, error.status_code, code, title, f"{title}.", headers=headers)


async def _overloaded(request: Request, _error: Exception) -> JSONResponse:
    detail = "Too many questions are waiting. Try again in a moment."
    return _problem(request, 503, "queue_full", "Overloaded", detail, headers={"Retry-After": "5"})


async def _dependency_down(request: Request, error: Exception) -> JSONResponse:
    _log.warning("dependency unavailable: %s: %s", type(error).__name__, error)
    detail = "A part of the service is unavailable. Try again in a moment."
    return _problem(request, 503, "unavailable", "Unavailable", detail, headers={"Retry-After": "2"})


async def _unexpected(request: Request, error: Exception) -> JSONResponse:
    _log.error("unexpected error", exc_info=error)
    # Rendered outside of all middleware.
    headers = {**safe_headers.ALWAYS, **safe_headers.UNLESS_SET}
    detail = "Something went wrong on our side."
    return _problem(request, 500, "internal_error", "Internal error", detail, headers=headers)
