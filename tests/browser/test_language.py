"""Korean first, English by choice."""

import re
from typing import Any

import httpx
import pytest
from playwright.async_api import expect

from tests.browser.chat_page import ChatPage, done, token
from tests.browser.servers import Product

pytestmark = pytest.mark.asyncio(loop_scope="module")

HANGUL = re.compile("[가-힣]+")
# Every word that is to be seen or heard, attributes included.
SAID = """() => [...document.querySelectorAll('body :not(noscript)')]
    .flatMap((e) => [
        ...[...e.childNodes].filter((n) => n.nodeType === 3).map((n) => n.data),
        ...['aria-label', 'placeholder', 'title', 'alt'].map((name) => e.getAttribute(name)),
    ])
    .filter((text) => text?.trim())"""
KEYS = """async () => {
    const paths = (one, at = '') => Object.entries(one).flatMap(([key, value]) =>
        value && typeof value === 'object' && !Array.isArray(value)
            ? paths(value, `${at}${key}.`) : [`${at}${key}:${typeof value}`]);
    const [{ ko }, { en }] = await Promise.all([import('/page/words_ko.js'), import('/page/words_en.js')]);
    return [paths(ko), paths(en)];
}"""


def switch(chat: ChatPage, name: str) -> Any:
    return chat.page.get_by_role("button", name=name)


async def test_the_page_speaks_english_when_told_to_and_remembers(chat: ChatPage) -> None:
    await expect(chat.page.locator("html")).to_have_attribute("lang", "ko")
    await switch(chat, "Switch to English").click()
    for _ in range(2):
        await expect(chat.page.locator("html")).to_have_attribute("lang", "en")
        await expect(chat.page.get_by_role("heading", name="What are you throwing away?")).to_be_visible()
        await expect(chat.page.get_by_label("Question", exact=True)).to_be_visible()
        await expect(chat.page).to_have_title("Eco² · Recycling assistant")
        await chat.page.reload()
    await switch(chat, "한국어 보기").click()
    await expect(chat.page.get_by_role("heading", name="무엇을 버리시나요?")).to_be_visible()
    await expect(chat.page.locator("html")).to_have_attribute("lang", "ko")


async def test_nothing_korean_is_left_in_english(chat: ChatPage) -> None:
    await switch(chat, "Switch to English").click()
    stage = ("stage", {"node": "weather", "status": "failed", "duration_ms": 3, "detail": "NoData"})
    started = ("stage", {"node": "intent", "status": "started"})
    source = {"title": "Bottle", "document": "Guide", "section": "How", "revised": "2024-03-05"}
    await chat.is_told(
        started,
        stage,
        ("sources", [source]),
        token("Yes [1]"),
        done("Yes [1]", sources=[source], sample_data=True),
    )
    await chat.page.locator("#question").fill("bottle?")
    await chat.page.keyboard.press("Enter")
    await chat.ends()
    await chat.page.get_by_role("button", name="History").click()
    said = await chat.page.evaluate(SAID)
    korean = {text.strip() for text in said if HANGUL.search(text)}
    # The way back is for those who read no English.
    assert korean == {"한국어", "한국어 보기"}
    assert {"Sample data", "revised 2024-03-05", "Understanding", "took 1.2 s", "Close"} <= set(said)


async def test_a_conversation_keeps_its_answers_when_the_language_changes(chat: ChatPage) -> None:
    await chat.ask()
    await chat.ends()
    text = await chat.text.text_content()
    await switch(chat, "Switch to English").click()
    await expect(chat.turns.locator(".badge")).to_have_text("Sample data")
    await expect(chat.text).to_have_text(text or "")


async def test_both_languages_say_the_same_things(chat: ChatPage) -> None:
    korean, english = await chat.page.evaluate(KEYS)
    assert korean == english
    assert len(korean) > 100


async def test_the_page_is_served_in_the_words_that_its_script_knows(
    chat: ChatPage, product: Product
) -> None:
    """Or the first paint would be followed by a jump."""
    async with httpx.AsyncClient(base_url=product.url) as client:
        served = (await client.get("/")).text
    texts = await chat.page.evaluate(
        "async () => { const { ko } = await import('/page/words_ko.js');"
        " return [...Object.values(ko.page), ...ko.examples]; }"
    )
    for text in texts:
        assert text in served
