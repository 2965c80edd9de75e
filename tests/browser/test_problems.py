import json
from functools import partial
from typing import Any

import httpx
import pytest
from chat_worker.errors import AnswerError
from playwright.async_api import Route, expect

from tests.browser.chat_page import QUESTION, ChatPage
from tests.browser.servers import Sandbox

pytestmark = pytest.mark.asyncio(loop_scope="module")

OF_THE_API = {
    "session_busy": 409,
    "idempotency_in_flight": 409,
    "idempotency_mismatch": 422,
    "invalid_fields": 422,
    "malformed_request": 400,
    "body_too_large": 413,
    "queue_full": 503,
    "rate_limited": 429,
    "too_many_jobs": 429,
    "too_many_streams": 503,
    "unavailable": 503,
    "internal_error": 500,
}
FALLBACK = "답변하지 못했어요. 다시 시도해 주세요."


async def test_a_failed_answer_says_why_and_can_be_tried_again(chat: ChatPage, sandbox: Sandbox) -> None:
    sandbox.behave(fail={"status": 401}, for_requests="all")
    await chat.ask()
    await chat.ends("error")
    await expect(chat.problem).to_contain_text("언어 모델이 요청을 받지 않았어요")
    sandbox.behave()
    await chat.again().click()
    await chat.ends()
    await chat.shows_exactly(await chat.answer_of_the_api())
    await expect(chat.turns).to_have_count(1)
    await expect(chat.problem).to_have_count(0)


async def test_a_busy_session_offers_to_interrupt_the_other_answer(chat: ChatPage, sandbox: Sandbox) -> None:
    await chat.ask()
    await chat.ends()
    sandbox.behave(token_ms=100)
    session_id = chat.submits[0].post_data_json["session_id"]
    async with httpx.AsyncClient(base_url=chat.url) as client:
        body = {"message": QUESTION, "session_id": session_id}
        other = (await client.post("/api/v1/chat", json=body)).json()
        await chat.ask()
        await expect(chat.turns).to_have_count(2)
        await chat.ends("error")
        await expect(chat.problem).to_contain_text("아직 앞선 질문에 답하고 있어요")
        sandbox.behave()
        await chat.again("앞선 답변을 멈추고 묻기").click()
        await chat.ends()
        assert (await client.get(other["status_url"])).json()["status"] == "cancelled"
    await chat.shows_exactly(await chat.answer_of_the_api())


async def test_a_question_that_could_not_be_sent_is_tried_again_under_its_key(chat: ChatPage) -> None:
    await chat.page.context.set_offline(True)
    await chat.ask()
    await chat.ends("error")
    await expect(chat.problem).to_contain_text("서버에 닿지 못했어요")
    await expect(chat.notice).to_have_text("인터넷 연결이 끊겼어요.")
    await chat.page.context.set_offline(False)
    await expect(chat.notice).to_be_empty()
    await chat.again().click()
    await chat.ends()
    first, second = [(await request.all_headers())["idempotency-key"] for request in chat.submits]
    assert first == second


@pytest.mark.parametrize(
    ("status", "problem", "is_same"),
    [
        pytest.param(502, None, True, id="a proxy lost the reply"),
        pytest.param(409, "idempotency_in_flight", True, id="the first is under way"),
        pytest.param(422, "idempotency_mismatch", False, id="the key is another question's"),
    ],
)
async def test_a_question_that_may_have_arrived_is_tried_again_as_the_same_one(
    chat: ChatPage, status: int, problem: str | None, is_same: bool
) -> None:
    async def lose_the_reply(route: Route) -> None:
        await route.fetch()
        body = "<h1>Bad Gateway</h1>" if problem is None else json.dumps({"code": problem, "status": status})
        await route.fulfill(status=status, body=body)

    await chat.page.route("**/api/v1/chat", lose_the_reply)
    await chat.ask()
    await chat.ends("error")
    await chat.page.unroute("**/api/v1/chat")
    await chat.again().click()
    if is_same:
        await chat.ends()
        await chat.shows_exactly(await chat.answer_of_the_api())
    else:
        await expect(chat.turns.last).not_to_have_attribute("data-status", "sending")
    first, second = [(await request.all_headers())["idempotency-key"] for request in chat.submits]
    assert (first == second) == is_same


async def test_a_question_that_takes_the_place_of_a_waiting_one_does_so_when_tried_again(
    chat: ChatPage,
) -> None:
    wish = {"kind": "location", "message": "어디에 계세요?", "expires_in_s": 60}
    await chat.is_told(("input_required", wish))
    await chat.ask()
    await expect(chat.turns.last.get_by_text("어디에 계세요?")).to_be_visible()
    await chat.page.route("**/api/v1/chat", lambda route: route.abort())
    await chat.ask()
    await expect(chat.turns).to_have_count(2)
    await chat.ends("error")
    await chat.again().click()

    async def is_tried_again() -> bool:
        return len(chat.submits) == 3

    await chat.until(is_tried_again)
    # The API takes the same key for the same body only.
    second, third = chat.submits[1:]
    assert second.post_data_json["on_busy"] == "interrupt"
    assert third.post_data_json == second.post_data_json
    assert third.headers["idempotency-key"] == second.headers["idempotency-key"]


async def test_every_problem_of_the_api_has_words_of_its_own(chat: ChatPage) -> None:
    texts: list[str] = []

    async def refuse(answer: dict[str, Any], route: Route) -> None:
        await route.fulfill(status=answer["status"], json=answer)

    for code, status in OF_THE_API.items():
        await chat.page.route("**/api/v1/chat", partial(refuse, {"code": code, "status": status}))
        await chat.ask()
        await expect(chat.turns).to_have_count(len(texts) + 1)
        await chat.ends("error")
        texts.append(await chat.problem.locator("p").text_content() or "")
        await chat.page.unroute("**/api/v1/chat")
    assert len(set(texts)) == len(OF_THE_API)
    assert FALLBACK not in texts


async def test_every_error_of_the_worker_has_words_of_its_own(chat: ChatPage) -> None:
    problems = [kind().problem("") for kind in AnswerError.__subclasses__()]
    texts: list[str] = []
    for problem in problems:
        await chat.is_told(("error", problem.model_dump()))
        await chat.ask()
        await expect(chat.turns).to_have_count(len(texts) + 1)
        await chat.ends("error")
        texts.append(await chat.problem.locator("p").text_content() or "")
    assert len(set(texts)) == len(problems) > 0
    assert FALLBACK not in texts


async def test_a_problem_without_words_is_told_in_general_ones(chat: ChatPage) -> None:
    await chat.is_told(("error", {"code": "from_the_future", "status": 599, "title": "x", "detail": "<b>"}))
    await chat.ask()
    await chat.ends("error")
    await expect(chat.problem.locator("p")).to_have_text(FALLBACK)
