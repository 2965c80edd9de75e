"""Past conversations: to go back to, and to delete everywhere."""

from typing import Any

import httpx
import pytest
from playwright.async_api import Route, expect

from tests.browser.chat_page import LIST, ONE, QUESTION, ChatPage
from tests.browser.servers import Sandbox

pytestmark = pytest.mark.asyncio(loop_scope="module")

OTHER = "유리병은 어떻게 버려?"


def dialog(chat: ChatPage) -> Any:
    return chat.page.get_by_role("dialog", name="지난 대화")


async def past(chat: ChatPage) -> Any:
    await chat.page.get_by_role("button", name="지난 대화").click()
    await expect(dialog(chat)).to_be_visible()
    return dialog(chat).get_by_role("listitem")


async def start_new(chat: ChatPage) -> None:
    await chat.page.get_by_role("button", name="새 대화").click()
    await expect(chat.turns).to_have_count(0)


async def two_conversations(chat: ChatPage) -> str:
    """The first one's session; the second one is open."""
    await chat.ask()
    await chat.ends()
    await start_new(chat)
    await chat.ask(OTHER)
    await chat.ends()
    return chat.submits[0].post_data_json["session_id"]


async def test_a_past_conversation_is_opened_by_its_title_and_goes_on(chat: ChatPage) -> None:
    session_id = await two_conversations(chat)
    items = await past(chat)
    await expect(items).to_have_count(2)
    await expect(items.first).to_contain_text(OTHER)
    await expect(items.first).to_contain_text("지금 대화")
    await items.nth(1).get_by_role("button", name=QUESTION).first.click()
    await expect(dialog(chat)).to_be_hidden()
    await expect(chat.turns.locator(".question p")).to_have_text(QUESTION)
    await chat.ask("그럼 뚜껑은?")
    await expect(chat.turns).to_have_count(2)
    await chat.ends()
    assert chat.submits[-1].post_data_json["session_id"] == session_id
    await chat.page.reload()
    await expect(chat.turns).to_have_count(2)


async def test_a_conversation_that_is_only_on_the_server_is_fetched(chat: ChatPage) -> None:
    session_id = await two_conversations(chat)
    await chat.page.evaluate(f"localStorage.removeItem('{ONE}{session_id}')")
    items = await past(chat)
    await items.nth(1).get_by_role("button").first.click()
    await expect(chat.turns.locator(".question p")).to_have_text(QUESTION)
    await chat.ends()
    await chat.shows_exactly(await chat.answer_of_the_api())
    await expect(chat.turns.locator(".sources .name").first).to_be_visible()
    await expect(chat.turns.get_by_text("표본 데이터")).to_be_visible()
    await chat.page.reload()
    await expect(chat.turns.locator(".question p")).to_have_text(QUESTION)


async def test_deleting_a_conversation_deletes_it_on_the_server_too(chat: ChatPage) -> None:
    session_id = await two_conversations(chat)
    items = await past(chat)
    await items.nth(1).get_by_role("button", name="지우기").click()
    await expect(items.nth(1).get_by_role("button", name="그대로 두기")).to_be_focused()
    await items.nth(1).get_by_role("button", name="지우기", exact=True).click()
    await expect(items).to_have_count(1)
    await expect(dialog(chat).get_by_role("status")).to_have_text("대화를 지웠어요.")
    await expect(chat.turns.locator(".question p")).to_have_text(OTHER)
    assert await chat.page.evaluate(f"localStorage.getItem('{ONE}{session_id}')") is None
    async with httpx.AsyncClient(base_url=chat.url) as client:
        assert (await client.get(f"/api/v1/sessions/{session_id}/turns")).status_code == 404


async def test_the_open_conversation_can_be_deleted_and_does_not_come_back(chat: ChatPage) -> None:
    await chat.ask()
    await chat.ends()
    items = await past(chat)
    await items.first.get_by_role("button", name="지우기").click()
    await items.first.get_by_role("button", name="지우기", exact=True).click()
    await expect(dialog(chat)).to_contain_text("아직 지난 대화가 없어요.")
    await chat.page.keyboard.press("Escape")
    await expect(chat.page.locator("#welcome")).to_be_visible()
    await chat.page.reload()
    await expect(chat.page.locator("#welcome")).to_be_visible()
    assert await chat.page.evaluate(f"localStorage.getItem('{LIST}')") == "[]"


