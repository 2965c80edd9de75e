"""Where the user is: asked for only when an answer needs it, and only on a click."""

from typing import Any

import pytest
from playwright.async_api import Route, expect

from tests.browser.chat_page import QUESTION, ChatPage
from tests.browser.servers import INPUT_WAIT_S

pytestmark = pytest.mark.asyncio(loop_scope="module")

NEARBY = "가까운 건전지 수거함 어디 있어?"
GANGNAM = {"latitude": 37.4979, "longitude": 127.0276}
WITHOUT_A_PLACE = "어느 지역인지 알려 주시면"
COUNT_CALLS = """
    window.placesAsked = 0;
    const real = navigator.geolocation.getCurrentPosition.bind(navigator.geolocation);
    navigator.geolocation.getCurrentPosition = (...how) => { window.placesAsked += 1; real(...how); };
"""


async def waits(chat: ChatPage) -> None:
    await chat.ask(NEARBY)
    await expect(chat.turns.last.locator(".stage.running")).to_have_text(
        "위치를 기다리는 중진행 중", timeout=15_000
    )


async def allow(chat: ChatPage) -> None:
    await chat.page.context.grant_permissions(["geolocation"])
    await chat.page.context.set_geolocation(GANGNAM)


def use(chat: ChatPage) -> Any:
    return chat.turns.last.get_by_role("button", name="현재 위치 사용")


async def fails_with(chat: ChatPage, code: int) -> None:
    await chat.page.evaluate(
        f"navigator.geolocation.getCurrentPosition = (_, fails) => {{ fails({{ code: {code} }}); }}; 0"
    )


async def test_a_place_is_asked_for_only_on_the_click_and_the_answer_goes_on_with_it(chat: ChatPage) -> None:
    await allow(chat)
    await chat.page.add_init_script(COUNT_CALLS)
    await chat.page.reload()
    await waits(chat)
    await expect(chat.turns.locator(".place")).to_contain_text("어디에 계신지")
    await expect(chat.turns.locator(".place .left")).to_contain_text("초 뒤에는 위치 없이 답해요.")
    await expect(chat.page.locator("#spoken")).to_have_text("위치가 필요해요")
    assert await chat.page.evaluate("placesAsked") == 0
    async with chat.page.expect_request("**/input") as telling:
        await use(chat).click()
    assert (await telling.value).post_data_json == {"location": GANGNAM}
    await chat.ends()
    assert await chat.page.evaluate("placesAsked") == 1
    await chat.shows_exactly(await chat.answer_of_the_api())
    assert WITHOUT_A_PLACE not in (await chat.text.text_content() or "")
    await expect(use(chat)).to_have_count(0)
    # What was there before the wait is still there: nothing was begun anew.
    await expect(chat.turns.locator(".stage", has_text="의도 파악")).to_have_count(1)
    await expect(chat.turns.locator(".retried")).to_have_count(0)


async def test_a_reload_in_mid_wait_goes_on_waiting_with_the_time_that_is_left(chat: ChatPage) -> None:
    await allow(chat)
    await waits(chat)
    await expect(use(chat)).to_be_visible()
    until = (await chat.stored())["deadlines"]
    assert len(until) == 1
    await chat.page.reload()
    await expect(use(chat)).to_be_visible()
    await expect(chat.notice).to_be_empty()
    assert (await chat.stored())["deadlines"] == until
    await use(chat).click()
    await chat.ends()
    assert WITHOUT_A_PLACE not in (await chat.text.text_content() or "")


async def test_a_wait_that_nobody_ends_is_answered_without_a_place(chat: ChatPage) -> None:
    await waits(chat)
    await expect(use(chat)).to_be_visible()
    await expect(use(chat)).to_have_count(0, timeout=(INPUT_WAIT_S + 10) * 1000)
    await chat.ends()
    await expect(chat.text).to_contain_text(WITHOUT_A_PLACE)


@pytest.mark.parametrize(
    ("code", "words"), [(1, "허락받지 못했어요"), (2, "알 수 없어요"), (3, "너무 오래 걸렸어요")]
)
async def test_a_browser_that_gives_no_place_is_told_of_plainly(
    chat: ChatPage, code: int, words: str
) -> None:
    await waits(chat)
    await fails_with(chat, code)
    await use(chat).click()
    await expect(chat.turns.locator(".told")).to_contain_text(words)
    await expect(use(chat)).to_have_attribute("aria-disabled", "false")
    await chat.stop.click()
    await chat.ends("cancelled")
    await expect(use(chat)).to_have_count(0)


async def test_a_place_that_comes_too_late_is_no_error(chat: ChatPage) -> None:
    await allow(chat)

    async def too_late(route: Route) -> None:
        await route.fulfill(status=409, json={"code": "not_waiting", "status": 409})

    await chat.page.route("**/input", too_late)
    await waits(chat)
    await use(chat).click()
    await expect(chat.turns.locator(".told")).to_have_text("위치를 보냈어요.")
    await expect(chat.turns.locator(".told.wrong")).to_have_count(0)
    await chat.stop.click()
    await chat.ends("cancelled")


async def test_a_place_that_could_not_be_sent_can_be_sent_again(chat: ChatPage) -> None:
    await allow(chat)

    async def lose(route: Route) -> None:
        await route.abort()

    await waits(chat)
    await chat.page.route("**/input", lose)
    await use(chat).click()
    await expect(chat.turns.locator(".told.wrong")).to_contain_text("서버에 닿지 못했어요")
    await chat.page.unroute("**/input")
    await use(chat).click()
    await chat.ends()


async def test_another_question_takes_the_place_of_the_one_that_waits(chat: ChatPage) -> None:
    await waits(chat)
    await expect(chat.stop).to_be_visible()
    await chat.question.fill(QUESTION)
    await expect(chat.send).to_be_visible()
    await chat.question.press("Enter")
    await expect(chat.turns).to_have_count(2)
    await chat.ends()
    await chat.shows_exactly(await chat.answer_of_the_api())
    await expect(chat.turns.first).to_have_attribute("data-status", "cancelled")
    await expect(chat.turns.first.locator(".place")).to_be_empty()
