"""The page in every state, as axe-core sees it."""

from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.async_api import Route, expect

from tests import npm
from tests.browser.chat_page import ChatPage, done, token
from tests.browser.servers import Sandbox
from tests.browser.test_layout import WISH
from tests.browser.test_timeline import COURSE

pytestmark = pytest.mark.asyncio(loop_scope="module")

AXE = "axe-core@4.14.1"
ANSWER = "## 순서\n1. **비우고** 헹구기 [1]\n2. [안내](https://example.org/a)대로 내놓기 [2]\n\n- 뚜껑은 따로"
SOURCES = [
    {"title": "페트병", "url": "https://example.org/guide", "document": "분리배출 안내", "section": "방법"},
    {"title": "뚜껑", "document": "지자체 조례", "section": "하지 말 것", "revised": "2024-03-05"},
]
FINDINGS = """async () => {
    const { violations } = await axe.run();
    return violations.flatMap(({ id, impact, nodes }) =>
        nodes.map(({ html, failureSummary }) => `${impact} ${id}: ${html.slice(0, 160)} ${failureSummary}`));
}"""


@pytest.fixture(scope="module")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The script of axe-core."""
    packages = npm.install(tmp_path_factory.mktemp("axe"), AXE)
    return Path(packages, "axe-core/axe.min.js").read_text(encoding="utf-8")


class Examined:
    """A page that is examined again and again."""

    def __init__(self, chat: ChatPage, axe: str) -> None:
        self._page = chat.page
        self._axe = axe

    async def passes(self) -> None:
        if not await self._page.evaluate("'axe' in window"):
            await self._page.evaluate(self._axe)
        assert await self._page.evaluate(FINDINGS) == []


# Each pair of language, colours and size comes once.
@pytest.mark.parametrize(
    ("language", "scheme", "width"),
    [("ko", "light", 390), ("ko", "dark", 1280), ("en", "dark", 390), ("en", "light", 1280)],
)
async def test_axe_finds_nothing_in_any_state(
    chat: ChatPage,
    sandbox: Sandbox,
    axe: str,
    language: str,
    scheme: Literal["light", "dark"],
    width: int,
) -> None:
    page, examined = chat.page, Examined(chat, axe)
    await page.set_viewport_size({"width": width, "height": 844})
    await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    if language == "en":
        await page.locator("#language").click()
    await examined.passes()

    sandbox.behave(token_ms=100)
    await ask(chat, "우유팩은?")
    await chat.hears()
    await examined.passes()
    await page.locator("#stop").click()
    await chat.ends("cancelled")

    await chat.is_told(*COURSE, ("sources", SOURCES), token(ANSWER), done(ANSWER, **ended()))
    await ask(chat, "페트병은?")
    await chat.ends()
    await chat.turns.last.locator("summary").click()
    await page.route("**/feedback", lambda route: route.fulfill(status=204))
    await chat.turns.last.locator(".bad").click()
    await expect(chat.turns.last.locator(".comment")).to_be_visible()
    await examined.passes()

    await chat.is_told(*COURSE, token("부분"), ("error", {"code": "session_busy", "status": 409}))
    await ask(chat, "유리병은?")
    await chat.ends("error")
    await examined.passes()

    await page.route("**/api/v1/chat", refuse)
    await ask(chat, "건전지는?")
    await expect(page.locator(".access")).to_be_visible()
    await examined.passes()
    await page.locator(".access .later").click()
    await chat.ends("error")

    await page.locator("#past").click()
    await page.locator("#history .remove").first.click()
    await examined.passes()
    await page.keyboard.press("Escape")

    await chat.is_told(*COURSE[:2], WISH)
    await ask(chat, "가까운 수거함은?")
    await expect(chat.turns.last.locator(".place .use")).to_be_visible()
    await examined.passes()


async def ask(chat: ChatPage, text: str) -> None:
    """By the field itself: its name is in two languages here."""
    turns = await chat.turns.count()
    await chat.page.locator("#question").fill(text)
    await chat.page.locator("#question").press("Enter")
    await expect(chat.turns).to_have_count(turns + 1)


async def refuse(route: Route) -> None:
    await route.fulfill(status=401, json={"code": "unauthorized", "status": 401})


def ended() -> dict[str, Any]:
    return {"sources": SOURCES, "sample_data": True}
