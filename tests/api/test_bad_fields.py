"""Bodies that are JSON but no question: 422 with the fields at fault, and nothing of what was sent."""

import base64
from typing import Any

import pytest

from tests.api import documented
from tests.api.serving import Api

pytestmark = pytest.mark.asyncio(loop_scope="module")

SECRET = "Secret7f3a"
PNG = "data:image/png;base64,"
MB = 1024 * 1024


def question(**fields: Any) -> dict[str, Any]:
    return {"message": "페트병", **fields}


def image(url: str) -> dict[str, Any]:
    return question(image_url=url)


def place(latitude: Any, longitude: Any) -> dict[str, Any]:
    return question(location={"latitude": latitude, "longitude": longitude})


def data_url(size: int) -> str:
    """A picture of so many bytes, as far as anybody looks."""
    return PNG + base64.b64encode(b"\x89PNG\r\n\x1a\n".ljust(size, b"a")).decode()


def padded_in_the_middle() -> str:
    """Where a piece that is decoded by itself would end."""
    url = data_url(MB)
    middle = len(PNG) + 256 * 1024
    return url[: middle - 2] + "==" + url[middle:]


BAD: dict[str, tuple[Any, str]] = {
    "no fields": ({}, "body.message"),
    "empty": ({"message": ""}, "body.message"),
    "spaces": ({"message": "   "}, "body.message"),
    "other white space": ({"message": "\t\n\u3000\u00a0\u2028"}, "body.message"),
    "8,001 characters": ({"message": "가" * 8_001}, "body.message"),
    "8,001 emoji": ({"message": "😀" * 8_001}, "body.message"),
    "1 MB": ({"message": SECRET * (MB // len(SECRET))}, "body.message"),
    "null message": ({"message": None}, "body.message"),
    "number": ({"message": 7}, "body.message"),
    "boolean": ({"message": True}, "body.message"),
    "list": ({"message": [SECRET]}, "body.message"),
    "object": ({"message": {"text": SECRET}}, "body.message"),
    "NUL": ({"message": f"{SECRET}\0"}, "body.message"),
    "session id empty": (question(session_id=""), "body.session_id"),
    "session id long": (question(session_id="a" * 65), "body.session_id"),
    "session id with a colon": (question(session_id=f"{SECRET}:1"), "body.session_id"),
    "session id with a newline": (question(session_id=f"{SECRET}\n"), "body.session_id"),
    "session id in Korean": (question(session_id="세션"), "body.session_id"),
    "session id number": (question(session_id=7), "body.session_id"),
    "on_busy unknown": (question(on_busy=SECRET), "body.on_busy"),
    "on_busy null": (question(on_busy=None), "body.on_busy"),
    "north of the pole": (place(90.1, 0), "body.location.latitude"),
    "south of the pole": (place(-90.1, 0), "body.location.latitude"),
    "too far east": (place(0, 180.1), "body.location.longitude"),
    "too far west": (place(0, -180.1), "body.location.longitude"),
    "latitude text": (place(SECRET, 0), "body.location.latitude"),
    "half a location": (question(location={"latitude": 1}), "body.location.longitude"),
    "location text": (question(location=SECRET), "body.location"),
    "http image": (image(f"http://example.org/{SECRET}"), "body.image_url"),
    "script image": (image(f"javascript:alert('{SECRET}')"), "body.image_url"),
    "file image": (image(f"file:///etc/{SECRET}"), "body.image_url"),
    "ftp image": (image(f"ftp://example.org/{SECRET}"), "body.image_url"),
    "image without scheme": (image(f"//example.org/{SECRET}"), "body.image_url"),
    "image with a broken host": (image(f"https://[{SECRET}"), "body.image_url"),
    "image host that normalises to a slash": (image(f"https://{SECRET}\u2100/"), "body.image_url"),
    "image with an impossible port": (image(f"https://example.org:99999/{SECRET}"), "body.image_url"),
    "image without host": (image(f"https:///{SECRET}"), "body.image_url"),
    "image with a password": (image(f"https://user:{SECRET}@example.org/"), "body.image_url"),
    "image with a newline": (image(f"https://example.org/{SECRET}\n"), "body.image_url"),
    "image URL long": (image(f"https://example.org/{'a' * 2_048}"), "body.image_url"),
    "image empty": (image(""), "body.image_url"),
    "image number": (question(image_url=7), "body.image_url"),
    "data text": (image(f"data:text/html;base64,{SECRET}"), "body.image_url"),
    "data with control characters": (image(f"data:image/\0\n{SECRET};base64,AAAA"), "body.image_url"),
    "data without base64": (image(f"data:image/png,{SECRET}"), "body.image_url"),
    "data without comma": (image(f"data:image/png;base64{SECRET}"), "body.image_url"),
    "data broken base64": (image(f"{PNG}{SECRET}!"), "body.image_url"),
    "data over 5 MB": (image(data_url(5 * MB + 3)), "body.image_url"),
    "data one byte over 5 MB": (image(data_url(5 * MB + 1)), "body.image_url"),
    "data of no picture": (image(PNG + base64.b64encode(SECRET.encode()).decode()), "body.image_url"),
    "data of much that is no picture": (image(PNG + "A" * 400_000), "body.image_url"),
    "data of an SVG": (image("data:image/svg+xml;base64,PHN2Zy8+"), "body.image_url"),
    "data with padding in the middle": (image(PNG + "AAA=" + data_url(9)[len(PNG) :]), "body.image_url"),
    "large data with padding in the middle": (image(padded_in_the_middle()), "body.image_url"),
    "data empty": (image(PNG), "body.image_url"),
}


@pytest.mark.parametrize("body", BAD)
async def test_a_bad_field_is_named_and_not_repeated(standing_api: Api, body: str) -> None:
    sent, field = BAD[body]
    response = await standing_api.post(sent or {"": 0})

    assert response.status_code == 422
    problem = documented.problem_of(422, dict(response.headers), response.content)
    assert problem["code"] == "invalid_fields"
    assert field in [error["field"] for error in problem["errors"]]
    assert all(error["message"] for error in problem["errors"])
    assert SECRET not in response.text
    assert "Value error" not in response.text
    assert len(response.content) < 2_000


async def test_an_unknown_field_is_named(standing_api: Api) -> None:
    response = await standing_api.post(question(sesion_id=SECRET))

    problem = documented.problem_of(422, dict(response.headers), response.content)
    assert problem["errors"] == [{"field": "body.sesion_id", "message": "Extra inputs are not permitted"}]


ODD_NAMES = {
    "half a character": SECRET + "\\ud800",
    "a NUL": SECRET + "\\u0000",
    "a sentence": SECRET + " is <b>bold</b>",
    "a book": SECRET * 1_000,
}


@pytest.mark.parametrize("name", ODD_NAMES)
@pytest.mark.parametrize("body", ['{"message":"a",%s}', '{"message":"a","location":{"latitude":1,%s}}'])
async def test_a_field_whose_name_is_none_is_not_repeated(standing_api: Api, body: str, name: str) -> None:
    response = await standing_api.client.post(
        "/api/v1/chat",
        content=body.replace("%s", f'"{ODD_NAMES[name]}": 1'),
        headers={"Content-Type": "application/json"},
    )

    problem = documented.problem_of(422, dict(response.headers), response.content)
    assert problem["errors"]
    assert SECRET not in response.text


async def test_a_thousand_unknown_fields_do_not_make_a_long_answer(standing_api: Api) -> None:
    response = await standing_api.post(question(**{f"{SECRET}{number}": 1 for number in range(1_000)}))

    assert response.status_code == 422
    assert len(response.json()["errors"]) == 20


GOOD: dict[str, dict[str, Any]] = {
    "8,000 characters": question(message="가" * 8_000),
    "8,000 emoji": question(message="😀" * 8_000),
    "one character": question(message="?"),
    "spaces around": question(message=" 페트병 "),
    "nulls": question(session_id=None, image_url=None, location=None),
    "session id of every kind": question(session_id="Az09_-"),
    "session id of 64": question(session_id="a" * 64),
    "the poles": place(-90, 180),
    "https image": image("https://example.org/a.png?b=c#d"),
    "data image of 5 MB": image(data_url(5 * MB)),
    "data image whose type is wrong": image(data_url(9).replace("png", "jpeg")),
    "markup": question(message="<script>alert(1)</script>"),
    "right to left": question(message="\u202eabc"),
}


@pytest.mark.parametrize("body", GOOD)
async def test_what_is_just_within_the_limits_is_taken(standing_api: Api, body: str) -> None:
    response = await standing_api.post(GOOD[body])

    assert response.status_code == 202, response.text


async def test_half_a_character_in_a_picture_is_refused(standing_api: Api) -> None:
    body = b'{"message": "?", "image_url": "data:image/\\ud800;base64,AAAA"}'
    response = await standing_api.client.post(
        "/api/v1/chat", content=body, headers={"Content-Type": "application/json"}
    )
    assert documented.problem_of(422, dict(response.headers), response.content)["code"] == "invalid_fields"
