"""The page beside services of another version, and a question that waits in line."""

from typing import Any

import pytest
from playwright.async_api import Route, expect

from tests.browser.chat_page import QUEUED, ChatPage, done, token

pytestmark = pytest.mark.asyncio(loop_scope="module")

NEWER: list[tuple[str, Any]] = [
    ("confetti", {"colour": "green"}),
    ("stage", {"node": "dream", "status": "started", "depth": 3}),
    ("token", {"text": "페트병은 ", "node": "answer", "logprob": -0.1}),
    ("confetti", [1, 2]),
    ("sources", [{"title": "안내", "url": None, "document": "안내", "section": "1", "trust": 0.9}]),
]


async def test_events_and_fields_of_a_later_version_change_nothing_in_an_answer(chat: ChatPage) -> None:
    await chat.is_told(*NEWER, token("비워요."), done("페트병은 비워요.", mood="good", duration_ms=1))
    await chat.ask()
    await chat.ends()
    await chat.shows_exactly("페트병은 비워요.")


@pytest.mark.parametrize(
    ("position", "shown"), [(12, "앞에 약 12명"), (0, None), (None, None)], ids=["some", "none", "not known"]
)
async def test_a_question_in_line_tells_how_many_are_ahead(
    chat: ChatPage, position: int | None, shown: str | None
) -> None:
    queued = {**QUEUED, "position": position}

    async def queue(route: Route) -> None:
        await route.fulfill(status=202, json=queued)

    async def nothing_yet(route: Route) -> None:
        await route.fulfill(content_type="text/event-stream", body="retry: 60000\n\n")

    await chat.page.route("**/api/v1/chat", queue)
    await chat.page.route("**/events*", nothing_yet)
    await chat.ask()
    line = chat.turns.last.locator(".stage").filter(has_text="차례를 기다리는 중")
    await expect(line).to_be_visible()
    await expect(line.locator(".took")).to_have_text([shown] if shown else [])
