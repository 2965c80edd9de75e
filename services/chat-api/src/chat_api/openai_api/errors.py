"""Problem documents, and whatever else goes wrong below `/v1/`, in the shape that its clients expect."""

from typing import Any, cast

import orjson
from eco2_bus.events import Problem
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chat_api.errors import PROBLEM_JSON

PREFIX = "/v1/"
_TYPES = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}
_OWN_HEADERS = (b"content-type", b"content-length")


def error_object(problem: Problem, param: str | None = None) -> dict[str, Any]:
    """The error inside an answer or a stream."""
    kind = _TYPES.get(problem.status, "server_error" if problem.status >= 500 else "invalid_request_error")
    return {
        "message": problem.detail,
        "type": kind,
        "param": param,
        "code": "rate_limit_exceeded" if problem.status == 429 else problem.code,
        "trace_id": problem.trace_id,
    }


class OpenAiErrors:
    """ASGI middleware: the API renders its errors in one place, and this restates them."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(PREFIX):
            await self._app(scope, receive, send)
            return
        restating = _Restating(send)
        try:
            await self._app(scope, receive, restating)
        except Exception as error:
            if restating.has_begun:
                raise
            # The app's own answer to it is given further out, where nothing restates it.
            render = scope["app"].exception_handlers[Exception]
            response: Response = await render(Request(scope), error)
            await response(scope, receive, restating)


class _Restating:
    """A send that holds a problem document back until it is whole."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._head: Message | None = None
        self._body = b""
        self.has_begun = False

    async def __call__(self, message: Message) -> None:
        self.has_begun = True
        if message["type"] == "http.response.start" and _is_problem(message):
            self._head = message
        elif self._head is None:
            await self._send(message)
        else:
            self._body += message.get("body", b"")
            if not message.get("more_body", False):
                await self._restate(self._head)

    async def _restate(self, head: Message) -> None:
        fields = orjson.loads(self._body)
        body = orjson.dumps({"error": _restated(fields)})
        kept = [pair for pair in head["headers"] if pair[0].lower() not in _OWN_HEADERS]
        kept += [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        # Only a field at fault: any other 422 says what it means.
        status = 400 if fields.get("errors") else head["status"]
        await self._send({**head, "status": status, "headers": kept})
        await self._send({"type": "http.response.body", "body": body})


def _is_problem(start: Message) -> bool:
    pairs = cast(list[tuple[bytes, bytes]], start["headers"])
    return any(name.lower() == b"content-type" and value == PROBLEM_JSON.encode() for name, value in pairs)


def _restated(fields: dict[str, Any]) -> dict[str, Any]:
    problem = Problem.model_validate(fields)
    faults: list[dict[str, str]] = fields.get("errors", [])
    if not faults:
        return {**error_object(problem), **({"job_id": fields["job_id"]} if "job_id" in fields else {})}
    # Of the question's own checks, all are about what the messages say.
    params = [fault["field"].removeprefix("body.") for fault in faults]
    params = ["messages" if param in ("message", "image_url") else param for param in params]
    told = "; ".join(f"{param}: {fault['message']}" for param, fault in zip(params, faults, strict=True))
    return error_object(problem.model_copy(update={"detail": told, "status": 400}), params[0])
