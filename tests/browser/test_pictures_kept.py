"""Pictures that are kept for asking once more: with their own conversation, and no longer than it."""

import contextlib
from collections.abc import AsyncGenerator

import pytest
from playwright.async_api import Locator, expect

from tests.browser.chat_page import ONE, ChatPage
from tests.browser.pictures import choose, png

pytestmark = pytest.mark.asyncio(loop_scope="module")

WITH_PICTURE = "이건 어떻게 버려?"
OTHER = "유리병은 어떻게 버려?"


@contextlib.asynccontextmanager
async def held_store(chat: ChatPage) -> AsyncGenerator[None]:
    """Whoever wants a picture waits: another transaction has them all until the block ends."""
    await chat.page.evaluate(
        """() => new Promise((resolve) => {
            const opening = indexedDB.open('eco2', 1);
            opening.onupgradeneeded = () => opening.result.createObjectStore('pictures');
            opening.onsuccess = () => {
                const all = opening.result.transaction('pictures', 'readwrite').objectStore('pictures');
                window.isHeld = true;
                const again = () => { if (window.isHeld) all.count().onsuccess = again; };
                all.count().onsuccess = () => { again(); resolve(); };
            };
        })"""
    )
    yield
    await chat.page.evaluate("window.isHeld = false")


async def kept(chat: ChatPage) -> list[str]:
    """The questions' turns whose pictures are kept."""
    return await chat.page.evaluate(
        """() => new Promise((resolve) => {
            const opening = indexedDB.open('eco2', 1);
            opening.onsuccess = () => {
                const asked = opening.result.transaction('pictures').objectStore('pictures').getAllKeys();
                asked.onsuccess = () => resolve(asked.result);
            };
        })"""
    )


async def fail_with_a_picture(chat: ChatPage) -> str:
    """Asks in vain with a picture; gives the turn's id."""
    await chat.page.route("**/api/v1/chat", lambda route: route.abort())
    await choose(chat, png(40, 30))
    await chat.ask(WITH_PICTURE)
    await chat.ends("error")
    await chat.page.unroute("**/api/v1/chat")
    return (await chat.stored())["id"]


async def start_new(chat: ChatPage) -> None:
    await chat.page.get_by_role("button", name="새 대화").click()
    await expect(chat.turns).to_have_count(0)


async def past(chat: ChatPage, title: str) -> Locator:
    await chat.page.get_by_role("button", name="지난 대화").click()
    return chat.page.get_by_role("listitem").filter(has_text=title)


async def test_a_question_that_is_left_at_once_is_asked_in_its_own_conversation(chat: ChatPage) -> None:
    await choose(chat, png(40, 30))
    async with held_store(chat):
        await chat.ask(WITH_PICTURE)
        await expect(chat.turns).to_have_count(1)
        await start_new(chat)
    await chat.ask(OTHER)
    await chat.ends()
    assert [request.post_data_json["message"] for request in chat.submits] == [OTHER]

    await (await past(chat, WITH_PICTURE)).get_by_role("button").first.click()
    await expect(chat.turns.locator(".question p")).to_have_text(WITH_PICTURE)
    await chat.ends()
    other, asked = [request.post_data_json for request in chat.submits]
    assert asked["message"] == WITH_PICTURE
    assert asked["image_url"].startswith("data:image/jpeg")
    assert asked["session_id"] != other["session_id"]


async def test_an_earlier_question_is_asked_once_more_only_where_it_belongs(chat: ChatPage) -> None:
    await fail_with_a_picture(chat)
    await chat.ask(OTHER)
    await expect(chat.turns).to_have_count(2)
    await chat.ends()
    async with held_store(chat):
        await chat.turns.first.get_by_role("button", name="다시 시도").click()
        await start_new(chat)
    await chat.ask(OTHER)
    await chat.ends()
    asked = [request.post_data_json["message"] for request in chat.submits]
    assert asked == [WITH_PICTURE, OTHER, OTHER]


async def test_an_earlier_question_is_asked_once_more_only_once(chat: ChatPage) -> None:
    await fail_with_a_picture(chat)
    await chat.ask(OTHER)
    await expect(chat.turns).to_have_count(2)
    await chat.ends()
    async with held_store(chat):
        again = chat.turns.first.get_by_role("button", name="다시 시도")
        await again.click()
        await again.click()
    await expect(chat.turns).to_have_count(3)
    await chat.ends()
    await expect(chat.turns).to_have_count(3)
    assert len(chat.submits) == 3


async def test_a_picture_goes_when_its_conversation_has_gone_without_a_word(chat: ChatPage) -> None:
    await fail_with_a_picture(chat)
    evicted = await chat.page.evaluate("JSON.parse(sessionStorage.getItem('eco2.current'))")
    await start_new(chat)
    stays = await fail_with_a_picture(chat)
    assert len(await kept(chat)) == 2
    await chat.page.evaluate(f"localStorage.removeItem('{ONE}{evicted}')")
    await chat.page.reload()

    async def is_swept() -> bool:
        return await kept(chat) == [stays]

    await chat.until(is_swept)
    await chat.again().click()
    await chat.ends()
    assert chat.submits[-1].post_data_json["image_url"].startswith("data:image/jpeg")


@pytest.mark.parametrize("is_whole", [True, False], ids=["kept whole", "only its title is kept"])
async def test_a_picture_is_deleted_with_its_conversation(chat: ChatPage, is_whole: bool) -> None:
    await fail_with_a_picture(chat)
    session_id = await chat.page.evaluate("JSON.parse(sessionStorage.getItem('eco2.current'))")
    await start_new(chat)
    if not is_whole:
        await chat.page.evaluate(f"localStorage.removeItem('{ONE}{session_id}')")
    item = await past(chat, WITH_PICTURE)
    await item.get_by_role("button", name="지우기").click()
    await item.get_by_role("button", name="지우기", exact=True).click()

    async def is_gone() -> bool:
        return await kept(chat) == []

    await chat.until(is_gone)
