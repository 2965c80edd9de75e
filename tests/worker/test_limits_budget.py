"""What the model calls of one job may take: beyond it none is begun, and an answer under way is cut."""

from dataclasses import replace

import pytest
from chat_worker.errors import AuthError
from chat_worker.ports.images import MadeImage

from tests.worker.fakes import answer_to
from tests.worker.fakes_vendors import FakeVision, tools
from tests.worker.world import World

CUT = "\n\n(답변이 길어져 여기서 줄였어요.)"
UNDERSTANDING = 110
"""Tokens in and out of the one call that understands a question."""
QUESTION = "길게"


async def test_an_answer_ends_where_the_budget_does_and_says_so() -> None:
    async with World(job_max_tokens=UNDERSTANDING + 20) as world:
        world.model.answers[QUESTION] = "가나다" * 100
        story = await world.answer(QUESTION)
    assert story.entries[-1].event == "done"
    assert story.text == "가나다" * 20 + CUT
    assert story.ended["answer"] == story.text
    assert story.ended["finish_reason"] == "length"
    assert world.model.finished == 0


@pytest.mark.parametrize("budget", [1, UNDERSTANDING])
async def test_no_call_is_begun_that_nothing_is_left_for(budget: int) -> None:
    async with World(job_max_tokens=budget) as world:
        story = await world.answer(QUESTION)
    assert story.entries[-1].event == "error"
    (problem,) = story.all("error")
    assert (problem["status"], problem["code"]) == (422, "budget_exceeded")
    assert story.text == ""
    assert (len(world.model.asked), world.model.prompts) == (1, [])
    # What it took is told all the same.
    (usage,) = story.all("usage")
    assert usage["input_tokens"] + usage["output_tokens"] == UNDERSTANDING


async def test_a_look_at_a_picture_counts() -> None:
    vendors = replace(tools(), vision=FakeVision())
    async with World(tools=vendors, job_max_tokens=1) as world:
        story = await world.answer(QUESTION, image_url="https://pictures.example/1.png")
    (problem,) = story.all("error")
    assert problem["code"] == "budget_exceeded"
    assert world.model.asked == []


async def test_no_picture_is_drawn_beyond_the_budget() -> None:
    class Untouched:
        async def make(self, wish: str) -> MadeImage:
            raise AuthError(wish)

    async with World(tools=replace(tools(), images=Untouched()), job_max_tokens=UNDERSTANDING) as world:
        world.model.intents[QUESTION] = [("image_generation", QUESTION)]
        story = await world.answer(QUESTION)
    (problem,) = story.all("error")
    assert problem["code"] == "budget_exceeded"
    assert ("image_generation", "failed") in story.stages("failed")


async def test_what_an_earlier_attempt_took_counts_for_the_next() -> None:
    async with World(job_max_tokens=UNDERSTANDING + 8) as first:
        first.model.hold_after = 1
        job_id = await first.ask(QUESTION)
        await first.model.held.wait()
        second = World(beside=first, job_max_tokens=UNDERSTANDING + 8)
        await first.leave(0)
        async with second:
            second.model.answers[QUESTION] = "가나다" * 100
            story = await second.story(job_id)
    assert story.text == "가나다" * 8 + CUT
    assert second.model.asked == []
    assert story.ended["answer"] == story.text


async def test_a_job_within_its_budget_is_answered_as_without_one() -> None:
    async with World(job_max_tokens=100_000) as world:
        story = await world.answer(QUESTION)
    assert story.text == answer_to(QUESTION)
    assert story.ended["finish_reason"] == "stop"
