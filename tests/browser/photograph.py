"""`make page-picture`: the page on a desk and on a phone, side by side, as the README shows it."""

import asyncio
import base64
from pathlib import Path

from playwright.async_api import Browser, Page, ViewportSize, async_playwright, expect

from tests.browser.chromium import CHROMIUM, FLAGS
from tests.browser.servers import Product, Sandbox

PICTURE = Path(__file__).parents[2] / "docs/images/page.webp"
QUALITY = 80
BYTES_MAX = 150_000
QUESTION = "페트병은 어떻게 버려? 오늘 서울에 비 와?"
SLOW_TOKEN_MS = 90
ENDS_WITHIN_MS = 60_000
ITEMS_HEARD = 5
# On the desk an answer that has ended, on the phone one that is still being written.
DESK: ViewportSize = {"width": 1020, "height": 1220}
PHONE: ViewportSize = {"width": 390, "height": 844}
GAP_PX = 28
FRAME = """
<style>
  body {{ display: flex; align-items: center; gap: {gap}px; margin: 0; padding: {gap}px; }}
  body {{ background: #dfe8dd; }}
  img {{ display: block; border-radius: 18px; box-shadow: 0 10px 30px rgb(20 40 28 / 22%); }}
</style>
<img src="data:image/png;base64,{desk}"><img src="data:image/png;base64,{phone}">
"""


async def main() -> None:
    """Writes the picture, and fails if it is too heavy for a README."""
    with Sandbox() as sandbox, Product(sandbox) as product:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            desk = await _of_an_ended_answer(browser, product.url)
            sandbox.behave(token_ms=SLOW_TOKEN_MS)
            phone = await _of_an_answer_in_progress(browser, product.url)
            picture = await _side_by_side(browser, desk, phone)
            await browser.close()
    if len(picture) > BYTES_MAX:
        raise SystemExit(f"{len(picture)} bytes are too many: at most {BYTES_MAX}")
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    PICTURE.write_bytes(picture)
    print(f"{PICTURE.name}: {len(picture)} bytes")


async def _of_an_ended_answer(browser: Browser, url: str) -> bytes:
    context = await browser.new_context(viewport=DESK, locale="ko-KR", color_scheme="light")
    page = await context.new_page()
    await _ask(page, url)
    await page.locator('.turn[data-status="done"]').wait_for(timeout=ENDS_WITHIN_MS)
    await page.locator(".turn summary").click()
    await page.locator(".good").click()
    await expect(page.locator(".good")).to_have_attribute("aria-pressed", "true")
    return await _taken(page)


async def _of_an_answer_in_progress(browser: Browser, url: str) -> bytes:
    context = await browser.new_context(
        viewport=PHONE, locale="ko-KR", color_scheme="dark", is_mobile=True, has_touch=True
    )
    page = await context.new_page()
    await _ask(page, url)
    await page.locator(".turn .text li").nth(ITEMS_HEARD - 1).wait_for(timeout=ENDS_WITHIN_MS)
    return await _taken(page)


async def _ask(page: Page, url: str) -> None:
    await page.goto(url, wait_until="networkidle")
    await page.locator("#question").fill(QUESTION)
    await page.locator("#question").press("Enter")


async def _taken(page: Page) -> bytes:
    await page.locator("#scroller").evaluate("(e) => { e.scrollTop = 0; }")
    # What is at the edge of the focus is no part of the picture.
    await page.evaluate("document.activeElement.blur()")
    return await page.screenshot()


async def _side_by_side(browser: Browser, desk: bytes, phone: bytes) -> bytes:
    width = DESK["width"] + PHONE["width"] + 3 * GAP_PX
    page = await browser.new_page(viewport={"width": width, "height": DESK["height"] + 2 * GAP_PX})
    as_text = [base64.b64encode(one).decode() for one in (desk, phone)]
    await page.set_content(FRAME.format(gap=GAP_PX, desk=as_text[0], phone=as_text[1]))
    session = await page.context.new_cdp_session(page)
    # Playwright itself knows no WebP, which is a third of the PNG.
    shot = await session.send("Page.captureScreenshot", {"format": "webp", "quality": QUALITY})
    return base64.b64decode(shot["data"])


if __name__ == "__main__":
    asyncio.run(main())
