"""The OpenAPI document: every status a call can give, and the events of the stream."""

from typing import Any

from eco2_bus import events
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from chat_api.errors import PROBLEM_JSON, ValidationProblem
from chat_api.limits import headers as limit_headers

EVENTS: dict[str, type[BaseModel]] = {
    "queued": events.Queued,
    "started": events.Started,
    "stage": events.Stage,
    "token": events.Token,
    "sources": events.SourceList,
    "image": events.Image,
    "input_required": events.InputRequired,
    "reset": events.Reset,
    "gap": events.Gap,
    "credential_expired": events.CredentialExpired,
    "usage": events.Usage,
    "done": events.Ended,
    "cancelled": events.Ended,
    "error": events.Problem,
}

_ERRORS = {
    "400": "Malformed JSON, or an event id or a cursor that is none",
    "401": "Not known who is calling: no credential, an invalid one, or one that has expired",
    "404": "Unknown, or not yours",
    "409": "The session is busy, a request with the same key is in flight, or the job is not at that point",
    "410": "The events have expired; `status_url` has the answer",
    "413": "The body is too large",
    "421": "Called by a name that is not this service's, where it wants no credential",
    "422": "Invalid fields, each listed; or an Idempotency-Key with another body",
    "429": "A limit of yours; see Retry-After",
    "500": "Our fault",
    "503": "Too much load or a dependency down; see Retry-After",
}
_OF_CALL = {
    ("post", "/api/v1/chat"): ("400", "404", "409", "410", "413", "422", "429", "500", "503"),
    ("get", "/api/v1/chat/{job_id}"): ("404", "500", "503"),
    ("get", "/api/v1/chat/{job_id}/events"): ("400", "404", "410", "429", "500", "503"),
    ("post", "/api/v1/chat/{job_id}/input"): ("400", "404", "409", "413", "422", "500", "503"),
    ("post", "/api/v1/chat/{job_id}/feedback"): ("400", "404", "409", "413", "422", "500", "503"),
    ("post", "/api/v1/chat/{job_id}/cancel"): ("404", "413", "500", "503"),
    ("get", "/api/v1/sessions/{session_id}/turns"): ("400", "404", "422", "500", "503"),
    ("delete", "/api/v1/sessions/{session_id}"): ("404", "409", "413", "500", "503"),
    ("get", "/api/v1/images/{picture_id}"): ("404", "500", "503"),
}

AN_EVENT_ID = {"type": "string", "pattern": events.EVENT_ID_PATTERN}

_SCHEMES: dict[str, Any] = {
    "credential": {
        "type": "http",
        "scheme": "bearer",
        "description": "An access key or the issuer's token, as `AUTH_MODE` says; nothing with `none`.",
    },
    "ticket": {
        "type": "apiKey",
        "in": "query",
        "name": "ticket",
        "description": "Stands for the credential in addresses that the API gives, until it ends.",
    },
}
_SECURITY: list[dict[str, list[str]]] = [{"credential": []}, {}]
_BY_TICKET = {
    ("get", "/api/v1/chat/{job_id}/events"): [{"ticket": list[str]()}],
    ("get", "/api/v1/images/{picture_id}"): [{"ticket": list[str]()}],
}
_RETRY_AFTER: dict[str, Any] = {
    "Retry-After": {
        "description": "Seconds until another try is worth it",
        "required": True,
        "schema": {"type": "integer", "minimum": 1},
    }
}
_LOCATION: dict[str, Any] = {
    "Location": {
        "description": "Where the job's status is, as in `status_url`",
        "required": True,
        "schema": {"type": "string"},
    }
}
_LIMITS: dict[str, Any] = {
    name: {"description": f"{what}, where this question was counted for one", "schema": {"type": "string"}}
    for name, what in zip(limit_headers.NAMES, ("What is left of each limit", "The limits"), strict=True)
}


def install(app: FastAPI) -> None:
    """Replaces the generated document by the full one, made at the first request for it."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app)
        return app.openapi_schema

    app.openapi = document


def _document(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(title=app.title, version=app.version, summary=app.summary, routes=app.routes)
    schemas: dict[str, Any] = document.setdefault("components", {}).setdefault("schemas", {})
    models = [*EVENTS.values(), ValidationProblem]
    _, extra = models_json_schema(
        [(model, "serialization") for model in dict.fromkeys(models)],
        ref_template="#/components/schemas/{model}",
    )
    schemas.update(extra["$defs"])
    for (method, path), statuses in _OF_CALL.items():
        responses = document["paths"][path][method]["responses"]
        responses.pop("422", None)
        for status in ("401", *statuses):
            responses[status] = _problem(status)
        document["paths"][path][method]["security"] = [*_SECURITY, *_BY_TICKET.get((method, path), ())]
    document["components"]["securitySchemes"] = _SCHEMES
    paths = document["paths"]
    for calls in paths.values():
        for call in calls.values():
            call["responses"]["421"] = _problem("421")
            for parameter in call.get("parameters", ()):
                _never_null(parameter)
    for responses in (
        paths["/api/v1/chat"]["post"]["responses"],
        paths["/api/v1/chat/{job_id}/events"]["get"]["responses"],
    ):
        responses["200"] = _stream()
    for status in ("200", "202", "429"):
        answer = paths["/api/v1/chat"]["post"]["responses"][status]
        where = _LOCATION if status < "4" else {}
        answer["headers"] = {**where, **answer.get("headers", {}), **_LIMITS}
    return document


def _problem(status: str) -> dict[str, Any]:
    model = "ValidationProblem" if status == "422" else "Problem"
    schema = {"$ref": f"#/components/schemas/{model}"}
    answer: dict[str, Any] = {"description": _ERRORS[status], "content": {PROBLEM_JSON: {"schema": schema}}}
    return {**answer, "headers": _RETRY_AFTER} if status in ("429", "503") else answer


def _stream() -> dict[str, Any]:
    """What JSON Schema can say of a stream: each of its events, with its data as JSON in a text."""
    names = ", ".join(f"`{name}`" for name in EVENTS)
    data = {name: {"$ref": f"#/components/schemas/{model.__name__}"} for name, model in EVENTS.items()}
    text = {"type": "string", "contentMediaType": "application/json"}
    schema = {
        "type": "object",
        "description": f"Server-sent events {names}; `x-events` gives the schema of each one's data.",
        "required": ["event", "data"],
        "properties": {"id": AN_EVENT_ID, "event": {"enum": list(EVENTS)}, "data": text},
        "oneOf": [
            {"properties": {"event": {"const": name}, "data": {**text, "contentSchema": schema}}}
            for name, schema in data.items()
        ],
        "x-events": data,
    }
    return {"description": "The job's events", "content": {"text/event-stream": {"schema": schema}}}


def _never_null(parameter: dict[str, Any]) -> None:
    """A header or a query parameter is left out; FastAPI documents that as null, which neither can be."""
    schema: dict[str, Any] = parameter["schema"]
    if {"type": "null"} in schema.get("anyOf", ()):
        (known,) = (choice for choice in schema.pop("anyOf") if choice != {"type": "null"})
        parameter["schema"] = {**known, **schema}
