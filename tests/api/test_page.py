"""The page on the wire."""

from collections.abc import AsyncIterator

import httpx
import pytest
from chat_api import page_routes
from fastapi import FastAPI

PATHS = ["/", "/page/app.js", "/page/style.css"]


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    app.include_router(page_routes.router)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://page") as client:
        yield client


@pytest.mark.parametrize("path", PATHS)
async def test_a_part_travels_packed_and_only_to_those_who_can_unpack_it(
    client: httpx.AsyncClient, path: str
) -> None:
    packed = await client.get(path, headers={"Accept-Encoding": "gzip"})
    plain = await client.get(path, headers={"Accept-Encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert packed.content == plain.content
    assert int(packed.headers["content-length"]) < 0.6 * int(plain.headers["content-length"])
    assert packed.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"


@pytest.mark.parametrize("path", PATHS)
async def test_a_part_that_the_browser_has_is_not_sent_again(client: httpx.AsyncClient, path: str) -> None:
    first = await client.get(path)
    again = await client.get(path, headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304
    assert again.content == b""
    assert again.headers["content-security-policy"] == first.headers["content-security-policy"]
    other = await client.get(path, headers={"If-None-Match": 'W/"another"'})
    assert other.status_code == 200
    assert other.content == first.content
