"""Pictures that go with a question."""

import base64
from typing import Any

import pytest
from playwright.async_api import Route, expect

from tests.browser.chat_page import QUEUED, ChatPage, done, token
from tests.browser.pictures import choose, png

pytestmark = pytest.mark.asyncio(loop_scope="module")

MAX_BYTES = 1_000_000


def preview(chat: ChatPage) -> Any:
    return chat.page.locator("#preview img")


async def size_of(chat: ChatPage, data_url: str) -> list[int]:
    return await chat.page.evaluate(
        "async (url) => { const i = new Image(); i.src = url; await i.decode();"
        " return [i.naturalWidth, i.naturalHeight]; }",
        data_url,
    )


async def test_a_picture_is_asked_about_and_its_thumbnail_survives_a_reload(chat: ChatPage) -> None:
    await choose(chat, png(640, 480))
    await expect(preview(chat)).to_be_visible()
    await expect(chat.question).to_be_focused()
    await chat.ask("이건 어떻게 버려?")
    await expect(preview(chat)).to_have_count(0)
    await chat.ends()
    sent = chat.submits[0].post_data_json
    assert sent["message"] == "이건 어떻게 버려?"
    assert sent["image_url"].startswith("data:image/jpeg;base64,")
    await expect(chat.turns.locator(".stage", has_text="사진 살펴보기")).to_have_count(1)
    await chat.page.reload()
    thumbnail = chat.turns.get_by_role("img", name="보낸 사진")
    await expect(thumbnail).to_be_visible()
    assert await size_of(chat, await thumbnail.get_attribute("src") or "") == [320, 240]


@pytest.mark.parametrize("is_noise", [False, True])
async def test_a_large_picture_is_made_small_before_it_is_sent(chat: ChatPage, is_noise: bool) -> None:
    await chat.is_told(token("끝"), done("끝"))
    await choose(chat, png(2400, 1200, is_noise=is_noise))
    await expect(preview(chat)).to_be_visible(timeout=20_000)
    await chat.send.click()
    await chat.ends()
    url = chat.submits[0].post_data_json["image_url"]
    assert len(base64.b64decode(url.partition(",")[2])) <= MAX_BYTES
    width, height = await size_of(chat, url)
    assert width <= 1600
    assert width == 1600 or is_noise
    assert abs(width / height - 2) < 0.01


async def test_a_picture_alone_is_a_question(chat: ChatPage) -> None:
    await chat.is_told(token("끝"), done("끝"))
    await expect(chat.send).to_be_disabled()
    await choose(chat, png(20, 20))
    await expect(chat.send).to_be_enabled()
    await chat.send.click()
    await chat.ends()
    assert chat.submits[0].post_data_json["message"] == "이 사진 속 물건은 어떻게 버려?"


async def test_a_picture_can_be_taken_away_again(chat: ChatPage) -> None:
    await chat.is_told(token("끝"), done("끝"))
    await choose(chat, png(20, 20))
    await chat.page.get_by_role("button", name="사진 빼기").click()
    await expect(preview(chat)).to_have_count(0)
    await expect(chat.question).to_be_focused()
    await chat.ask()
    await chat.ends()
    assert "image_url" not in chat.submits[0].post_data_json
    await expect(chat.turns.locator("img")).to_have_count(0)


@pytest.mark.parametrize("door", ["paste", "drop"])
async def test_a_picture_can_be_pasted_and_dropped(chat: ChatPage, door: str) -> None:
    await chat.page.evaluate(
        """async ([door, bytes]) => {
            const data = new DataTransfer();
            data.items.add(new File([Uint8Array.from(bytes)], 'x.png', { type: 'image/png' }));
            const how = { bubbles: true, cancelable: true, clipboardData: data, dataTransfer: data };
            const event = door === 'paste' ? new ClipboardEvent('paste', how) : new DragEvent('drop', how);
            document.getElementById('question').dispatchEvent(event);
        }""",
        [door, list(png(30, 30)["buffer"])],
    )
    await expect(preview(chat)).to_be_visible()


