"""Pictures that were made for an answer."""

import base64

import pytest
from playwright.async_api import expect

from tests.browser.chat_page import JOB, ChatPage, done, token

pytestmark = pytest.mark.asyncio(loop_scope="module")

PICTURE = f"/api/v1/images/{JOB}"
# One green pixel.
PIXEL = base64.b64decode("R0lGODlhAQABAIAAABdrRf///ywAAAAAAQABAAACAkQBADs=")


def image(url: str = PICTURE, alt: str = "분리배출 그림") -> tuple[str, dict[str, str]]:
    return "image", {"url": url, "alt": alt}


async def serve_pixel(chat: ChatPage) -> None:
    await chat.page.route("**/api/v1/images/*", lambda r: r.fulfill(content_type="image/gif", body=PIXEL))


async def test_a_picture_that_was_drawn_is_shown_and_survives_a_reload(chat: ChatPage) -> None:
    await chat.ask("페트병 분리배출 그림 그려줘")
    await chat.ends()

    async def is_seen() -> bool:
        return await chat.turns.locator(".picture img").evaluate("(e) => e.naturalWidth > 1")

    await chat.until(is_seen)
    await chat.page.reload()
    await chat.until(is_seen)
    assert await chat.turns.locator(".picture img").get_attribute("alt")
    await expect(chat.turns.locator(".stage.completed", has_text="그림 그리기")).to_have_count(1)


async def test_a_picture_has_its_alternative_text(chat: ChatPage) -> None:
    await serve_pixel(chat)
    await chat.is_told(image(), token("그렸어요."), done("그렸어요."))
    await chat.ask()
    await chat.ends()
    await expect(chat.turns.get_by_role("img", name="분리배출 그림")).to_be_visible()
    await expect(chat.turns.locator(".picture img")).to_have_attribute("src", PICTURE)


async def test_a_new_attempt_throws_its_picture_away(chat: ChatPage) -> None:
    await serve_pixel(chat)
    reset = ("reset", {"attempt": 2, "reason": "worker_lost"})
    await chat.is_told(image(alt="버릴 그림"), reset, image(alt="새 그림"), token("끝"), done("끝"))
    await chat.ask()
    await chat.ends()
    await expect(chat.turns.locator(".picture figcaption")).to_have_text(["새 그림"])


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org/a.png",
        "//example.org/api/v1/images/0",
        f"{PICTURE}/../../chat",
        f"{PICTURE}?x=1",
        "data:image/png;base64,AAAA",
        "javascript:alert(1)",
        "/api/v1/chat",
        None,
    ],
)
async def test_only_pictures_of_this_service_are_fetched(chat: ChatPage, url: str | None) -> None:
    await chat.is_told(("image", {"url": url, "alt": "x"}), token("끝"), done("끝"))
    await chat.ask()
    await chat.ends()
    await expect(chat.turns.locator("img, figure")).to_have_count(0)


async def test_a_picture_that_is_no_longer_kept_is_said_to_be_gone(chat: ChatPage) -> None:
    await chat.is_told(image(), token("끝"), done("끝"))
    await chat.ask()
    await chat.ends()
    await expect(chat.turns.locator(".picture .gone")).to_have_text("이 그림은 더 이상 볼 수 없어요.")
    await expect(chat.turns.locator(".picture figcaption")).to_have_text("분리배출 그림")
