"""The way from an answer to its trace, where the operator has said where traces are."""

import httpx
import pytest
from chat_api import page_routes
from fastapi import FastAPI
from playwright.async_api import Route, expect

from tests.browser.chat_page import ChatPage, done, token

pytestmark = pytest.mark.asyncio(loop_scope="module")

TRACE = "0af7651916cd43dd8448eb211c80319c"
TEMPLATE = "https://traces.example.org/trace/{trace_id}?a=1&b=2"


async def served(monkeypatch: pytest.MonkeyPatch, template: str) -> str:
    """The page of an operator with this setting."""
    monkeypatch.setenv("TRACE_URL_TEMPLATE", template)
    page_routes.page_text.cache_clear()
    app = FastAPI()
    app.include_router(page_routes.router)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://page") as client:
        page = await client.get("/")
    page_routes.page_text.cache_clear()
    assert page.status_code == 200
    return page.text


async def serve(chat: ChatPage, text: str) -> None:
    async def with_template(route: Route) -> None:
        response = await route.fetch()
        await route.fulfill(response=response, body=text)

    await chat.page.route(chat.url + "/", with_template)
    await chat.open()
    await chat.is_told(token("끝"), done("끝", trace_id=TRACE))
    await chat.ask()
    await chat.ends()


async def test_an_answer_leads_to_its_trace(chat: ChatPage, monkeypatch: pytest.MonkeyPatch) -> None:
    await serve(chat, await served(monkeypatch, TEMPLATE))
    link = chat.turns.get_by_role("link", name="처리 기록")
    await expect(link).to_have_attribute("href", f"https://traces.example.org/trace/{TRACE}?a=1&b=2")
    await expect(link).to_have_attribute("rel", "noopener noreferrer")


@pytest.mark.parametrize(
    "template", ["", "javascript:alert('{trace_id}')", "https://example.org/", "//{trace_id}"]
)
async def test_without_a_good_template_there_is_no_link(
    chat: ChatPage, monkeypatch: pytest.MonkeyPatch, template: str
) -> None:
    text = await served(monkeypatch, template)
    assert '<meta name="trace-url" content="">' in text
    await serve(chat, text)
    await expect(chat.turns.get_by_role("link")).to_have_count(0)


async def test_a_template_stays_within_its_attribute(monkeypatch: pytest.MonkeyPatch) -> None:
    text = await served(monkeypatch, 'https://example.org/{trace_id}"><script>')
    assert "{trace_id}&quot;&gt;&lt;script&gt;" in text
    assert "<script>" not in text
