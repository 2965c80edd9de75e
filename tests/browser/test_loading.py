"""A page whose scripts do not all arrive."""

import httpx
import pytest
from playwright.async_api import Route, expect

from tests.browser.chat_page import ChatPage
from tests.browser.servers import Product

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize("part", ["store.js", "app.js", "style.css"])
async def test_a_page_that_misses_a_part_is_loaded_once_more(chat: ChatPage, part: str) -> None:
    lost: list[str] = []

    async def lose_once(route: Route) -> None:
        if not lost:
            lost.append(route.request.url)
            await route.abort()
        else:
            await route.continue_()

    await chat.page.route(f"**/page/{part}", lose_once)
    await chat.page.reload()
    # First what only the second load can have: the first one may be running, without its style.
    await expect(chat.page.locator("body")).to_have_css("display", "grid")
    await expect(chat.page.locator("#examples button:enabled")).to_have_count(4)
    assert lost
    await chat.ask()
    await chat.ends()


async def test_a_page_that_never_gets_its_scripts_says_so(chat: ChatPage) -> None:
    loads: list[str] = []
    chat.page.on("domcontentloaded", lambda page: loads.append(page.url))
    await chat.page.route("**/page/words.js", lambda route: route.abort())
    await chat.page.reload()
    await expect(chat.notice).to_contain_text("새로고침해 주세요", timeout=20_000)
    assert len(loads) == 4
    await chat.page.goto("about:blank")


async def test_all_scripts_are_fetched_at_once(chat: ChatPage, product: Product) -> None:
    async with httpx.AsyncClient(base_url=product.url) as client:
        served = (await client.get("/")).text
    loaded = await chat.page.evaluate(
        "performance.getEntriesByType('resource').map((e) => new URL(e.name).pathname)"
    )
    scripts = {path for path in loaded if path.endswith(".js")} - {"/page/reload.js"}
    assert len(scripts) > 20
    assert all(f'<link rel="modulepreload" href="{path}">' in served for path in scripts)
