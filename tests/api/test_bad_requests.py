"""Requests that never become a question: bad JSON, bad bodies, bad headers, bad paths."""

import json

import pytest

from tests.api import documented
from tests.api.serving import STREAM, Api
from tests.api.viewer import Viewer

pytestmark = pytest.mark.asyncio(loop_scope="module")

JSON = "application/json"
SECRET = "Secret7f3a"

BODIES: dict[str, tuple[bytes, str, int, str]] = {
    "nothing": (b"", JSON, 422, "invalid_fields"),
    "no JSON": (f"message={SECRET}".encode(), JSON, 400, "malformed_request"),
    "half a JSON": (b'{"message": "Secret7f3a', JSON, 400, "malformed_request"),
    "two JSONs": (b'{"message": "a"}{"message": "Secret7f3a"}', JSON, 400, "malformed_request"),
    "trailing comma": (b'{"message": "Secret7f3a",}', JSON, 400, "malformed_request"),
    "single quotes": (b"{'message': 'Secret7f3a'}", JSON, 400, "malformed_request"),
    "control character": (b'{"message": "Secret7f3a\x01"}', JSON, 400, "malformed_request"),
    "NUL byte": (b'{"message": "Secret7f3a\x00"}', JSON, 400, "malformed_request"),
    "NUL escape": (b'{"message": "Secret7f3a\\u0000"}', JSON, 422, "invalid_fields"),
    "lone surrogate escape": (b'{"message": "Secret7f3a\\ud800"}', JSON, 422, "invalid_fields"),
    "low surrogate escape": (b'{"message": "\\udc00Secret7f3a"}', JSON, 422, "invalid_fields"),
    "lone surrogate bytes": (b'{"message": "Secret7f3a\xed\xa0\x80"}', JSON, 422, "invalid_fields"),
    "session surrogate": (b'{"message":"a","session_id":"Secret7f3a\\ud800"}', JSON, 422, "invalid_fields"),
    "image surrogate": (
        b'{"message":"a","image_url":"https://Secret7f3a/\\ud800"}', JSON, 422, "invalid_fields",
    ),
    "on_busy surrogate": (b'{"message":"a","on_busy":"Secret7f3a\\ud800"}', JSON, 422, "invalid_fields"),
    "invalid UTF-8": (b'{"message": "Secret7f3a\xff\xfe"}', JSON, 400, "malformed_request"),
    "Latin-1": ('{"message": "é Secret7f3a"}'.encode("latin-1"), JSON, 400, "malformed_request"),
    "a list": (b'["Secret7f3a"]', JSON, 422, "invalid_fields"),
    "a string": (b'"Secret7f3a"', JSON, 422, "invalid_fields"),
    "a number": (b"1", JSON, 422, "invalid_fields"),
    "null": (b"null", JSON, 422, "invalid_fields"),
    "true": (b"true", JSON, 422, "invalid_fields"),
    "deep list": (b"[" * 100_000 + b"]" * 100_000, JSON, 400, "malformed_request"),
    "deep object": (b'{"message":' * 100_000 + b"1" + b"}" * 100_000, JSON, 400, "malformed_request"),
    "deep location": (
        b'{"message":"a","location":' + b'{"a":' * 900 + b"1" + b"}" * 901, JSON, 422, "invalid_fields",
    ),
    "huge integer": (b'{"message": 1' + b"0" * 5_000 + b"}", JSON, 400, "malformed_request"),
    "long integer": (
        b'{"message":"a","location":{"latitude":1' + b"0" * 4_000 + b',"longitude":0}}',
        JSON, 422, "invalid_fields",
    ),
    "huge float": (
        b'{"message":"a","location":{"latitude":1e400,"longitude":0}}', JSON, 422, "invalid_fields",
    ),
    "NaN": (b'{"message":"a","location":{"latitude":NaN,"longitude":0}}', JSON, 422, "invalid_fields"),
    "minus infinity": (
        b'{"message":"a","location":{"latitude":0,"longitude":-Infinity}}', JSON, 422, "invalid_fields",
    ),
    "NaN as text": (
        b'{"message":"a","location":{"latitude":"NaN","longitude":0}}', JSON, 422, "invalid_fields",
    ),
    "last duplicate counts": (b'{"message": "a", "message": ""}', JSON, 422, "invalid_fields"),
    "no content type": (b'{"message": "Secret7f3a"}', "", 422, "invalid_fields"),
    "text": (b'{"message": "Secret7f3a"}', "text/plain", 422, "invalid_fields"),
    "a form": (b"message=Secret7f3a", "application/x-www-form-urlencoded", 422, "invalid_fields"),
    "a broken multipart": (b"--x\r\nSecret7f3a", "multipart/form-data; boundary=x", 422, "invalid_fields"),
    "over the limit": (b'{"message": "' + b"a" * 7_500_000 + b'"}', JSON, 413, "body_too_large"),
}  # fmt: skip


@pytest.mark.parametrize("body", BODIES)
async def test_a_bad_body_gets_its_problem(standing_api: Api, body: str) -> None:
    content, content_type, status, code = BODIES[body]
    response = await standing_api.client.post(
        "/api/v1/chat", content=content, headers={"Content-Type": content_type} if content_type else {}
    )

    problem = documented.problem_of(response.status_code, dict(response.headers), response.content)
    assert (response.status_code, problem["code"]) == (status, code)
    assert SECRET not in response.text
    assert len(response.content) < 2_000


