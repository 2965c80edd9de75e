from typing import Literal

import pytest
from playwright.async_api import Page, expect

from tests.browser.chat_page import ChatPage, done, token
from tests.browser.pictures import choose, png
from tests.browser.test_timeline import COURSE

pytestmark = pytest.mark.asyncio(loop_scope="module")

SOURCE = {"title": "가" * 80, "url": "https://example.org/", "document": "x" * 120, "section": "나"}
WIDE = f"{'가나다' * 60} https://example.org/{'x' * 200} [1]"

# The contrast of every visible text with the colour behind it, by WCAG 2.
CONTRASTS = """() => {
    const rgb = (colour) => (colour.match(/[\\d.]+/g) ?? []).map(Number);
    const light = (colour) => {
        const [r, g, b] = rgb(colour).map((c) => c / 255)
            .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const behind = (element) => {
        for (let at = element; at; at = at.parentElement) {
            const colour = getComputedStyle(at).backgroundColor;
            if (colour !== 'transparent' && rgb(colour)[3] !== 0) return colour;
        }
        return 'rgb(255, 255, 255)';
    };
    return [...document.querySelectorAll('body *')]
        .filter((e) => [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim()))
        .filter((e) => e.checkVisibility())
        .map((e) => {
            const [a, b] = [light(getComputedStyle(e).color), light(behind(e))].sort((x, y) => y - x);
            return [(a + 0.05) / (b + 0.05), `${e.className} ${e.textContent.slice(0, 30)}`];
        });
}"""


async def scrolls_sideways(page: Page) -> bool:
    return await page.evaluate(
        "[document.documentElement, document.getElementById('scroller')]"
        ".some((e) => e.scrollWidth > e.clientWidth)"
    )


WISH = ("input_required", {"kind": "location", "message": "어디에 계세요?", "expires_in_s": 300})

# What a screen reader would call each part, by the simple rules that this page needs.
NAMELESS = """() => [...document.querySelectorAll(
        'button, a[href], img, input:not([hidden]), textarea, summary, main, section, dialog, [role]')]
    .filter((e) => e.checkVisibility() && !['status', 'alert'].includes(e.getAttribute('role')))
    .filter((e) => {
        const by = document.getElementById(e.getAttribute('aria-labelledby'))?.textContent;
        const label = e.labels?.[0]?.textContent;
        const own = ['button', 'a', 'summary'].includes(e.localName) ? e.textContent : '';
        return !(e.getAttribute('aria-label') ?? by ?? label ?? e.getAttribute('alt') ?? own)?.trim();
    })
    .map((e) => e.outerHTML.slice(0, 120))"""
# Those that look small have room around them, which belongs to them as well.
SMALL = """() => [...document.querySelectorAll('button, summary')]
    .filter((e) => e.checkVisibility())
    .map((e) => [e, e.getBoundingClientRect(), getComputedStyle(e, '::after')])
    .map(([e, { width, height }, { position, left, top }]) => {
        const [x, y] = position === 'absolute' ? [left, top].map((side) => -2 * parseFloat(side)) : [0, 0];
        return [e, width + x, height + y];
    })
    .filter(([e, width, height]) => Math.min(width, height) < (e.matches('.cite') ? 32 : 44))
    .map(([e]) => e.outerHTML.slice(0, 120))"""


async def shows_everything(chat: ChatPage) -> None:
    """A turn that waits for its user, with an open timeline, and a picture in the composer."""
    await chat.is_told(*COURSE, token("# 제목\n1. **하나** [둘](https://example.org/)\n"), WISH)
    await choose(chat, png(40, 30))
    await chat.ask("이건?")
    await chat.page.locator(".turn:last-child .place .use").wait_for()
    await chat.page.locator(".turn:last-child summary").click()
    await choose(chat, png(40, 30))
    await expect(chat.page.locator("#preview img")).to_be_visible()


@pytest.mark.parametrize("width", [320, 390, 1280])
async def test_every_part_has_a_name_and_room_for_a_finger_and_the_page_itself_stays(
    chat: ChatPage, width: int
) -> None:
    await chat.page.set_viewport_size({"width": width, "height": 500})
    await chat.ask()
    await chat.ends()
    await shows_everything(chat)
    assert await chat.page.evaluate(NAMELESS) == []
    assert await chat.page.evaluate(SMALL) == []
    assert not await scrolls_sideways(chat.page)
    # Only the conversation scrolls: the question's place is always in sight.
    assert await chat.page.evaluate("document.documentElement.scrollHeight - innerHeight") == 0
    await chat.page.get_by_role("button", name="지난 대화").click()
    await chat.page.locator("#history .remove").first.click()
    assert await chat.page.evaluate(NAMELESS) == []
    box = await chat.page.get_by_role("dialog").bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width


@pytest.mark.parametrize("width", [320, 390, 1280])
async def test_no_width_needs_sideways_scrolling(chat: ChatPage, width: int) -> None:
    await chat.page.set_viewport_size({"width": width, "height": 844})
    assert not await scrolls_sideways(chat.page)
    await chat.is_told(("sources", [SOURCE]), token(WIDE), done(WIDE, sources=[SOURCE], sample_data=True))
    await chat.ask("페트병" * 100)
    await chat.ends()
    await expect(chat.turns.locator(".sources")).to_be_visible()
    assert not await scrolls_sideways(chat.page)
    box = await chat.turns.locator(".sources").bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_text_stands_out_from_its_ground(
    chat: ChatPage, scheme: Literal["light", "dark"]
) -> None:
    await chat.page.emulate_media(color_scheme=scheme)
    # Colours that change under the eyes do so gradually.
    await chat.page.reload()
    contrasts = await chat.page.evaluate(CONTRASTS)
    await chat.ask()
    await chat.ends()
    await chat.is_told(("error", {"code": "unavailable", "status": 503}))
    await chat.ask()
    await expect(chat.turns).to_have_count(2)
    await chat.ends("error")
    contrasts += await chat.page.evaluate(CONTRASTS)
    await shows_everything(chat)
    contrasts += await chat.page.evaluate(CONTRASTS)
    await chat.page.get_by_role("button", name="지난 대화").click()
    await chat.page.locator("#history .remove").first.click()
    contrasts += await chat.page.evaluate(CONTRASTS.replace("'body *'", "'#history *'"))
    assert len(contrasts) > 80
    assert [text for contrast, text in contrasts if contrast < 4.5] == []


async def test_the_page_can_be_used_with_the_keyboard_alone(chat: ChatPage) -> None:
    await expect(chat.question).to_be_focused()
    await chat.question.press_sequentially("유리병은 어떻게 버려?")
    await chat.page.keyboard.press("Tab")
    await expect(chat.send).to_be_focused()
    await chat.page.keyboard.press("Enter")
    await chat.ends()
    await expect(chat.question).to_be_focused()
    await chat.page.keyboard.press("Shift+Tab")
    await expect(chat.page.get_by_role("button", name="사진 넣기")).to_be_focused()
    for name in ("아쉬워요", "도움이 됐어요"):
        await chat.page.keyboard.press("Shift+Tab")
        await expect(chat.turns.get_by_role("button", name=name)).to_be_focused()
    await chat.page.keyboard.press("Shift+Tab")
    await expect(chat.turns.locator(".sources a").last).to_be_focused()
