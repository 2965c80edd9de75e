"""Every answer of the API held against its own OpenAPI document."""

import json
import re
from functools import cache
from typing import Any

import httpx
import jsonschema
from chat_api import openapi
from chat_api.app import create_app

from tests.api.services import memory_services

PROBLEM = "application/problem+json"


@cache
def document() -> dict[str, Any]:
    return create_app(memory_services()).openapi()


@cache
def validator(name: str) -> jsonschema.Draft202012Validator:
    """Holds data against one of the document's schemas."""
    components = document()["components"]
    return jsonschema.Draft202012Validator({"$ref": f"#/components/schemas/{name}", "components": components})


def operation(method: str, path: str) -> dict[str, Any] | None:
    """What the document says of a call; None for a call that it does not offer."""
    for template, methods in document()["paths"].items():
        pattern = re.sub(r"\\{\w+\\}", "[^/]+", re.escape(template))
        if re.fullmatch(pattern, path) and method.lower() in methods:
            return methods[method.lower()]
    return None


async def check(response: httpx.Response) -> None:
    """Fails when the answer is one that the document does not list, or is not shaped as it says."""
    request = response.request
    offered = operation(request.method, request.url.path)
    if offered is not None:
        listed = offered["responses"]
        assert str(response.status_code) in listed, (
            f"{request.method} {request.url.path} gave {response.status_code}, listed: {sorted(listed)}"
        )
        headers = listed[str(response.status_code)].get("headers", {})
        always = [name for name, header in headers.items() if header.get("required")]
        assert all(name in response.headers for name in always), (always, response.headers)
    if response.status_code >= 400 and not request.url.path.endswith("z"):
        await response.aread()
        problem_of(response.status_code, dict(response.headers), response.content)


def problem_of(
    status: int, headers: dict[str, str], body: bytes, *, is_traced: bool = True
) -> dict[str, Any]:
    """A problem document, checked."""
    assert headers["content-type"] == PROBLEM
    problem: dict[str, Any] = json.loads(body)
    validator("ValidationProblem" if "errors" in problem else "Problem").validate(problem)
    assert problem["status"] == status
    assert re.fullmatch("[0-9a-f]{32}", problem["trace_id"]) or not is_traced
    assert "Traceback" not in body.decode()
    if status in (429, 503):
        assert int(headers["retry-after"]) > 0
    return problem


def check_event(name: str, data: Any) -> None:
    """Holds an event's data against its schema."""
    validator(openapi.EVENTS[name].__name__).validate(data)


def events() -> list[str]:
    """The names that the document gives to the events of the stream."""
    listed = document()["paths"]["/api/v1/chat/{job_id}/events"]["get"]["responses"]["200"]
    return list(listed["content"]["text/event-stream"]["schema"]["x-events"])
