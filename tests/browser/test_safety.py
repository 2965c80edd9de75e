import httpx
import pytest
from playwright.async_api import expect

from tests.browser.chat_page import ChatPage, done, token
from tests.browser.servers import Product

pytestmark = pytest.mark.asyncio(loop_scope="module")

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
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert len(parts) == 2
    assert all(part.status_code == 200 for part in parts)
    assert unknown.status_code == 404
