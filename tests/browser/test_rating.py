"""What users think of an answer."""

from typing import Any

import pytest
from chat_api.feedback import COMMENT_MAX_CHARS
from playwright.async_api import Locator, Request, Route, expect

from tests.browser.chat_page import ChatPage, done, token

pytestmark = pytest.mark.asyncio(loop_scope="module")

WHY = "뚜껑 이야기가 없어요."


def good(chat: ChatPage) -> Locator:
    return chat.turns.last.get_by_role("button", name="도움이 됐어요")


def bad(chat: ChatPage) -> Locator:
    return chat.turns.last.get_by_role("button", name="아쉬워요")


def comment(chat: ChatPage) -> Locator:
    return chat.turns.last.get_by_label("무엇이 아쉬웠나요?")


def told(chat: ChatPage) -> Locator:
    return chat.turns.last.locator(".foot").get_by_role("status")


def leave(chat: ChatPage) -> Locator:
    return chat.turns.last.get_by_role("button", name="의견 남기기")


async def is_pressed(button: Locator, pressed: bool) -> None:
    await expect(button).to_have_attribute("aria-pressed", str(pressed).lower())


def sent_by(chat: ChatPage) -> list[Any]:
    """What is sent to the API from now on."""
    sent: list[Any] = []

    def note(request: Request) -> None:
        if request.url.endswith("/feedback"):
            sent.append(request.post_data_json)

    chat.page.on("request", note)
    return sent


@pytest.mark.parametrize("width", [390, 1280])
async def test_an_answer_is_rated_and_a_reload_shows_how(chat: ChatPage, width: int) -> None:
    await chat.page.set_viewport_size({"width": width, "height": 844})
    sent = sent_by(chat)
    await chat.ask()
    await chat.hears()
    await expect(good(chat)).to_be_hidden()
    await chat.ends()
    async with chat.page.expect_response("**/feedback") as response:
        await good(chat).click()
    assert (await response.value).status == 204
    await expect(told(chat)).to_have_text("알려 주셔서 고마워요.")
    await is_pressed(good(chat), True)
    await expect(comment(chat)).to_be_hidden()
    assert sent == [{"score": 1}]
    for button in (good(chat), bad(chat)):
        box = await button.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 44
    await chat.page.reload()
    await is_pressed(good(chat), True)
    await is_pressed(bad(chat), False)


@pytest.mark.parametrize("width", [390, 1280])
async def test_a_thumb_down_may_be_followed_by_a_few_words(chat: ChatPage, width: int) -> None:
    await chat.page.set_viewport_size({"width": width, "height": 844})
    sent = sent_by(chat)
    await chat.ask()
    await chat.ends()
    await bad(chat).click()
    await expect(comment(chat)).to_be_visible()
    await expect(comment(chat)).to_be_in_viewport()
    await expect(comment(chat)).to_have_attribute("maxlength", str(COMMENT_MAX_CHARS))
    await comment(chat).fill(f" {WHY}\n")
    await leave(chat).click()
    await expect(comment(chat)).to_be_hidden()
    await expect(told(chat)).to_contain_text("의견 고마워요.")
    await expect(bad(chat)).to_be_focused()
    assert sent == [{"score": 0}, {"score": 0, "comment": WHY}]
    # It was said: nobody asks again.
    await chat.page.reload()
    await is_pressed(bad(chat), True)
    await bad(chat).click()
    await expect(comment(chat)).to_be_hidden()
    assert len(sent) == 2


async def test_nobody_has_to_say_why_and_may_do_so_later(chat: ChatPage) -> None:
    sent = sent_by(chat)
    await chat.ask()
    await chat.ends()
    await bad(chat).click()
    await chat.turns.get_by_role("button", name="건너뛰기").click()
    await expect(comment(chat)).to_be_hidden()
    await is_pressed(bad(chat), True)
    await chat.page.reload()
    await bad(chat).click()
    await leave(chat).click()
    await expect(comment(chat)).to_be_hidden()
    assert sent == [{"score": 0}]


async def test_users_may_change_their_minds(chat: ChatPage) -> None:
    sent = sent_by(chat)
    await chat.ask()
    await chat.ends()
    await bad(chat).click()
    await expect(comment(chat)).to_be_visible()
    await good(chat).click()
    await is_pressed(good(chat), True)
    await is_pressed(bad(chat), False)
    await expect(comment(chat)).to_be_hidden()
    assert sent == [{"score": 0}, {"score": 1}]


async def test_a_rating_that_does_not_arrive_is_taken_back_and_said(chat: ChatPage) -> None:
    async def refuse(route: Route) -> None:
        await route.fulfill(status=503, json={"code": "unavailable", "status": 503})

    await chat.ask()
    await chat.ends()
    await chat.page.route("**/feedback", refuse)
    await bad(chat).click()
    await expect(told(chat)).to_contain_text("평가를 전하지 못했어요.")
    await is_pressed(bad(chat), False)
    await expect(comment(chat)).to_be_hidden()
    assert (await chat.stored())["rating"] is None
    await chat.page.unroute("**/feedback")
    await bad(chat).click()
    await expect(comment(chat)).to_be_visible()
    await chat.page.route("**/feedback", refuse)
    await comment(chat).fill(WHY)
    await leave(chat).click()
    await expect(told(chat)).to_contain_text("평가를 전하지 못했어요.")
    await expect(comment(chat)).to_have_value(WHY)
    await is_pressed(bad(chat), True)


async def test_an_answer_that_is_gone_cannot_be_rated(chat: ChatPage) -> None:
    await chat.is_told(token("끝"), done("끝"))
    await chat.ask()
    await chat.ends()
    await good(chat).click()
    await expect(told(chat)).to_have_text("이 답변은 더 이상 보관되어 있지 않아요.")
    await is_pressed(good(chat), False)


async def test_an_earlier_answer_is_rated_by_itself(chat: ChatPage) -> None:
    await chat.ask()
    await chat.ends()
    await chat.ask("유리병은?")
    await expect(chat.turns).to_have_count(2)
    await chat.ends()
    first = chat.turns.first.get_by_role("button", name="도움이 됐어요")
    await first.click()
    await is_pressed(first, True)
    await is_pressed(good(chat), False)
    await chat.page.reload()
    await is_pressed(first, True)


async def test_what_has_no_answer_has_nothing_to_rate(chat: ChatPage) -> None:
    await chat.is_told(("error", {"code": "unavailable", "status": 503}))
    await chat.ask()
    await chat.ends("error")
    await expect(good(chat)).to_be_hidden()
