"""What a release is held to: no client loses anything, and there is one version."""

import json
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from release import LAST_RELEASED
from release.breaking import broken
from release.versions import has_changes, versions

SUBMIT = ("/api/v1/chat", "post")
EVENTS = ("/api/v1/chat/{job_id}/events", "get")
TURNS = ("/api/v1/sessions/{session_id}/turns", "get")
Change = Callable[[dict[str, Any]], Any]


@pytest.fixture(scope="module")
def released() -> dict[str, Any]:
    return json.loads(LAST_RELEASED.read_text(encoding="utf-8"))


def call(document: dict[str, Any], where: tuple[str, str]) -> dict[str, Any]:
    path, method = where
    return document["paths"][path][method]


def schema(document: dict[str, Any], name: str) -> dict[str, Any]:
    return document["components"]["schemas"][name]


def field(document: dict[str, Any], name: str, of: str) -> dict[str, Any]:
    return schema(document, of)["properties"][name]


def events(document: dict[str, Any]) -> dict[str, Any]:
    answer = document["paths"]["/api/v1/chat/{job_id}/events"]["get"]["responses"]["200"]
    return answer["content"]["text/event-stream"]["schema"]["x-events"]


def headers(document: dict[str, Any], status: str) -> dict[str, Any]:
    return call(document, SUBMIT)["responses"][status]["headers"]


def require(document: dict[str, Any], name: str, of: str) -> None:
    schema(document, of)["required"].append(name)


