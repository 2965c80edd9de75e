"""Pictures come in with a question, travel as a reference, and are served to their owner."""

import asyncio
import base64

import pytest
from eco2_bus.pictures import referred_id
from eco2_bus.queue import QueueFull, QueueUnavailable

from tests.api import documented
from tests.api.conversation import PNG, picture_of
from tests.api.services import World, new_id
from tests.api.serving import QUESTION, Api, api_over

BEGINNINGS = {
    "png": (b"\x89PNG\r\n\x1a\n", "image/png"),
    "jpeg": (b"\xff\xd8\xff\xe0", "image/jpeg"),
    "gif": (b"GIF89a", "image/gif"),
    "webp": (b"RIFF\x10\0\0\0WEBP", "image/webp"),
}


def data_url(data: bytes, kind: str = "png") -> str:
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


@pytest.mark.parametrize("size", [100, 300_001, 5 * 1024 * 1024])
@pytest.mark.parametrize("kind", BEGINNINGS)
async def test_a_picture_travels_as_a_reference_and_comes_back_whole(
    world: World, api: Api, kind: str, size: int
) -> None:
    beginning, content_type = BEGINNINGS[kind]
    data = beginning.ljust(size, b"\x01")
    await world.waiting_jobs()
    queued = await api.submit(image_url=data_url(data, "png"))

    (job,) = await world.waiting_jobs()
    picture_id = referred_id(job.image_url or "")
    assert picture_id is not None
    assert len(job.to_body()) < 1_000
    kept = await world.made.pictures.get(picture_id)
    assert (kept.data, kept.owner, kept.session_id) == (data, "anonymous", queued["session_id"])

    response = await api.client.get(f"/api/v1/images/{picture_id}")
    assert response.status_code == 200
    assert response.content == data
    headers = response.headers
    # What the bytes are, not what the question said they were.
    assert headers["content-type"] == content_type
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-disposition"] == "inline"
    assert headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert headers["cache-control"].startswith("private")


async def test_an_https_picture_is_passed_on_as_it_is(world: World, api: Api) -> None:
    await world.waiting_jobs()
    await api.submit(image_url="https://example.org/a.png")

    (job,) = await world.waiting_jobs()
    assert job.image_url == "https://example.org/a.png"


@pytest.mark.parametrize("picture_id", ["0" * 32, "a", "%00", "A" * 32, "*", "picture:0"])
async def test_a_picture_that_never_was_is_not_found(memory_api: Api, picture_id: str) -> None:
    response = await memory_api.client.get(f"/api/v1/images/{picture_id}")
    assert documented.problem_of(404, dict(response.headers), response.content)["code"] == "image_not_found"


async def test_a_picture_of_somebody_else_is_not_found(world: World, api: Api) -> None:
    mine, foreign = await picture_of(world), await picture_of(world, "somebody")

    assert (await api.client.get(f"/api/v1/images/{mine}")).content == PNG
    response = await api.client.get(f"/api/v1/images/{foreign}")
    assert documented.problem_of(404, dict(response.headers), response.content)["code"] == "image_not_found"


async def test_a_refused_question_leaves_no_picture(world: World, api: Api) -> None:
    session_id = new_id()
    await api.submit(session_id=session_id)
    before = world.keys()
    response = await api.post({"message": QUESTION, "session_id": session_id, "image_url": data_url(PNG)})

    assert response.status_code == 409
    assert world.keys() == before


@pytest.mark.parametrize(
    ("refusal", "headers"),
    [(QueueFull("full"), {"idempotency_key": "key-1"}), (QueueUnavailable("down"), {})],
    ids=["full", "down, and nobody can ask for the same again"],
)
async def test_a_question_that_the_broker_does_not_take_leaves_no_picture(
    world: World, api: Api, monkeypatch: pytest.MonkeyPatch, refusal: Exception, headers: dict[str, str]
) -> None:
    async def refuse(*_: object) -> None:
        raise refusal

    before = world.keys()
    monkeypatch.setattr(world.made.queue, "publish", refuse)
    response = await api.post({"message": QUESTION, "image_url": data_url(PNG)}, **headers)

    assert response.status_code == 503
    assert world.keys() == before


async def test_one_key_with_another_picture_is_another_question(world: World, api: Api) -> None:
    first, second = (data_url(PNG + bytes([number])) for number in (1, 2))
    asked = await api.post({"message": QUESTION, "image_url": first}, idempotency_key="key-1")
    again = await api.post({"message": QUESTION, "image_url": first}, idempotency_key="key-1")
    other = await api.post({"message": QUESTION, "image_url": second}, idempotency_key="key-1")

    assert again.json() == asked.json()
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_mismatch")


async def test_a_picture_expires_after_the_time_that_is_set(world: World) -> None:
    async with api_over(world, picture_ttl_s=1) as api, asyncio.timeout(20):
        picture_id = await picture_of(world)
        statuses = [(await api.client.get(f"/api/v1/images/{picture_id}")).status_code]
        while statuses[-1] == 200:
            statuses.append((await api.client.get(f"/api/v1/images/{picture_id}")).status_code)

    assert {*statuses} == {200, 404}
