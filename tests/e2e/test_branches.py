"""Several wishes in one question: side by side, and one answer whatever becomes of each."""

import asyncio
import signal

import pytest
from chat_worker.agents import AGENTS

from tests.e2e.driver import Account, Job, Load
from tests.e2e.stack import Stack
from tests.e2e.vendors import Vendors

SLACK_S = 2.0
"""What a busy machine may add to a deadline."""


@pytest.fixture
async def at_work(stack: Stack, vendors: Vendors, run: Load) -> Stack:
    """One worker, past the slowness of its first question."""
    await stack.staff(1)
    await run.ask("너는 누구야?", viewers=1)
    await run.ended()
    run.jobs.clear()
    return stack


@pytest.fixture
async def nobody(stack: Stack) -> None:
    """No worker is left that has learned something from a vendor."""
    await stack.staff(0)


@pytest.fixture
async def fresh(nobody: None, at_work: Stack) -> Stack:
    """One worker that has asked no vendor anything yet, and so has nothing to fall back on."""
    return at_work


async def answered(run: Load, question: str) -> Job:
    """The job, after its account has been found in order for both viewers."""
    job = await run.ask(question)
    await run.ended()
    await run.settle_up(lambda _: None)
    assert run.account == Account(accepted=1, completed=1)
    return job


def ended_stages(job: Job) -> dict[str, tuple[str, float]]:
    """How each node ended, and after how many seconds."""
    stages = [stage for stage in job.viewers[0].all("stage") if stage["status"] != "started"]
    assert len({stage["node"] for stage in stages}) == len(stages)
    return {stage["node"]: (stage["status"], stage["duration_ms"] / 1000) for stage in stages}


async def test_three_wishes_are_looked_up_side_by_side_and_answered_once(
    fresh: Stack, vendors: Vendors, run: Load
) -> None:
    for vendor in ("kma", "tavily", "prices"):
        await vendors.behave(vendor, latency_ms=1_200)
    job = await answered(run, "노원구 날씨 어때? 페트 시세 알려줘. 그리고 재활용 정책 최신 뉴스 검색해줘")
    done, stages = job.viewers[0].ended, ended_stages(job)
    agents = ["weather", "recyclable_price", "web_search"]
    assert done["intents"] == agents
    assert [stages[agent][0] for agent in agents] == ["completed"] * 3
    steps = [(stage["node"], stage["status"]) for stage in job.viewers[0].all("stage")]
    ends = [steps.index((agent, "completed")) for agent in agents]
    assert max(steps.index((agent, "started")) for agent in agents) < min(ends)
    assert steps.count(("answer", "started")) == 1
    assert steps.index(("answer", "started")) > max(ends)
    one_by_one_s = sum(stages[agent][1] for agent in agents)
    assert one_by_one_s > 3.6
    assert done["duration_ms"] / 1000 < one_by_one_s - 1
    for words in ("℃", "원/kg", "웹에서 찾은 내용"):
        assert words in done["answer"]


async def test_an_agent_whose_vendor_is_down_is_said_to_be_and_the_others_answer(
    fresh: Stack, vendors: Vendors, run: Load
) -> None:
    await vendors.fail("kma")
    job = await answered(run, "노원구 날씨 어때? 페트 시세 알려줘. 페트병 캐릭터 알려줘")
    done, stages = job.viewers[0].ended, ended_stages(job)
    assert done["intents"] == ["weather", "recyclable_price", "character"]
    assert (await vendors.asked())["kma"] > 0
    assert stages["weather"][0] == "failed"
    assert "날씨 정보를 지금 불러올 수 없어요." in done["answer"]
    assert "원/kg" in done["answer"]
    assert "말그미" in done["answer"]
    assert "기상청 단기예보" not in [source["document"] for source in done["sources"]]


async def test_the_answer_does_without_a_character_service_that_is_down_and_with_it_when_it_is_back(
    at_work: Stack, vendors: Vendors, run: Load
) -> None:
    question = "페트병 캐릭터 알려줘. 페트 시세 알려줘"
    await asyncio.to_thread(at_work.character.kill)
    try:
        without = await run.ask(question)
        await run.ended()
    finally:
        at_work.character.start()
    assert ended_stages(without)["character"][0] == "failed"
    for viewer in without.viewers:
        assert "캐릭터 정보를 지금 불러올 수 없어요." in viewer.ended["answer"]
        assert "원/kg" in viewer.ended["answer"]
    while True:
        again = await run.ask(question, viewers=1)
        await run.ended()
        if ended_stages(again)["character"][0] == "completed":
            break
    assert "말그미" in again.viewers[0].ended["answer"]
    await run.settle_up(lambda _: None)
    assert run.account == Account(accepted=len(run.jobs), completed=len(run.jobs))


async def test_a_service_that_hangs_holds_the_answer_no_longer_than_its_deadline(
    at_work: Stack, vendors: Vendors, run: Load
) -> None:
    at_work.character.signal(signal.SIGSTOP)
    try:
        job = await answered(run, "페트병 캐릭터 알려줘. 페트 시세 알려줘")
    finally:
        at_work.character.signal(signal.SIGCONT)
    status, took_s = ended_stages(job)["character"]
    assert status == "failed"
    assert 0.5 < took_s < AGENTS["character"].deadline_s + SLACK_S
    assert job.viewers[0].ended["duration_ms"] / 1000 < AGENTS["character"].deadline_s + 2 * SLACK_S
    assert "캐릭터" in job.viewers[0].ended["answer"]
    assert "원/kg" in job.viewers[0].ended["answer"]


async def test_an_agent_beyond_its_deadline_is_left_and_said_to_have_been_too_slow(
    at_work: Stack, vendors: Vendors, run: Load
) -> None:
    await vendors.behave("kakao", hang=True)
    job = await answered(run, "강남역 근처 제로웨이스트샵 어디 있어? 페트 시세 알려줘")
    deadline_s = AGENTS["location"].deadline_s
    status, took_s = ended_stages(job)["location"]
    assert status == "failed"
    assert deadline_s - 0.1 < took_s < deadline_s + SLACK_S
    assert job.viewers[0].ended["duration_ms"] / 1000 < deadline_s + 2 * SLACK_S
    assert "시간이 너무 오래 걸렸어요." in job.viewers[0].ended["answer"]
    assert "원/kg" in job.viewers[0].ended["answer"]


async def test_with_everything_down_the_answer_says_so_for_each_wish(
    fresh: Stack, vendors: Vendors, run: Load
) -> None:
    await vendors.fail("kakao", "kma", "boxes", "keco", "mois", "fees")
    await asyncio.to_thread(fresh.character.kill)
    try:
        job = await answered(run, "노원구 날씨 어때? 페트병 캐릭터 알려줘. 강남구 건전지 수거함 어디 있어?")
    finally:
        fresh.character.start()
    done, stages = job.viewers[0].ended, ended_stages(job)
    agents = ["weather", "character", "collection_point"]
    assert done["intents"] == agents
    assert [stages[agent][0] for agent in agents] == ["failed"] * 3
    longest_s = max(AGENTS[agent].deadline_s for agent in agents)
    assert done["duration_ms"] / 1000 < longest_s + SLACK_S
    assert done["sources"] == []
    for subject in ("날씨", "캐릭터", "수거함 위치"):
        assert f"{subject} 정보를 지금 불러올 수 없어요." in done["answer"]
