"""What every answer tells a browser, whatever kind of answer it is."""

import asyncio

import pytest
from chat_api.safe_headers import SafeHeaders
from starlette.types import Message, Receive, Scope, Send

from tests.api.conversation import picture_of
from tests.api.services import MemoryWorld
from tests.api.serving import STREAM, Api
from tests.api.worker import answer

pytestmark = pytest.mark.asyncio(loop_scope="module")

CLOSED = "default-src 'none'; frame-ancestors 'none'"


def is_safe(headers: dict[str, str]) -> bool:
    """The headers that no answer may lack."""
    return (
        headers["x-content-type-options"] == "nosniff"
        and headers["x-frame-options"] == "DENY"
        and headers["referrer-policy"] == "no-referrer"
        and "cache-control" in headers
        and headers["content-security-policy"].startswith("default-src 'none'")
    )


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/livez"),
        ("GET", "/readyz"),
        ("GET", "/openapi.json"),
        ("GET", "/page/app.js"),
        ("GET", "/page/none"),
        ("GET", "/nowhere"),
        ("GET", "/v1/models"),
        ("PUT", "/api/v1/chat"),
        ("POST", "/api/v1/chat"),
        ("GET", f"/api/v1/chat/{'0' * 32}"),
        ("GET", f"/api/v1/chat/{'0' * 32}/events"),
        ("DELETE", "/api/v1/sessions/nobodys"),
    ],
)
async def test_answers_of_every_kind_are_safe(api: Api, method: str, path: str) -> None:
    response = await api.client.request(method, path)
    assert is_safe(dict(response.headers))
    for name in ("x-content-type-options", "x-frame-options", "referrer-policy"):
        assert len(response.headers.get_list(name)) == 1


async def test_what_is_somebodys_own_is_kept_nowhere(world: MemoryWorld, api: Api) -> None:
    queued = await api.post()
    body = queued.json()
    await answer(world.log, body["job_id"], "네.")
    answers = [queued, await api.status(body["job_id"])]
    answers.append(await api.client.get(body["events_url"], headers=STREAM))
    answers.append(await api.client.get(f"/api/v1/sessions/{body['session_id']}/turns"))
    for response in answers:
        assert is_safe(dict(response.headers))
        assert response.headers["cache-control"].startswith("no-store")
        assert response.headers["content-security-policy"] == CLOSED


async def test_a_picture_can_do_nothing(world: MemoryWorld, api: Api) -> None:
    response = await api.client.get(f"/api/v1/images/{await picture_of(world)}")
    assert is_safe(dict(response.headers))
    assert response.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert response.headers["cache-control"] == "private, max-age=300"


async def test_the_page_may_ask_for_the_place_and_for_nothing_else(api: Api) -> None:
    headers = (await api.client.get("/")).headers
    assert is_safe(dict(headers))
    granted = dict(part.strip().split("=", 1) for part in headers["permissions-policy"].split(","))
    assert granted.pop("geolocation") == "(self)"
    assert {"camera", "microphone", "payment"} <= granted.keys()
    assert set(granted.values()) == {"()"}
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]


async def test_a_fault_of_ours_is_safe_too(
    world: MemoryWorld, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise ZeroDivisionError("Secret7f3a")

    monkeypatch.setattr(world.made.log, "summary", fail)
    for path in (f"/api/v1/chat/{'0' * 32}", f"/api/v1/chat/{'0' * 32}/events"):
        response = await api.client.get(path)
        assert response.status_code == 500
        assert is_safe(dict(response.headers))
        assert "Secret7f3a" not in response.text


async def test_pages_with_scripts_of_others_are_not_served(api: Api) -> None:
    for path in ("/docs", "/redoc"):
        assert (await api.client.get(path)).status_code == 404


async def test_what_streams_is_passed_on_as_it_is() -> None:
    body: Message = {"type": "http.response.body", "body": b"data: x\n\n", "more_body": True}
    sent: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(body)

    async def send(message: Message) -> None:
        await asyncio.sleep(0)
        sent.append(message)

    await SafeHeaders(app)({"type": "http"}, None, send)  # type: ignore[arg-type]
    assert sent[0] is body
