"""The OpenAPI document: sound, complete, and the one that is served."""

from typing import Any

import jsonschema
import pytest
from eco2_bus import events

from tests.api import documented
from tests.api.serving import Api

OF_BODY = ("400", "401", "404", "413", "422", "500", "503")
CALLS = {
    ("post", "/api/v1/chat"): {"200", "202", "409", "410", "429", *OF_BODY},
    ("get", "/api/v1/chat/{job_id}"): {"200", "401", "404", "500", "503"},
    ("get", "/api/v1/chat/{job_id}/events"): {
        *("200", "204", "400", "401", "404", "410", "429", "500", "503"),
    },
    ("post", "/api/v1/chat/{job_id}/input"): {"202", "409", *OF_BODY},
    ("post", "/api/v1/chat/{job_id}/feedback"): {"204", "409", *OF_BODY},
    ("post", "/api/v1/chat/{job_id}/cancel"): {"200", "202", "401", "404", "413", "500", "503"},
    ("get", "/api/v1/sessions/{session_id}/turns"): {"200", "400", "401", "404", "422", "500", "503"},
    ("delete", "/api/v1/sessions/{session_id}"): {"204", "401", "404", "409", "413", "500", "503"},
    ("get", "/api/v1/images/{picture_id}"): {"200", "401", "404", "500", "503"},
    ("get", "/livez"): {"200"},
    ("get", "/readyz"): {"200", "503"},
}


def walk(node: Any) -> list[Any]:
    """Every object in the document."""
    inner = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    return [node, *(found for one in inner for found in walk(one))]


async def test_the_served_document_is_the_one_the_tests_hold_answers_against(memory_api: Api) -> None:
    served = await memory_api.client.get("/openapi.json")

    assert served.status_code == 200
    assert served.json() == documented.document()


def test_the_document_lists_exactly_the_calls_and_statuses_that_there_are() -> None:
    listed = {
        (method, path): set(call["responses"])
        for path, methods in documented.document()["paths"].items()
        for method, call in methods.items()
    }

    # Whatever is called, it may be by a wrong name.
    assert listed == {call: {*statuses, "421"} for call, statuses in CALLS.items()}


def test_every_reference_in_the_document_leads_somewhere() -> None:
    document = documented.document()
    references = [node["$ref"] for node in walk(document) if isinstance(node, dict) and "$ref" in node]

    assert references
    for reference in references:
        found: Any = document
        for step in reference.removeprefix("#/").split("/"):
            found = found[step]
        assert found


def test_every_schema_of_the_document_is_a_json_schema() -> None:
    document = documented.document()

    assert document["openapi"].startswith("3.1")
    for schema in document["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)


def test_every_operation_has_a_summary_and_every_answer_a_description() -> None:
    names = set()
    for methods in documented.document()["paths"].values():
        for call in methods.values():
            assert call["summary"]
            names.add(call["operationId"])
            assert all(answer["description"] for answer in call["responses"].values())
    assert len(names) == len(CALLS)


def test_every_error_is_a_problem_document() -> None:
    for (method, path), statuses in CALLS.items():
        answers = documented.document()["paths"][path][method]["responses"]
        for status in statuses:
            if status >= "4" and (path, status) != ("/readyz", "503"):
                assert list(answers[status]["content"]) == [documented.PROBLEM]


@pytest.mark.parametrize("call", [("post", "/api/v1/chat"), ("get", "/api/v1/chat/{job_id}/events")])
def test_every_event_of_the_stream_has_its_schema(call: tuple[str, str]) -> None:
    method, path = call
    answer = documented.document()["paths"][path][method]["responses"]["200"]
    listed = answer["content"]["text/event-stream"]["schema"]["x-events"]

    for name in (
        *("queued", "started", "stage", "token", "sources", "reset", "gap", "usage"),
        *events.TERMINAL_EVENTS,
    ):
        assert listed[name]["$ref"].startswith("#/components/schemas/")
