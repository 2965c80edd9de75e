from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, ConsoleMessage, async_playwright

from tests.browser.chat_page import ChatPage
from tests.browser.chromium import CHROMIUM, FLAGS
from tests.browser.servers import Product, Sandbox

# What the browser itself says of a call that failed; the tests make calls fail.
EXPECTED = ("Failed to load resource",)


@pytest.fixture(scope="session")
def sandbox_process() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture(scope="session")
def product(sandbox_process: Sandbox) -> Iterator[Product]:
    with Product(sandbox_process) as product:
        yield product


@pytest.fixture
def sandbox(sandbox_process: Sandbox) -> Iterator[Sandbox]:
    """The stand-in model; what a test asks of it ends with the test."""
    yield sandbox_process
    sandbox_process.behave()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="module")
async def chat(browser: Browser, product: Product) -> AsyncIterator[ChatPage]:
    """A new visitor's page; whatever it complains of on the console fails the test."""
    complaints: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not message.text.startswith(EXPECTED):
            complaints.append(message.text)

    context = await browser.new_context(viewport={"width": 1280, "height": 800}, locale="ko-KR")
    page = await context.new_page()
    page.on("console", note)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    chat = ChatPage(page, product.url)
    await chat.open()
    yield chat
    await context.close()
    assert complaints == []
