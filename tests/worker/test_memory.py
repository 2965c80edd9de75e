"""What a session remembers from one question to the next."""

import asyncio

import orjson
from chat_worker.domain import Message
from chat_worker.errors import ModelUnavailable
from chat_worker.graph.memory import KEPT_TURNS, MODEL_CHARS, Remembered, remember, trim
from eco2_bus.log import Append, LogTop
from hypothesis import given
from hypothesis import strategies as st

from tests.worker.fakes import LateLog, SpyLog, answer_to, findings_in
from tests.worker.world import World, until

turns = st.lists(
    st.builds(
        lambda job, asked, said: Remembered(job_id=job, question="가" * asked, answer="나" * said),
        st.uuids().map(str),
        st.integers(min_value=0, max_value=5_000),
        st.integers(min_value=0, max_value=5_000),
    ),
    max_size=30,
)


def earlier(prompt: list[Message]) -> list[str]:
    """What a prompt tells of the turns before."""
    return [message["content"] for message in prompt[1:-1]]


async def test_the_second_question_of_a_session_sees_the_first(world: World) -> None:
    await world.answer("페트병은?")
    await world.answer("그럼 뚜껑은?")
    turns = ["페트병은?", answer_to("페트병은?")]
    assert earlier(world.model.asked[-1]) == turns
    assert earlier(world.model.prompts[-1]) == turns


async def test_a_job_that_is_run_again_after_it_was_remembered_is_no_history_of_its_own() -> None:
    class LosesTheFirstEnd(SpyLog):
        losses = 1

        def append(self, write: Append) -> "asyncio.Future[int | LogTop]":
            if not (write.is_last and self.losses):
                return super().append(write)
            self.losses -= 1
            answer: asyncio.Future[int | LogTop] = asyncio.get_running_loop().create_future()
            answer.set_exception(RuntimeError("NOPERM"))
            return answer

    async with World(log=LosesTheFirstEnd()) as world:
        world.log.losses = 0  # type: ignore[attr-defined]
        await world.answer("페트병은?")
        world.log.losses = 1  # type: ignore[attr-defined]
        story = await world.answer("그럼 뚜껑은?")
        await world.answer("라벨은?")
    assert story.ended["attempts"] == 2
    first, second = (["페트병은?", answer_to("페트병은?")], ["그럼 뚜껑은?", answer_to("그럼 뚜껑은?")])
    for heard in (world.model.asked, world.model.prompts):
        assert [earlier(prompt) for prompt in heard[1:3]] == [first, first]
        assert earlier(heard[-1]) == [*first, *second]


async def test_another_session_sees_nothing_of_it(world: World) -> None:
    await world.answer("페트병은?", session="mine")
    await world.answer("그럼 뚜껑은?", session="yours")
    assert earlier(world.model.asked[-1]) == earlier(world.model.prompts[-1]) == []


async def test_another_worker_remembers_the_session_too(world: World) -> None:
    await world.answer("페트병은?")
    await world.leave(1)
    async with World(beside=world) as other:
        await other.answer("그럼 뚜껑은?")
    assert earlier(other.model.prompts[-1]) == ["페트병은?", answer_to("페트병은?")]


async def test_findings_of_one_turn_are_no_findings_of_the_next(world: World) -> None:
    first = await world.answer("페트병은?")
    second = await world.answer("고마워요")
    assert first.all("sources")
    assert not second.all("sources")
    assert second.ended["sources"] == []
    assert findings_in(world.model.prompts[-1]) == []
    assert second.ended["usage"]["input_tokens"] == 200


async def test_a_failed_attempt_leaves_nothing_in_memory(world: World, quick_retries: None) -> None:
    world.model.faults = [ModelUnavailable("cut")]
    story = await world.answer("페트병은?")
    await world.answer("그럼 뚜껑은?")
    assert len(story.ended["sources"]) == 2
    assert earlier(world.model.prompts[-1]) == ["페트병은?", answer_to("페트병은?")]


async def test_a_cancelled_question_is_not_remembered(world: World) -> None:
    world.model.hold_after = 2
    job_id = await world.ask("페트병은?")
    await world.model.held.wait()
    await world.cancel(job_id)
    await world.story(job_id)
    world.model.hold_after = None
    story = await world.answer("캔은?")
    assert earlier(world.model.prompts[-1]) == []
    assert (story.text, len(story.ended["sources"])) == (answer_to("캔은?"), 2)


async def test_a_worker_that_lost_its_job_does_not_change_what_the_session_remembers(world: World) -> None:
    late = LateLog(world.log)
    async with World(beside=world, log=late) as zombie:
        await world.stop_consuming()
        zombie.model.hold_after = 999
        job_id = await zombie.ask("페트병은?")
        await zombie.model.held.wait()
        await zombie.stop_consuming()
        async with World(beside=world) as other:
            late.on_time.clear()
            zombie.queue.take_back_all()
            await other.story(job_id)
            await other.answer("그럼 뚜껑은?")
            # The model has gone on meanwhile, and its end is read before the log's refusal.
            zombie.model.go_on.set()
            await until(lambda: zombie.model.finished)
            await asyncio.sleep(0.05)
            late.on_time.set()
            await zombie.leave(1)
            await other.answer("마지막은?")
    assert earlier(other.model.prompts[-1])[0::2] == ["페트병은?", "그럼 뚜껑은?"]


async def test_a_long_conversation_is_cut_to_what_the_model_can_take(world: World) -> None:
    for turn in range(8):
        world.model.answers[f"{turn}번째?"] = f"{turn}" * 2_500
        await world.answer(f"{turn}번째?")
    told = earlier(world.model.prompts[-1])
    assert sum(map(len, told)) <= MODEL_CHARS
    assert told[0::2] == [f"{turn}번째?" for turn in range(3, 7)]


@given(turns)
def test_what_the_model_gets_is_the_newest_turns_whole(history: list[Remembered]) -> None:
    told = trim(history)
    newest = history[len(history) - len(told) // 2 :]
    assert [message["content"] for message in told] == [
        text for turn in newest for text in (turn["question"], turn["answer"])
    ]
    assert [message["role"] for message in told] == ["user", "assistant"] * len(newest)
    assert sum(len(message["content"]) for message in told) <= MODEL_CHARS


@given(turns, turns)
def test_a_session_keeps_a_bounded_number_of_turns(left: list[Remembered], right: list[Remembered]) -> None:
    assert remember(left, right) == (left + right)[-KEPT_TURNS:]


def test_a_job_that_is_run_again_is_remembered_once() -> None:
    first = Remembered(job_id="a", question="페트병은?", answer="그 전")
    again = Remembered(job_id="a", question="페트병은?", answer="그 뒤")
    other = Remembered(job_id="b", question="캔은?", answer="답")
    assert remember(remember([other], [first]), [again]) == [other, again]


async def test_a_checkpoint_is_plain_data(world: World) -> None:
    await world.answer("페트병은?")
    saved = world.store.get({"configurable": {"thread_id": "s1"}})
    assert saved is not None
    values = {name: value for name, value in saved["channel_values"].items() if "branch" not in name}
    assert orjson.loads(orjson.dumps(values))["history"][0]["question"] == "페트병은?"