@pytest.mark.parametrize(
    ("texts", "is_picture"),
    [
        pytest.param({"text/plain": "a.png"}, True, id="a file, with its name"),
        pytest.param({"text/html": "<img src=x>"}, True, id="a picture of a web page"),
        pytest.param({"text/plain": "캔", "text/html": "<td>캔</td>"}, False, id="cells of a spreadsheet"),
    ],
)
async def test_what_is_pasted_with_a_picture_beside_it(
    chat: ChatPage, texts: dict[str, str], is_picture: bool
) -> None:
    is_taken = await chat.page.evaluate(
        """([texts, bytes]) => {
            const data = new DataTransfer();
            data.items.add(new File([Uint8Array.from(bytes)], 'a.png', { type: 'image/png' }));
            for (const [type, text] of Object.entries(texts)) data.setData(type, text);
            const how = { bubbles: true, cancelable: true, clipboardData: data };
            const event = new ClipboardEvent('paste', how);
            return !document.getElementById('question').dispatchEvent(event);
        }""",
        [texts, list(png(30, 30)["buffer"])],
    )
    # What the page does not take, the browser pastes as text.
    assert is_taken == is_picture
    if is_picture:
        await expect(preview(chat)).to_be_visible()


async def test_text_can_be_dragged_into_the_question(chat: ChatPage) -> None:
    text = await chat.page.evaluate(
        """() => {
            const title = document.getElementById('welcome-title');
            getSelection().selectAllChildren(title);
            return title.textContent;
        }"""
    )
    await chat.page.locator("#welcome-title").drag_to(chat.question)
    await expect(chat.question).to_have_value(text)


async def test_a_link_that_is_dropped_beside_the_question_leads_nowhere(chat: ChatPage) -> None:
    await chat.is_told(token("https://example.org/"), done("https://example.org/"))
    await chat.ask()
    await chat.ends()
    await chat.text.get_by_role("link").drag_to(chat.page.get_by_role("banner"))
    await expect(chat.turns).to_have_count(1)
    assert chat.page.url == chat.url + "/"


async def test_a_file_that_is_no_picture_is_refused_in_words(chat: ChatPage) -> None:
    await choose(chat, {"name": "a.png", "mimeType": "image/png", "buffer": b"<svg onload=alert(1)>"})
    await expect(chat.notice).to_contain_text("사진으로 읽을 수 없어요")
    await expect(preview(chat)).to_have_count(0)
    await choose(chat, png(20, 20))
    await expect(preview(chat)).to_be_visible()
    await expect(chat.notice).to_be_empty()


async def test_a_picture_that_could_not_be_sent_is_sent_again_after_a_reload_too(chat: ChatPage) -> None:
    await chat.page.route("**/api/v1/chat", lambda route: route.abort())
    await choose(chat, png(40, 30))
    await chat.ask("이건?")
    await chat.ends("error")
    await chat.page.unroute("**/api/v1/chat")
    await chat.page.reload()
    await chat.again().click()
    await chat.ends()
    first, second = [request.post_data_json["image_url"] for request in chat.submits]
    assert first == second
    await expect(chat.turns).to_have_count(1)


async def test_a_reload_while_the_picture_is_on_its_way_asks_only_once(chat: ChatPage) -> None:
    keys: list[str] = []

    async def hold_the_first(route: Route) -> None:
        keys.append((await route.request.all_headers())["idempotency-key"])
        if len(keys) > 1:
            await route.continue_()

    async def is_sent() -> bool:
        return bool(keys)

    await chat.page.route("**/api/v1/chat", hold_the_first)
    await choose(chat, png(40, 30))
    await chat.ask("이건?")
    await chat.until(is_sent)
    await chat.page.reload()
    await chat.ends()
    assert keys[0] == keys[1]
    assert chat.submits[0].post_data_json == chat.submits[1].post_data_json


async def test_a_picture_that_this_browser_has_lost_is_asked_for_again(chat: ChatPage) -> None:
    await chat.page.route("**/api/v1/chat", lambda route: route.abort())
    await choose(chat, png(40, 30))
    await chat.ask("이건?")
    await chat.ends("error")
    await chat.page.unroute("**/api/v1/chat")
    await chat.page.evaluate(
        """() => new Promise((resolve) => {
            const opening = indexedDB.open('eco2', 1);
            opening.onsuccess = () => {
                const all = opening.result.transaction('pictures', 'readwrite');
                all.objectStore('pictures').clear();
                all.oncomplete = () => resolve();
            };
        })"""
    )
    await chat.again().click()
    await expect(chat.problem).to_contain_text("사진을 다시 골라")
    assert len(chat.submits) == 1


async def test_a_picture_that_the_api_refuses_is_told_in_words(chat: ChatPage) -> None:
    problem = {"code": "invalid_fields", "status": 422, "errors": [{"field": "body.image_url"}]}
    await chat.page.route("**/api/v1/chat", lambda route: route.fulfill(status=422, json=problem))
    await choose(chat, png(40, 30))
    await chat.ask("이건?")
    await chat.ends("error")
    await expect(chat.problem).to_contain_text("보낼 수 없는")
    assert QUEUED["job_id"] not in str(await chat.stored())
