"""What a session remembers in PostgreSQL, whichever worker has it, and in which language it answers."""

import re

import pytest

from tests.e2e.driver import Account, Load
from tests.e2e.stack import Stack, until
from tests.e2e.vendors import Vendors

HANGUL = re.compile("[가-힣]")


async def test_a_follow_up_is_understood_by_a_worker_that_has_not_seen_the_question_before_it(
    stack: Stack, vendors: Vendors, run: Load
) -> None:
    await stack.staff(1)
    bottle = await run.ask("다 쓴 페트병은 어떻게 버려?")
    await run.ended()
    await stack.staff(0)
    (other,) = await stack.staff(1)
    lid = await run.ask("그럼 뚜껑은?", session_id=bottle.session_id)
    await run.ended()
    again = await run.ask("그건 어떻게 버려?", session_id=bottle.session_id)
    stranger = await run.ask("그럼 뚜껑은?")
    lost = await run.ask("그건 어떻게 버려?")
    await run.ended()
    await run.settle_up(lambda _: None)
    assert run.account == Account(accepted=5, completed=5)
    assert other.is_running
    ends = {job.job_id: job.viewers[0].ended for job in run.jobs}
    assert any("뚜껑" in source["title"] for source in ends[lid.job_id]["sources"])
    assert ends[again.job_id]["sources"]
    assert not ends[lost.job_id]["sources"]
    # Both the bottle's question and its answer were in what the model was given.
    more = _tokens_in(ends[lid.job_id]) - _tokens_in(ends[stranger.job_id])
    assert more > len(ends[bottle.job_id]["answer"]) / 4
    turns = f"/api/v1/sessions/{bottle.session_id}/turns"

    async def are_listed() -> bool:
        listed = (await run.api.get(turns)).json()["turns"]
        asked = [bottle.question, lid.question, again.question]
        return [turn["question"] for turn in listed] == asked

    await until(are_listed, 10)


def _tokens_in(done: dict[str, dict[str, int]]) -> int:
    return done["usage"]["input_tokens"]


@pytest.mark.parametrize(
    ("question", "said", "is_korean"),
    [
        ("강남구 날씨 어때?", "비나 눈 없음|비|눈", True),
        ("How is the weather in Gangnam-gu?", "humidity", False),
        ("페트병 캐릭터 알려줘", "말그미", True),
        ("Tell me about the character for PET bottles", "Clearie", False),
        ("너는 누구야?", "분리배출을 돕는", True),
        ("Who are you?", "recycling assistant", False),
    ],
)
async def test_the_answer_is_in_the_language_of_the_question(
    stack: Stack, vendors: Vendors, run: Load, question: str, said: str, is_korean: bool
) -> None:
    await stack.staff(1)
    job = await run.ask(question)
    await run.ended()
    for viewer in job.viewers:
        assert re.search(said, viewer.text)
        assert bool(HANGUL.search(viewer.text)) is is_korean


async def test_what_is_amiss_is_said_in_the_language_of_the_question(
    stack: Stack, vendors: Vendors, run: Load
) -> None:
    await stack.staff(0)
    await stack.staff(1)
    await vendors.fail("kma")
    korean = await run.ask("마포구 날씨 어때?")
    english = await run.ask("How is the weather in Mapo-gu?")
    await run.ended()
    await run.settle_up(lambda _: None)
    assert run.account == Account(accepted=2, completed=2)
    assert "날씨 정보를 지금 불러올 수 없어요." in korean.viewers[0].text
    assert "the weather cannot be looked up right now." in english.viewers[0].text.lower()
    assert not HANGUL.search(english.viewers[0].text)
