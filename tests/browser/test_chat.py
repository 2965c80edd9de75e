import pytest
from playwright.async_api import expect

from tests.browser.chat_page import QUESTION, ChatPage, done, token
from tests.browser.servers import Sandbox

pytestmark = pytest.mark.asyncio(loop_scope="module")

SOURCES = [
    {
        "title": "유리병",
        "url": "https://example.org/guide",
        "document": "분리배출 안내",
        "section": "버리는 곳",
    },
    {"title": "거울", "document": "지자체 조례", "section": "하지 말 것", "revised": "2024-03-05"},
]


async def test_an_answer_streams_with_its_stages_and_sources(chat: ChatPage, sandbox: Sandbox) -> None:
    sandbox.behave(token_ms=30)
    await chat.ask()
    partial = await chat.hears(20)
    await expect(chat.stop).to_be_visible()
    await expect(chat.turns.locator(".answer")).to_have_attribute("aria-busy", "true")
    await expect(chat.turns.locator(".stage.running")).to_contain_text("답변 작성")
    await chat.ends()
    assert len(await chat.hears()) > len(partial)
    for name in ("의도 파악", "분리배출 안내 검색", "답변 작성"):
        stage = chat.turns.locator(".stage.completed", has_text=name)
        await expect(stage.locator(".took")).to_contain_text("ms" if name != "답변 작성" else "초")
    await expect(chat.turns.locator(".sources .name").first).to_be_visible()
    await expect(chat.turns.locator(".sources .revised").first).to_contain_text("개정")
    await expect(chat.turns.get_by_text("표본 데이터")).to_be_visible()
    await expect(chat.turns.locator(".answer")).to_have_attribute("aria-busy", "false")
    await expect(chat.stop).to_be_hidden()


async def test_the_text_on_the_page_is_the_answer_of_the_api(chat: ChatPage) -> None:
    await chat.ask()
    await chat.ends()
    await chat.shows_exactly(await chat.answer_of_the_api())
    assert len(chat.follows) == 1


async def test_lists_bold_and_citations_are_shown_as_such(chat: ChatPage) -> None:
    answer = "**유리**\n- 병은 수거함에 [1]\n- 거울은 **봉투**에 [2], 컵은 [9]\n\n끝이에요.\n두 번째 줄"
    await chat.is_told(("sources", SOURCES), *map(token, answer), done(answer, sources=SOURCES))
    await chat.ask()
    await chat.ends()
    await chat.shows_exactly(answer)
    await expect(chat.text.locator("li")).to_have_text(["병은 수거함에 [1]", "거울은 봉투에 [2], 컵은 [9]"])
    await expect(chat.text.locator("strong")).to_have_text(["유리", "봉투"])
    # [9] is no source of this answer.
    await expect(chat.text.locator("button")).to_have_text(["[1]", "[2]"])


async def test_numbered_lists_headings_and_links_are_shown_as_such(chat: ChatPage) -> None:
    answer = "## 순서\n1. 비우고\n2) **헹구고** [안내](https://example.org/a)\n\n설명\n\n3. 내놓기\n- 점"
    await chat.is_told(*map(token, answer), done(answer))
    await chat.ask()
    await chat.ends()
    assert (await chat.stored())["text"] == answer
    await expect(chat.text.locator("h3")).to_have_text("순서")
    await expect(chat.text.locator("ol > li")).to_have_text(["비우고", "헹구고 안내", "내놓기"])
    assert await chat.text.locator("ol > li").evaluate_all("(all) => all.map((e) => e.value)") == [1, 2, 3]
    await expect(chat.text.locator("ul > li")).to_have_text("점")
    await expect(chat.text.get_by_role("link", name="안내")).to_have_attribute(
        "href", "https://example.org/a"
    )


@pytest.mark.parametrize("half", ["[안내](https://exam", "[안내](", "1.", "##", "[", "[1"])
async def test_what_is_half_written_is_not_shown_as_signs(chat: ChatPage, half: str) -> None:
    await chat.is_told(token(f"글\n{half}"))
    await chat.ask()
    await chat.hears(1)
    shown = await chat.text.text_content() or ""
    assert "](" not in shown
    assert shown.strip().removeprefix("글").strip() in ("", "안내")


async def test_a_source_tells_its_document_and_its_date_and_a_citation_leads_to_it(chat: ChatPage) -> None:
    await chat.is_told(("sources", SOURCES), token("[1] [2]"), done("[1] [2]", sources=SOURCES))
    await chat.ask()
    await chat.ends()
    await expect(chat.turns.locator(".revised")).to_have_text(["개정일 미상", "2024.03.05. 개정"])
    await expect(chat.turns.get_by_role("link", name="분리배출 안내")).to_have_attribute(
        "rel", "noopener noreferrer"
    )
    await chat.text.get_by_role("button", name="출처 2").click()
    await expect(chat.turns.locator("[data-number='2']")).to_be_focused()


async def test_an_example_is_asked_with_one_click(chat: ChatPage) -> None:
    example = chat.page.locator("#examples button").first
    asked = await example.text_content()
    await example.click()
    await chat.ends()
    assert chat.submits[0].post_data_json["message"] == asked
    await expect(chat.page.locator("#welcome")).to_be_hidden()


