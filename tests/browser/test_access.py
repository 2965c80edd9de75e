"""A service that wants an access key: the page asks for it, once, and keeps it for its tab only."""

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from chat_api.auth.keys import digest_of
from playwright.async_api import Browser, Route, expect

from tests.browser.chat_page import WAIT_S, ChatPage
from tests.browser.servers import Product, Sandbox

pytestmark = pytest.mark.asyncio(loop_scope="module")

KEY = "eco2_for-the-page-and-nobody-else"
IN_TIME = WAIT_S * 1000


@pytest.fixture(scope="module")
def guarded(sandbox_process: Sandbox) -> Iterator[Product]:
    settings = {
        "AUTH_MODE": "api_key",
        "AUTH_API_KEYS": f"page:{digest_of(KEY).hex()}",
        "TICKET_SECRET": "a-secret-for-tests-of-enough-characters",
    }
    with Product(sandbox_process, **settings) as product:
        yield product


@pytest_asyncio.fixture(loop_scope="module")
async def visit(browser: Browser, guarded: Product) -> AsyncIterator[ChatPage]:
    """A new visitor, who has no key yet."""
    context = await browser.new_context(locale="ko-KR")
    chat = ChatPage(await context.new_page(), guarded.url)
    faults: list[str] = []
    chat.page.on("pageerror", lambda error: faults.append(str(error)))
    await chat.open()
    yield chat
    await context.close()
    assert faults == []


def dialog(chat: ChatPage, name: str = "접속 키가 필요해요") -> Any:
    return chat.page.get_by_role("dialog", name=name)


async def enter(chat: ChatPage, key: str) -> None:
    await chat.page.get_by_label("접속 키", exact=True).fill(key)
    await chat.page.get_by_role("button", name="확인").click()


async def test_the_page_asks_for_a_key_and_goes_on_with_the_question(visit: ChatPage) -> None:
    await visit.ask()
    await expect(dialog(visit)).to_be_visible(timeout=IN_TIME)
    await expect(visit.page.get_by_label("접속 키", exact=True)).to_be_focused()
    await enter(visit, "eco2_wrong")
    await expect(dialog(visit)).to_contain_text("이 키로는 들어갈 수 없어요", timeout=IN_TIME)
    await enter(visit, f" {KEY} ")
    await visit.ends()

    await expect(visit.turns).to_have_count(1)
    # The same question each time: had one of them arrived, it would not be asked twice.
    assert len({request.headers["idempotency-key"] for request in visit.submits}) == 1
    assert KEY not in await visit.page.evaluate("JSON.stringify(localStorage)")
    assert KEY in await visit.page.evaluate("JSON.stringify(sessionStorage)")
    assert all(KEY not in request.url for request in (*visit.submits, *visit.follows))

    await visit.page.reload()
    await visit.ask("유리병은 어떻게 버려?")
    await expect(visit.turns).to_have_count(2)
    await visit.ends()
    await expect(dialog(visit)).to_have_count(0)


async def test_who_has_no_key_is_told_so_and_may_try_again_in_english_too(visit: ChatPage) -> None:
    await visit.page.get_by_role("button", name="Switch to English").click()
    await visit.page.get_by_label("Question", exact=True).fill("How do I recycle a bottle?")
    await visit.page.keyboard.press("Enter")
    await expect(dialog(visit, "An access key is needed")).to_be_visible(timeout=IN_TIME)
    await visit.page.get_by_role("button", name="Later").click()

    await expect(visit.problem).to_contain_text("An access key is needed.", timeout=IN_TIME)
    await visit.page.get_by_role("button", name="Try again").click()
    await visit.page.get_by_label("Access key", exact=True).fill(KEY)
    await visit.page.keyboard.press("Enter")
    await visit.ends()


@pytest.mark.parametrize("is_stream", [False, True], ids=["the ticket has ended", "the credential has ended"])
async def test_a_stream_that_is_refused_goes_on_with_a_new_address(visit: ChatPage, is_stream: bool) -> None:
    refused: list[str] = []
    asked: list[str] = []
    visit.page.on("request", lambda request: asked.append(urlsplit(request.url).path))

    async def refuse_first(route: Route) -> None:
        if refused:
            await route.continue_()
            return
        refused.append(route.request.url)
        if is_stream:
            told = "event: credential_expired\ndata: {}\n\n"
            await route.fulfill(status=200, content_type="text/event-stream", body=told)
        else:
            problem = {"code": "credential_expired", "status": 401}
            await route.fulfill(status=401, content_type="application/problem+json", body=json.dumps(problem))

    await visit.page.route("**/events?*", refuse_first)
    await visit.ask()
    await enter(visit, KEY)
    await visit.ends()

    assert "ticket=" in refused[0]
    # Not the browser's own coming back, with the address that it has.
    assert urlsplit(refused[0]).path.removesuffix("/events") in asked


async def test_who_enters_no_key_in_mid_answer_may_go_on_later_and_asks_nothing_anew(
    visit: ChatPage, sandbox: Sandbox
) -> None:
    sandbox.behave(token_ms=40)
    await visit.ask()
    await enter(visit, KEY)
    await visit.hears()
    asked = len(visit.submits)

    async def refuse(route: Route) -> None:
        await route.fulfill(status=401, json={"code": "credential_expired", "status": 401})

    await visit.page.route("**/api/v1/chat/**", refuse)
    await visit.page.reload()
    await expect(dialog(visit)).to_be_visible(timeout=IN_TIME)
    await visit.page.get_by_role("button", name="나중에").click()
    await visit.ends("error")
    await visit.page.unroute("**/api/v1/chat/**")
    await visit.again().click()
    await visit.ends()

    assert len(visit.submits) == asked
    await expect(visit.turns).to_have_count(1)
    await expect(visit.turns.locator(".stage.completed")).to_have_count(3)
