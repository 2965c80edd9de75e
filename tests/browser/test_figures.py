"""What the page weighs, and how calm it stays; `make page-figures` prints the rest."""

import pytest
from playwright.async_api import Browser, expect

from tests.browser import figures
from tests.browser.teller import BLOCK, Teller, tokens_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

KIB = 1024
TOKENS = 200


@pytest.fixture(scope="module")
def teller() -> Teller:
    return Teller(tokens_of(BLOCK, TOKENS), figures.TOKENS_PER_S)


async def test_the_page_is_small_and_asks_nobody_else(browser: Browser, teller: Teller) -> None:
    async with teller.serving() as url:
        load = await figures.measure_load(browser, url)
    assert set(load.bytes_of) == {"Document", "Script", "Stylesheet"}
    assert sum(load.bytes_of.values()) < 80 * KIB
    # The scripts are fetched side by side: none waits for another one.
    assert load.requests < 40


async def test_nothing_on_the_page_is_pushed_about_while_an_answer_streams(
    browser: Browser, teller: Teller
) -> None:
    async with teller.serving() as url:
        stream = await figures.measure_stream(browser, url)
    assert stream.layout_shift < 0.1


async def test_a_long_conversation_does_not_pile_up_memory(browser: Browser, teller: Teller) -> None:
    teller.tokens_per_s = 10_000
    context = await browser.new_context()
    page = await context.new_page()
    async with teller.serving() as url:
        await page.goto(url)
        sizes = await figures.measure_growth(page, 6)
    await context.close()
    # What an answer leaves is its text and its elements: an event that is kept would be seen here.
    assert (sizes[-1] - sizes[1]) / 4 < 200 * KIB


async def test_what_a_reader_has_scrolled_up_to_stays_where_it_is(browser: Browser) -> None:
    """From the middle of an answer in progress to its end, sources and all."""
    context = await browser.new_context(viewport=figures.PHONE)
    page = await context.new_page()
    async with Teller(tokens_of(BLOCK, 500), figures.TOKENS_PER_S).serving() as url:
        await page.goto(url)
        await page.locator("#question").fill("페트병은?")
        await page.locator("#question").press("Enter")
        # By then there is more than the screen holds.
        await page.locator(".text h3").nth(4).wait_for()
        passage = page.locator(".text h3").nth(1)
        await passage.evaluate("(e) => e.scrollIntoView({ block: 'center' })")
        before = await passage.bounding_box()
        await page.locator('.turn[data-status="done"]').wait_for()
        await expect(page.locator(".sources")).not_to_be_in_viewport()
        assert await passage.bounding_box() == before
    await context.close()