async def test_a_deletion_that_fails_is_said_and_keeps_the_conversation(chat: ChatPage) -> None:
    await chat.ask()
    await chat.ends()

    async def refuse(route: Route) -> None:
        await route.fulfill(status=503, json={"code": "unavailable", "status": 503})

    await chat.page.route("**/sessions/*", refuse)
    items = await past(chat)
    await items.first.get_by_role("button", name="지우기").click()
    await items.first.get_by_role("button", name="지우기", exact=True).click()
    await expect(dialog(chat).get_by_role("status")).to_contain_text("서비스 일부가 잠시 멈췄어요")
    await items.first.get_by_role("button", name="그대로 두기").click()
    await expect(items).to_have_count(1)


async def test_an_answer_goes_on_while_another_conversation_is_open(chat: ChatPage, sandbox: Sandbox) -> None:
    await chat.ask(OTHER)
    await chat.ends()
    await start_new(chat)
    sandbox.behave(token_ms=40)
    await chat.ask()
    await chat.hears()
    items = await past(chat)
    await items.nth(1).get_by_role("button").first.click()
    await expect(chat.turns.locator(".question p")).to_have_text(OTHER)
    await expect(chat.stop).to_be_hidden()
    items = await past(chat)
    await items.filter(has_text=QUESTION).get_by_role("button").first.click()
    await expect(chat.turns.locator(".question p")).to_have_text(QUESTION)
    await chat.ends()
    await chat.shows_exactly(await chat.answer_of_the_api())


async def test_two_tabs_keep_to_their_own_conversations(chat: ChatPage) -> None:
    await two_conversations(chat)
    other = ChatPage(await chat.page.context.new_page(), chat.url)
    await other.open()
    items = await past(other)
    await items.nth(1).get_by_role("button").first.click()
    await other.ask("그럼 뚜껑은?")
    await expect(other.turns).to_have_count(2)
    await other.ends()
    await expect(chat.turns.locator(".question p")).to_have_text(OTHER)
    await chat.page.reload()
    await expect(chat.turns.locator(".question p")).to_have_text(OTHER)


async def test_the_list_is_used_with_the_keyboard(chat: ChatPage) -> None:
    await two_conversations(chat)
    await chat.page.get_by_role("button", name="지난 대화").focus()
    await chat.page.keyboard.press("Enter")
    await expect(dialog(chat).get_by_role("button", name="닫기")).to_be_focused()
    for _ in range(3):
        await chat.page.keyboard.press("Tab")
    await chat.page.keyboard.press("Enter")
    await expect(chat.turns.locator(".question p")).to_have_text(QUESTION)
    await chat.page.get_by_role("button", name="지난 대화").click()
    await chat.page.keyboard.press("Escape")
    await expect(dialog(chat)).to_be_hidden()
    await expect(chat.page.get_by_role("button", name="지난 대화")).to_be_focused()


async def test_older_conversations_give_way_when_there_is_no_room(chat: ChatPage) -> None:
    first = await chat.page.evaluate(
        f"""() => {{
            // What is left is less than the room that an answer takes.
            for (let i = 0; i < 5; i += 1) {{
                const id = `s${{i}}`;
                const body = {{ sessionId: id, turns: [], filler: 'x'.repeat(900_000) }};
                localStorage.setItem('{ONE}' + id, JSON.stringify(body));
            }}
            const list = [4, 3, 2, 1, 0].map((i) => ({{ id: `s${{i}}`, title: `t${{i}}`, at: i }}));
            localStorage.setItem('{LIST}', JSON.stringify(list));
            let left = 1 << 20;
            while (left >= 1) {{
                try {{
                    localStorage.setItem('full', (localStorage.getItem('full') ?? '') + 'x'.repeat(left));
                }} catch {{ left >>= 1; continue; }}
            }}
            return '{ONE}s0';
        }}"""
    )
    await chat.page.reload()
    await chat.ask()
    await chat.ends()
    await chat.shows_exactly(await chat.answer_of_the_api())
    assert await chat.page.evaluate(f"localStorage.getItem('{first}')") is None
    assert await chat.page.evaluate(f"localStorage.getItem('{ONE}s4')") is not None