TAKEN: dict[str, Change] = {
    "POST /api/v1/chat is gone": lambda d: d["paths"].pop("/api/v1/chat"),
    "GET /api/v1/sessions/{session_id}/turns is gone": lambda d: d["paths"][TURNS[0]].pop("get"),
    "POST /api/v1/chat: the parameter idempotency-key is gone": lambda d: call(d, SUBMIT)[
        "parameters"
    ].clear(),
    "GET /api/v1/sessions/{session_id}/turns: the parameter limit must be given now": lambda d: [
        one.update(required=True) for one in call(d, TURNS)["parameters"] if one["name"] == "limit"
    ],
    "POST /api/v1/chat: the answer 202 is gone": lambda d: call(d, SUBMIT)["responses"].pop("202"),
    "POST /api/v1/chat 200: text/event-stream is gone": lambda d: call(d, SUBMIT)["responses"]["200"].update(
        content={}
    ),
    "POST /api/v1/chat body.on_busy is gone": lambda d: schema(d, "ChatRequest")["properties"].pop("on_busy"),
    "POST /api/v1/chat body.session_id must be given now": lambda d: require(d, "session_id", "ChatRequest"),
    "POST /api/v1/chat body.message: its limits are narrower": lambda d: field(
        d, "message", "ChatRequest"
    ).update(maxLength=100),
    "POST /api/v1/chat body.on_busy: takes fewer values": lambda d: field(d, "on_busy", "ChatRequest").update(
        enum=["reject"]
    ),
    "POST /api/v1/chat body.location.latitude: no longer takes number": lambda d: field(
        d, "latitude", "Location"
    ).update(type="string"),
    "POST /api/v1/chat 202.job_id is gone": lambda d: schema(d, "Queued")["properties"].pop("job_id"),
    "POST /api/v1/chat 202.events_url may be missing now": lambda d: schema(d, "Queued")["required"].remove(
        "events_url"
    ),
    "POST /api/v1/chat 202.job_id: may now be integer": lambda d: field(d, "job_id", "Queued").update(
        type="integer"
    ),
    "GET /api/v1/chat/{job_id} 200.sources[].title is gone": lambda d: schema(d, "Source")["properties"].pop(
        "title"
    ),
    "GET /api/v1/chat/{job_id}/events 200.stage is gone": lambda d: events(d).pop("stage"),
    "POST /api/v1/chat body.on_busy: something else is meant where it is left out": lambda d: field(
        d, "on_busy", "ChatRequest"
    ).update(default="interrupt"),
    "POST /api/v1/chat 202.status: is another value now": lambda d: field(d, "status", "Queued").update(
        const="accepted"
    ),
    "POST /api/v1/chat 202: the header Location is gone": lambda d: headers(d, "202").pop("Location"),
    "POST /api/v1/chat 202: the header Location may be missing now": lambda d: headers(d, "202")[
        "Location"
    ].pop("required"),
    "POST /api/v1/chat 429: the header RateLimit is gone": lambda d: headers(d, "429").pop("RateLimit"),
    "POST /api/v1/chat 503: the header Retry-After is gone": lambda d: headers(d, "503").pop("Retry-After"),
    "POST /api/v1/chat 503 Retry-After: may now be string": lambda d: headers(d, "503")["Retry-After"][
        "schema"
    ].update(type="string"),
    "the credential ticket is gone": lambda d: d["components"]["securitySchemes"].pop("ticket"),
    "the credential ticket is given in another way": lambda d: d["components"]["securitySchemes"][
        "ticket"
    ].update(name="token"),
    "GET /api/v1/chat/{job_id}/events: no longer takes ticket": lambda d: call(d, EVENTS).update(
        security=[{"credential": []}]
    ),
    "POST /api/v1/chat: no longer takes calls without a credential": lambda d: call(d, SUBMIT).update(
        security=[{"credential": []}]
    ),
    "GET /readyz 200.dependencies.*: may now be integer": lambda d: field(
        d, "dependencies", "Readiness"
    ).update(additionalProperties={"type": "integer"}),
    "GET /readyz 200.dependencies.*: may now be anything": lambda d: field(
        d, "dependencies", "Readiness"
    ).pop("additionalProperties"),
    "GET /readyz 200.dependencies.* is gone": lambda d: field(d, "dependencies", "Readiness").update(
        additionalProperties=False
    ),
    "GET /api/v1/sessions/{session_id}/turns 200.turns[]: may now be anything": lambda d: field(
        d, "turns", "TurnPage"
    ).pop("items"),
}
ADDED: dict[str, Change] = {
    "a call": lambda d: d["paths"].update({"/api/v1/new": {"get": {"responses": {"200": {}}}}}),
    "a field of a question": lambda d: schema(d, "ChatRequest")["properties"].update(tone={"type": "string"}),
    "a field of an answer": lambda d: schema(d, "Usage")["properties"].update(cached={"type": "integer"}),
    "a wider limit": lambda d: field(d, "message", "ChatRequest").update(maxLength=9_000),
    "a value that an answer may have": lambda d: field(d, "status", "JobStatus")["enum"].append("paused"),
    "a refusal": lambda d: call(d, SUBMIT)["responses"].update({"451": {"description": "no"}}),
    "a parameter": lambda d: call(d, TURNS)["parameters"].append(
        {"name": "after", "in": "query", "required": False, "schema": {"type": "string"}}
    ),
    "a header": lambda d: headers(d, "202").update(Link={"schema": {"type": "string"}}),
    "a way to say who calls": lambda d: call(d, SUBMIT)["security"].append({"ticket": []}),
    "a call for anybody": lambda d: call(d, SUBMIT).pop("security"),
    "other fields in a question": lambda d: schema(d, "ChatRequest").pop("additionalProperties"),
    "an event": lambda d: events(d).update(thought={"$ref": "#/components/schemas/Token"}),
}


@pytest.mark.parametrize("said", TAKEN)
def test_what_is_taken_from_clients_is_named(released: dict[str, Any], said: str) -> None:
    changed = deepcopy(released)
    TAKEN[said](changed)

    assert said in broken(released, changed)


@pytest.mark.parametrize("addition", ADDED)
def test_what_is_added_breaks_nobody(released: dict[str, Any], addition: str) -> None:
    changed = deepcopy(released)
    ADDED[addition](changed)

    assert broken(released, changed) == []


def test_there_is_one_version_and_the_changelog_tells_of_it() -> None:
    (version,) = set(versions().values())

    assert len(versions()) > 12
    assert has_changes(version)
