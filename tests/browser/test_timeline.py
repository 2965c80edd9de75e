"""The course of the graph, as bars on one axis and as a list."""

from typing import Any

import pytest
from playwright.async_api import Locator, expect

from tests.browser.chat_page import ChatPage, done, token
from tests.browser.servers import Sandbox

pytestmark = pytest.mark.asyncio(loop_scope="module")


def stage(node: str, status: str, duration_ms: float | None = None, detail: str | None = None) -> Any:
    return "stage", {"node": node, "status": status, "duration_ms": duration_ms, "detail": detail}


COURSE = [
    stage("intent", "started"),
    stage("intent", "completed", 200),
    stage("waste_rag", "started"),
    stage("weather", "started"),
    stage("web_search", "started"),
    stage("waste_rag", "completed", 100),
    stage("weather", "failed", 600, "no result within 6 s"),
    stage("web_search", "failed", 300, "AuthError"),
    stage("answer", "started"),
    stage("answer", "completed", 1200),
]


async def shown(chat: ChatPage) -> Locator:
    await chat.turns.last.locator("summary").click()
    runs = chat.turns.last.locator(".run")
    await expect(runs.first).to_be_visible()
    return runs


async def edges(runs: Locator, name: str) -> tuple[float, float]:
    """Where a bar begins and ends, as shares of the axis."""
    run = runs.filter(has_text=name)
    track, bar = await run.locator(".track").bounding_box(), await run.locator(".bar").bounding_box()
    assert track is not None
    assert bar is not None
    left = (bar["x"] - track["x"]) / track["width"]
    return left, left + bar["width"] / track["width"]


@pytest.mark.parametrize("width", [390, 1280])
async def test_branches_lie_beside_each_other_on_one_axis(chat: ChatPage, width: int) -> None:
    await chat.page.set_viewport_size({"width": width, "height": 844})
    await chat.is_told(*COURSE, token("끝"), done("끝"))
    await chat.ask()
    await chat.ends()
    await expect(chat.turns.locator("summary")).to_have_text("진행 과정2.0초")
    runs = await shown(chat)
    await expect(runs).to_have_count(5)
    tracks = [await track.bounding_box() for track in await runs.locator(".track").all()]
    assert len({(track["x"], track["width"]) for track in tracks if track}) == 1
    assert await edges(runs, "의도 파악") == pytest.approx((0, 0.1), abs=0.02)
    assert await edges(runs, "분리배출 안내 검색") == pytest.approx((0.1, 0.15), abs=0.02)
    assert await edges(runs, "날씨 조회") == pytest.approx((0.1, 0.4), abs=0.02)
    assert await edges(runs, "웹 검색") == pytest.approx((0.1, 0.25), abs=0.02)
    assert await edges(runs, "답변 작성") == pytest.approx((0.4, 1), abs=0.02)


async def test_what_failed_is_said_in_words(chat: ChatPage) -> None:
    await chat.is_told(*COURSE, token("끝"), done("끝"))
    await chat.ask()
    await chat.ends()
    runs = await shown(chat)
    await expect(runs.filter(has_text="날씨 조회")).to_contain_text("실패: 시간 안에 끝나지 않음")
    await expect(runs.filter(has_text="웹 검색")).to_contain_text("실패: 불러오지 못함")


async def test_the_timeline_is_a_list_that_the_keyboard_opens(chat: ChatPage) -> None:
    await chat.is_told(*COURSE, token("끝"), done("끝"))
    await chat.ask()
    await chat.ends()
    await expect(chat.turns.locator(".runs")).to_be_hidden()
    await chat.turns.locator("summary").focus()
    await chat.page.keyboard.press("Enter")
    items = chat.turns.locator(".timeline").get_by_role("listitem")
    await expect(items).to_have_count(5)
    # Bars say nothing to those who cannot see them.
    await expect(items.nth(2)).to_contain_text("시작 200ms, 걸린 시간 600ms")
    await expect(items.nth(0).locator(".unseen").first).to_have_text("완료")
    assert await chat.turns.locator(".track[aria-hidden=true]").count() == 5


async def test_a_replay_draws_the_course_that_the_stream_drew(chat: ChatPage, sandbox: Sandbox) -> None:
    sandbox.behave(token_ms=40)
    await chat.ask()
    await chat.hears(20)

    async def ended() -> list[dict[str, Any]]:
        return [run for run in (await chat.stored())["runs"] if run["endMs"] is not None]

    before = await chat.until(ended)
    await chat.page.reload()
    await chat.ends()
    after = await ended()
    assert after[: len(before)] == before
    assert {run["node"] for run in before} == {"intent", "waste_rag"}
    assert after[-1]["node"] == "answer"
    assert after[-1]["startMs"] == max(run["endMs"] for run in before)


async def test_what_still_runs_reaches_to_the_open_end(chat: ChatPage) -> None:
    await chat.is_told(*COURSE[:-1])
    await chat.ask()
    runs = await shown(chat)
    await expect(runs.filter(has_text="답변 작성")).to_contain_text("진행 중")

    async def reaches_the_end() -> bool:
        # The same events are told again and again, so the bar comes and goes.
        found = (
            await runs.filter(has_text="답변 작성")
            .locator(".bar")
            .evaluate_all("(all) => all.map((e) => parseFloat(e.style.left) + parseFloat(e.style.width))")
        )
        return found == [pytest.approx(100)]

    await chat.until(reaches_the_end)


async def test_a_branch_that_was_stopped_is_no_failure(chat: ChatPage) -> None:
    stopped = stage("weather", "failed", 50, "stopped")
    cancelled = ("cancelled", {"answer": "", "duration_ms": 100})
    await chat.is_told(*COURSE[:2], stage("weather", "started"), stopped, cancelled)
    await chat.ask()
    await chat.ends("cancelled")
    runs = await shown(chat)
    await expect(runs.filter(has_text="날씨 조회")).to_contain_text("멈춤")
    await expect(chat.turns.locator(".failed")).to_have_count(0)
