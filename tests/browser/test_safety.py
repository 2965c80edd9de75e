import re

import httpx
import pytest
from playwright.async_api import Browser, Error, expect

from tests.browser.chat_page import ChatPage, done, token
from tests.browser.servers import Product

pytestmark = pytest.mark.asyncio(loop_scope="module")

INLINE = re.compile(r"\s(?:on\w+|style)=|<script>|<style|javascript:")
MARKUP = (
    "<img src=x onerror=window.wasRun=1><script>window.wasRun=1</script>"
    "**<b onclick=alert(1)>굵게</b>** [x](javascript:alert(1)) javascript:alert(1) &lt;i&gt; [1]"
)


async def test_markup_in_a_question_stays_text(chat: ChatPage) -> None:
    await chat.ask(MARKUP)
    await chat.ends()
    await chat.page.reload()
    await expect(chat.turns.locator(".question p")).to_have_text(MARKUP)
    await expect(chat.turns.locator(".question p > *")).to_have_count(0)
    assert await chat.page.evaluate("window.wasRun") is None


async def test_markup_in_an_answer_and_its_sources_stays_text(chat: ChatPage) -> None:
    source = {"title": MARKUP, "url": "javascript:alert(1)", "document": MARKUP, "section": MARKUP}
    stage = ("stage", {"node": MARKUP, "status": "started"})
    await chat.is_told(
        stage, ("sources", [source]), *map(token, MARKUP), done(MARKUP, sources=[source], revised=MARKUP)
    )
    await chat.ask()
    await chat.ends()
    await chat.shows_exactly(MARKUP)
    await expect(chat.turns.locator("img, script, b[onclick], a")).to_have_count(0)
    await expect(chat.turns.locator(".name")).to_have_text(MARKUP)
    assert await chat.page.evaluate("window.wasRun") is None


async def test_only_addresses_of_the_web_become_links(chat: ChatPage) -> None:
    answer = (
        "https://example.org/a?b=1(안내)에서, http://example.org. ftp://example.org data:text/html,x https://"
    )
    await chat.is_told(token(answer), done(answer))
    await chat.ask()
    await chat.ends()
    await chat.shows_exactly(answer)
    links = chat.text.get_by_role("link")
    await expect(links).to_have_text(["https://example.org/a?b=1", "http://example.org"])
    for link in await links.all():
        assert await link.get_attribute("rel") == "noopener noreferrer"


async def test_an_inline_script_would_not_run(product: Product) -> None:
    async with httpx.AsyncClient(base_url=product.url) as client:
        page = await client.get("/")
        paths = [path for path in page.text.split('"') if path.startswith("/page/")]
        parts = [await client.get(path) for path in paths]
        unknown = await client.get("/page/settings.py")
    policy = dict(part.strip().split(" ", 1) for part in page.headers["content-security-policy"].split(";"))
    assert policy == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "connect-src": "'self'",
        "img-src": "'self' data: blob:",
        "base-uri": "'none'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
        "require-trusted-types-for": "'script'",
        "trusted-types": "'none'",
    }
    assert page.headers["x-content-type-options"] == "nosniff"
    assert page.headers["referrer-policy"] == "no-referrer"
    assert not INLINE.search(page.text)
    assert {part.headers["content-type"].partition(";")[0] for part in parts} == {
        "text/css",
        "text/javascript",
    }
    assert all(part.status_code == 200 for part in parts)
    assert unknown.status_code == 404


async def test_text_cannot_be_made_markup_by_mistake(browser: Browser, product: Product) -> None:
    page = await browser.new_page()
    await page.goto(product.url)
    with pytest.raises(Error, match="TrustedHTML"):
        await page.evaluate("() => { document.querySelector('h1').innerHTML = '<b>x</b>'; }")
    await page.close()


async def test_a_page_under_a_name_that_leads_here_from_elsewhere_gets_nothing(product: Product) -> None:
    async with httpx.AsyncClient(base_url=product.url) as client:
        for path in ("/", "/page/app.js", "/api/v1/sessions/s/turns"):
            assert (await client.get(path, headers={"Host": "rebound.example"})).status_code == 421
            assert (await client.get(path, headers={"Host": "localhost:8000"})).status_code != 421


async def test_words_become_links_only_to_addresses_of_the_web(chat: ChatPage) -> None:
    answer = (
        "[안내](https://example.org/a_(b)) [나쁜](javascript:alert(1)) [자료](data:text/html,x)"
        " [나란히](//example.org) ![그림](https://example.org/x.png) [1](https://example.org/one)"
    )
    await chat.is_told(token(answer), done(answer))
    await chat.ask()
    await chat.ends()
    links = chat.text.get_by_role("link")
    await expect(links).to_have_text(["안내", "그림", "1"])
    for link in await links.all():
        assert (await link.get_attribute("href") or "").startswith("https://example.org/")
        assert await link.get_attribute("title") == await link.get_attribute("href")
        assert await link.get_attribute("rel") == "noopener noreferrer"
    await expect(chat.text).to_contain_text("[나쁜](javascript:alert(1)) [자료](data:text/html,x)")
    await expect(chat.text.locator("img")).to_have_count(0)


async def test_names_that_every_object_has_are_names_like_any_other(chat: ChatPage) -> None:
    stage = ("stage", {"node": "constructor", "status": "completed", "duration_ms": 5})
    await chat.is_told(stage, ("error", {"code": "toString", "status": "constructor"}))
    await chat.ask()
    await chat.ends("error")
    await expect(chat.turns.locator(".stage")).to_contain_text("constructor")
    await expect(chat.problem.locator("p")).to_have_text("답변하지 못했어요. 다시 시도해 주세요.")