async def test_stop_keeps_the_partial_text_and_says_so(chat: ChatPage, sandbox: Sandbox) -> None:
    sandbox.behave(token_ms=60)
    await chat.ask()
    partial = await chat.hears(10)
    await chat.stop.click()
    await chat.ends("cancelled")
    await chat.shows_exactly(await chat.answer_of_the_api())
    assert (await chat.text.text_content() or "").startswith(partial[:10])
    await expect(chat.turns.locator(".badge.stopped")).to_have_text("멈춤")
    await expect(chat.page.locator("#spoken")).to_have_text("답변을 멈췄어요.")
    await expect(chat.question).to_be_focused()
    await expect(chat.turns.locator(".stage.failed")).to_have_count(0)


async def test_a_stopped_question_can_be_asked_once_more(chat: ChatPage, sandbox: Sandbox) -> None:
    sandbox.behave(token_ms=60)
    await chat.ask()
    await chat.hears()
    await chat.stop.click()
    await chat.ends("cancelled")
    sandbox.behave()
    await chat.again("다시 물어보기").click()
    await chat.ends()
    await chat.shows_exactly(await chat.answer_of_the_api())
    await expect(chat.turns).to_have_count(1)


async def test_enter_sends_and_shift_enter_begins_a_new_line(chat: ChatPage) -> None:
    await chat.question.press_sequentially("첫 줄")
    await chat.question.press("Shift+Enter")
    await chat.question.press_sequentially("둘째 줄")
    assert chat.submits == []
    await chat.question.press("Enter")
    await chat.ends()
    assert chat.submits[0].post_data_json["message"] == "첫 줄\n둘째 줄"
    await expect(chat.question).to_have_value("")


async def test_an_enter_that_ends_a_korean_composition_does_not_send(chat: ChatPage) -> None:
    ime = await chat.page.context.new_cdp_session(chat.page)
    await ime.send("Input.imeSetComposition", {"text": "페트병", "selectionStart": 3, "selectionEnd": 3})
    await expect(chat.question).to_have_value("페트병")
    enter = {"key": "Enter", "code": "Enter"}
    while_composing = {"type": "rawKeyDown", **enter, "windowsVirtualKeyCode": 229}
    await ime.send("Input.dispatchKeyEvent", while_composing)
    await ime.send("Input.insertText", {"text": "페트병"})
    await expect(chat.question).to_have_value("페트병")
    await expect(chat.turns).to_have_count(0)
    await chat.question.press("Enter")
    await expect(chat.turns).to_have_count(1)
    await chat.ends()
    assert [request.post_data_json["message"] for request in chat.submits] == ["페트병"]


async def test_a_blank_question_cannot_be_sent(chat: ChatPage) -> None:
    await chat.question.fill("  \n ")
    await expect(chat.send).to_be_disabled()
    await chat.question.press("Enter")
    await expect(chat.turns).to_have_count(0)
    await chat.question.fill("유리병")
    await expect(chat.send).to_be_enabled()


async def test_a_conversation_keeps_its_session_and_a_new_one_gets_another(chat: ChatPage) -> None:
    for count in (1, 2):
        await chat.ask()
        await expect(chat.turns).to_have_count(count)
        await chat.ends()
    await chat.page.get_by_role("button", name="새 대화").click()
    await expect(chat.turns).to_have_count(0)
    await expect(chat.page.locator("#welcome")).to_be_visible()
    await chat.ask()
    await chat.ends()
    first, second, third = (request.post_data_json["session_id"] for request in chat.submits)
    assert first == second != third


async def test_a_new_conversation_stops_the_answer_that_nobody_waits_for(
    chat: ChatPage, sandbox: Sandbox
) -> None:
    sandbox.behave(token_ms=60)
    await chat.ask()
    await chat.hears()
    async with chat.page.expect_request("**/cancel") as cancelling:
        await chat.page.get_by_role("button", name="새 대화").click()
    response = await (await cancelling.value).response()
    assert response is not None
    assert response.status == 202
    await expect(chat.turns).to_have_count(0)
    await chat.page.reload()
    await expect(chat.page.locator("#welcome")).to_be_visible()
    await expect(chat.turns).to_have_count(0)


async def test_a_reader_who_scrolled_up_is_left_where_they_are(chat: ChatPage, sandbox: Sandbox) -> None:
    await chat.page.set_viewport_size({"width": 390, "height": 420})
    await chat.ask()
    await chat.ends()
    scroller = chat.page.locator("#scroller")

    async def is_at_bottom() -> bool:
        return await scroller.evaluate("(e) => e.scrollHeight - e.scrollTop - e.clientHeight < 2")

    await chat.until(is_at_bottom)
    sandbox.behave(token_ms=30)
    await chat.ask(QUESTION)
    await chat.hears()
    await chat.until(is_at_bottom)
    await scroller.evaluate("(e) => { e.scrollTop = 0; }")
    await expect(chat.page.get_by_role("button", name="맨 아래로")).to_be_visible()
    await chat.ends()
    assert await scroller.evaluate("(e) => e.scrollTop") == 0
    await chat.page.get_by_role("button", name="맨 아래로").click()
    await chat.until(is_at_bottom)


async def test_sources_wait_for_the_end_of_the_text_unless_they_are_asked_for(
    chat: ChatPage, sandbox: Sandbox
) -> None:
    sandbox.behave(token_ms=150)
    await chat.ask()
    await chat.text.get_by_role("button").first.wait_for()
    await expect(chat.turns.locator(".sources")).to_be_hidden()
    # The text is built anew with each token: a click by place might miss.
    await chat.text.get_by_role("button").first.dispatch_event("click")
    await expect(chat.turns.locator("[data-number]").first).to_be_visible()
    assert (await chat.stored())["status"] == "running"
    sandbox.behave()
    await chat.stop.click()
    await chat.ends("cancelled")
    await expect(chat.turns.locator(".sources")).to_be_visible()