async def test_the_last_of_two_equal_fields_counts(standing_api: Api) -> None:
    response = await standing_api.client.post(
        "/api/v1/chat", content=b'{"message": "", "message": "a"}', headers={"Content-Type": JSON}
    )

    assert response.status_code == 202


async def test_json_by_another_name_is_json(standing_api: Api) -> None:
    for name in ("application/json; charset=utf-8", "application/problem+json", "APPLICATION/JSON"):
        response = await standing_api.client.post(
            "/api/v1/chat", content='{"message": "가"}'.encode(), headers={"Content-Type": name}
        )
        assert response.status_code == 202, name


async def test_a_body_without_a_length_is_cut_off_at_the_limit(standing_api: Api) -> None:
    async def endless():
        for _ in range(200):
            yield b" " * 65_536

    response = await standing_api.client.post(
        "/api/v1/chat", content=endless(), headers={"Content-Type": JSON}
    )

    assert response.status_code == 413
    assert response.json()["code"] == "body_too_large"


@pytest.mark.parametrize("key", ["", "a b", "é", "a" * 256])
async def test_a_bad_idempotency_key_is_a_bad_field(standing_api: Api, key: str) -> None:
    response = await standing_api.client.post(
        "/api/v1/chat", json={"message": "a"}, headers={"Idempotency-Key": key.encode()}
    )

    assert response.status_code == 422
    assert [error["field"] for error in response.json()["errors"]] == ["header.idempotency-key"]


JOB_IDS = [
    "0" * 32,
    "0" * 31,
    "0" * 33,
    "A" * 32,
    "가",
    "%00",
    "0" * 31 + "%0a",
    "chat:*:events",
    "*",
    "..%2f..%2fmetrics",
    "%2e%2e",
    "'; DROP TABLE chat; --".replace(" ", "%20"),
    "a" * 4_000,
    "%ff%fe",
    "%ed%a0%80",
]


@pytest.mark.parametrize("job_id", JOB_IDS)
@pytest.mark.parametrize(("method", "tail"), [("GET", ""), ("GET", "/events"), ("POST", "/cancel")])
async def test_an_unknown_job_is_not_found(standing_api: Api, method: str, tail: str, job_id: str) -> None:
    response = await standing_api.client.request(method, f"/api/v1/chat/{job_id}{tail}")

    problem = documented.problem_of(response.status_code, dict(response.headers), response.content)
    assert response.status_code == 404
    assert problem["code"] in ("job_not_found", "not_found")
    assert job_id not in response.text


PATHS = [
    ("GET", "/nothing", 404, "not_found"),
    ("GET", "/api/v1/chat/", 404, "not_found"),
    ("POST", "/api/v1/chat/", 404, "not_found"),
    ("GET", "//api/v1/chat", 404, "not_found"),
    ("GET", "/API/V1/CHAT", 404, "not_found"),
    ("GET", f"/api/v1/chat/{'0' * 32}/", 404, "not_found"),
    ("GET", f"/api/v1/chat/{'0' * 32}/events/more", 404, "not_found"),
    ("GET", "/api/v1/chat/../../../metrics", 404, "not_found"),
    ("GET", "/page/../chat.py", 404, "not_found"),
    ("GET", "/page/..%2f..%2fchat.py", 404, "not_found"),
    ("GET", "/api/v1/chat", 405, "method_not_allowed"),
    ("PUT", "/api/v1/chat", 405, "method_not_allowed"),
    ("DELETE", "/api/v1/chat", 405, "method_not_allowed"),
    ("DELETE", f"/api/v1/chat/{'0' * 32}", 405, "method_not_allowed"),
    ("POST", f"/api/v1/chat/{'0' * 32}/events", 405, "method_not_allowed"),
    ("GET", f"/api/v1/chat/{'0' * 32}/cancel", 405, "method_not_allowed"),
    ("POST", "/livez", 405, "method_not_allowed"),
    ("TRACE", "/readyz", 405, "method_not_allowed"),
    ("PROPFIND", "/metrics", 405, "method_not_allowed"),
]


@pytest.mark.parametrize(("method", "path", "status", "code"), PATHS)
async def test_an_unknown_path_or_method_gets_its_problem(
    standing_api: Api, method: str, path: str, status: int, code: str
) -> None:
    async with await Viewer.open(standing_api.url, path, method=method) as asked:
        is_traced = path not in ("/livez", "/readyz", "/metrics")
        problem = documented.problem_of(asked.status, asked.headers, await asked.body(), is_traced=is_traced)

    assert (asked.status, problem["code"]) == (status, code)
    assert status != 405 or asked.headers["allow"]


async def test_a_bad_stream_request_is_answered_with_a_problem_too(standing_api: Api) -> None:
    async with await Viewer.open(
        standing_api.url, f"/api/v1/chat/{'0' * 32}/events", headers=STREAM
    ) as asked:
        problem = json.loads(await asked.body())

    assert (asked.status, problem["code"]) == (404, "job_not_found")


async def test_a_body_where_none_is_read_changes_nothing(standing_api: Api) -> None:
    job_id = await standing_api.new_job()
    response = await standing_api.client.request("GET", f"/api/v1/chat/{job_id}", content=b"a" * 8_000_000)

    assert (response.status_code, response.json()["status"]) == (200, "queued")
