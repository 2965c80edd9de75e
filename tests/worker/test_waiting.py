"""A question that needs a place and has none: its job waits for the user, and no worker does."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import orjson
import pytest
from chat_worker.ports import Tools
from eco2_bus.job import ChatJob, Location, Resume
from eco2_bus.log import LogUnavailable, TakeOver
from eco2_bus.memory import _Message

from tests.worker.fakes import SpyLog, SpyQueue, answer_to, findings_in
from tests.worker.fakes_vendors import HOME, FakePlaces, FakeWeather, tools
from tests.worker.world import World, until

QUESTION = "오늘 날씨 어때?"
NAMED = "강남구 날씨 어때?"
OTHER = "페트병은?"
NOWHERE = "어느 지역의 날씨인지 알려 주세요."
MakeWorld = Callable[..., World]


def asks_for_the_weather(world: World) -> World:
    """Teaches a world's model what its questions ask for."""
    world.model.intents = {QUESTION: [("weather", QUESTION)], NAMED: [("weather", NAMED)]}
    world.model.entities = {NAMED: {"district": "강남구"}}
    return world


def with_weather() -> Tools:
    return tools(weather=FakeWeather(), places=FakePlaces())


@pytest.fixture
async def waiting() -> AsyncIterator[World]:
    """A worker whose users have all the time that they want."""
    async with asks_for_the_weather(World(tools=with_weather())) as world:
        yield world


@pytest.fixture
async def hasty() -> AsyncIterator[World]:
    """A worker whose users have 50 ms."""
    queue = SpyQueue(waiting_s=0.05)
    async with asks_for_the_weather(World(tools=with_weather(), queue=queue)) as world:
        yield world


def asked_at(world: World) -> list[Location]:
    """Where a world's weather was asked for."""
    weather = world.tools.weather
    assert isinstance(weather, FakeWeather)
    return weather.asked


async def test_a_question_without_its_place_ends_its_run_and_asks(waiting: World) -> None:
    job_id = await waiting.ask(QUESTION)
    wanted = await waiting.input_wanted(job_id)
    assert wanted.json() == {
        "kind": "location",
        "message": "어디에 계신지 알려 주시면 가까운 곳을 찾아볼게요.",
        "expires_in_s": 120,
    }
    assert [entry.event for entry in await waiting.shown(job_id)] == [
        *("queued", "started", "stage", "stage"),
        "input_required",
    ]
    assert (waiting.queue.on_loan, waiting.queue.waiting, waiting.consumer._running) == ([], 0, {})
    assert waiting.model.prompts == []


async def test_it_is_asked_in_the_language_of_the_question(waiting: World) -> None:
    understood = {"intent": "weather", "confidence": 0.9, "question": "How is the weather?"}
    waiting.model.replies = [orjson.dumps({"language": "en", "intents": [understood]}).decode()]
    wanted = await waiting.input_wanted(await waiting.ask("How is the weather?"))
    assert wanted.json()["message"] == "Tell me where you are and I will look nearby."


async def test_what_is_kept_of_a_waiting_job_is_its_message_without_a_resume(waiting: World) -> None:
    job_id = await waiting.ask(QUESTION)
    await waiting.input_wanted(job_id)
    body = await waiting.log.parked_job(job_id)
    assert body is not None
    job = ChatJob.from_body(body)
    assert (job.job_id, job.message, job.resume) == (job_id, QUESTION, None)


async def test_a_job_that_waits_takes_no_slot() -> None:
    async with asks_for_the_weather(World(tools=with_weather(), concurrency=1)) as world:
        job_id = await world.ask(QUESTION)
        await world.input_wanted(job_id)
        assert (await world.answer(OTHER, session="s2")).text == answer_to(OTHER)
        await world.give(job_id, HOME)
        assert (await world.story(job_id)).end == "done"


async def test_the_user_answers_and_the_job_goes_on_from_there(waiting: World) -> None:
    job_id = await waiting.ask(QUESTION)
    await waiting.input_wanted(job_id)
    await waiting.give(job_id, HOME)
    story = await waiting.story(job_id)
    assert (story.text, story.ended["intents"], story.ended["attempts"]) == (
        answer_to(QUESTION),
        ["weather"],
        2,
    )
    assert not story.all("reset")
    assert asked_at(waiting) == [HOME]
    assert len(waiting.model.asked) == 1
    assert story.ended["usage"]["input_tokens"] == 300
    assert findings_in(waiting.model.prompts[-1])[0]["passages"][0]["title"] == "지금 계신 곳"


async def test_another_worker_goes_on_where_the_first_one_stopped(waiting: World) -> None:
    job_id = await waiting.ask(QUESTION)
    await waiting.input_wanted(job_id)
    await waiting.leave(1)
    async with World(beside=waiting, tools=with_weather()) as other:
        await other.give(job_id, HOME)
        story = await other.story(job_id)
    assert (story.text, story.ended["intents"]) == (answer_to(QUESTION), ["weather"])
    assert asked_at(other) == [HOME]
    assert (len(waiting.model.asked), len(other.model.asked)) == (1, 0)


async def test_the_place_of_one_question_is_not_that_of_the_next(waiting: World) -> None:
    job_id = await waiting.ask(QUESTION)
    await waiting.input_wanted(job_id)
    await waiting.give(job_id, HOME)
    await waiting.story(job_id)
    await waiting.input_wanted(await waiting.ask(QUESTION))
    assert asked_at(waiting) == [HOME]


async def test_nobody_answers_in_time_and_the_answer_does_without(hasty: World) -> None:
    story = await hasty.answer(QUESTION)
    await hasty.settled()
    assert (story.text, story.ended["intents"]) == (answer_to(QUESTION), ["weather"])
    (finding,) = findings_in(hasty.model.prompts[-1])
    assert (finding["status"], finding["note"]) == ("not_found", NOWHERE)
    assert len(hasty.model.asked) == 1
    assert story.names.count("input_required") == 1
    assert story.all("started") == [{"attempt": 1}, {"attempt": 2}]


@pytest.mark.parametrize("is_answer_first", [True, False])
async def test_an_answer_and_the_time_out_in_the_same_instant_give_one_answer(
    waiting: World, is_answer_first: bool
) -> None:
    for turn in range(10):
        job_id = await waiting.ask(QUESTION, session=f"s{turn}")
        await waiting.input_wanted(job_id)
        for location in (HOME, None) if is_answer_first else (None, HOME):
            await waiting.give(job_id, location)
        story = await waiting.story(job_id)
        await waiting.settled()
        assert (story.text, story.ended["attempts"]) == (answer_to(QUESTION), 2)
        assert len(asked_at(waiting)) == (turn + 1 if is_answer_first else 0)
    assert len(waiting.model.prompts) == 10


async def test_two_workers_that_go_on_at_once_give_one_answer(waiting: World) -> None:
    async with asks_for_the_weather(World(beside=waiting, tools=with_weather())) as other:
        for turn in range(10):
            job_id = await waiting.ask(QUESTION, session=f"s{turn}")
            await waiting.input_wanted(job_id)
            await asyncio.gather(waiting.give(job_id, HOME), waiting.give(job_id, HOME))
            assert (await waiting.story(job_id)).ended["attempts"] == 2
            await waiting.settled()
    assert len(waiting.model.prompts) + len(other.model.prompts) == 10
    assert len(asked_at(waiting)) + len(asked_at(other)) == 10


@pytest.mark.parametrize("trouble", ["redelivered", "handed back", "the log is away"])
async def test_a_time_out_in_trouble_does_not_take_the_job_from_the_answer(
    waiting: World, trouble: str, quick_retries: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_over = waiting.log.take_over

    async def away_once(*_: Any, **__: Any) -> TakeOver:
        monkeypatch.setattr(waiting.log, "take_over", take_over)
        raise LogUnavailable("away")

    waiting.model.hold_after = 2
    job_id = await waiting.ask(QUESTION)
    after = (await waiting.input_wanted(job_id)).id
    await waiting.give(job_id, HOME)
    await waiting.model.held.wait()
    await waiting.stop_consuming()
    body = await waiting.log.parked_job(job_id)
    assert body is not None
    late = ChatJob.from_body(body).model_copy(update={"resume": Resume(after=str(after))})
    message = _Message(job_id, late.to_body(), {})
    async with asks_for_the_weather(World(beside=waiting, tools=with_weather())) as other:
        if trouble == "redelivered":
            message.deliveries = 1
        elif trouble == "handed back":
            message.handed_back = True
        else:
            monkeypatch.setattr(waiting.log, "take_over", away_once)
        waiting.queue.put(message)
        await until(lambda: not waiting.queue.waiting and len(waiting.queue.on_loan) == 1)
        waiting.model.go_on.set()
        story = await other.story(job_id)
        await other.settled()
    assert (story.text, story.ended["attempts"]) == (answer_to(QUESTION), 2)
    assert (asked_at(waiting), asked_at(other), other.model.prompts) == ([HOME], [], [])


async def test_a_job_that_waits_is_cancelled_at_once_and_its_turn_kept(hasty: World) -> None:
    job_id = await hasty.ask(QUESTION)
    await hasty.input_wanted(job_id)
    await hasty.cancel(job_id)
    story = await hasty.story(job_id)
    assert (story.end, story.text) == ("cancelled", "")
    await until(lambda: not hasty.queue._parked)
    await hasty.settled()
    assert hasty.model.prompts == []
    turn = await hasty.turns.answer_of(job_id)
    assert turn is not None
    assert (turn.status, turn.question) == ("cancelled", QUESTION)


async def test_a_cancel_that_comes_just_before_the_wait_is_not_put_off_by_it() -> None:
    class LateLog(SpyLog):
        async def park_job(self, job_id: str, body: bytes) -> None:
            # The run is over, and nobody listens for its cancel any more.
            await self.request_cancel(job_id)
            await super().park_job(job_id, body)

    async with asks_for_the_weather(World(tools=with_weather(), log=LateLog())) as world:
        story = await world.answer(QUESTION)
    assert (story.end, story.names.count("input_required")) == ("cancelled", 1)
    assert world.model.prompts == []


async def test_a_worker_that_leaves_while_a_job_is_parked_loses_nothing() -> None:
    class SlowLog(SpyLog):
        parking = asyncio.Event()
        may_park = asyncio.Event()

        async def park_job(self, job_id: str, body: bytes) -> None:
            self.parking.set()
            await self.may_park.wait()
            await super().park_job(job_id, body)

    log = SlowLog()
    async with asks_for_the_weather(World(tools=with_weather(), log=log)) as world:
        job_id = await world.ask(QUESTION)
        await log.parking.wait()
        leaving = asyncio.create_task(world.leave(0))
        await asyncio.sleep(0)
        log.may_park.set()
        await leaving
        async with World(beside=world, tools=with_weather()) as other:
            await other.input_wanted(job_id)
            await other.give(job_id, HOME)
            assert (await other.story(job_id)).text == answer_to(QUESTION)
    assert other.model.asked == []


async def test_a_worker_that_dies_before_it_lets_go_of_a_waiting_job_leaves_one_wait(waiting: World) -> None:
    class NoPark(SpyQueue):
        async def park(self, job: ChatJob, headers: dict[str, str]) -> None:
            await asyncio.Event().wait()

    queue = NoPark()
    dying = asks_for_the_weather(World(tools=with_weather(), queue=queue))
    async with dying:
        job_id = await dying.ask(QUESTION)
        await until(lambda: "input_required" in dying.log.steps)
        (delivery,) = queue.on_loan
        waiting.log.__dict__.update(dying.log.__dict__)
        waiting.store.storage, waiting.store.writes = dying.store.storage, dying.store.writes
        waiting.store.blobs = dying.store.blobs
        # As the broker does when the connection of its holder is gone.
        delivery._message.deliveries = 1
        waiting.queue.put(delivery._message)
        await until(lambda: waiting.queue._parked)
        await waiting.input_wanted(job_id)
        await waiting.give(job_id, HOME)
        story = await waiting.story(job_id)
        dying.consumer._tasks.copy().pop().cancel()
    assert (story.text, story.names.count("reset")) == (answer_to(QUESTION), 1)
    assert waiting.model.asked == []
    assert asked_at(waiting) == [HOME]


async def test_a_new_question_of_the_session_does_away_with_the_wait(waiting: World) -> None:
    await waiting.input_wanted(await waiting.ask(QUESTION))
    story = await waiting.answer(OTHER)
    assert (story.text, story.ended["intents"]) == (answer_to(OTHER), ["waste"])
    saved = waiting.store.get({"configurable": {"thread_id": "s1"}})
    assert saved is not None
    assert [turn["question"] for turn in saved["channel_values"]["history"]] == [OTHER]


@pytest.mark.parametrize("location", [HOME, None])
async def test_a_job_whose_session_forgot_the_wait_begins_again_and_asks_nobody_twice(
    waiting: World, location: Location | None
) -> None:
    job_id = await waiting.ask(QUESTION)
    await waiting.input_wanted(job_id)
    await waiting.answer(OTHER)
    await waiting.give(job_id, location)
    story = await waiting.story(job_id)
    assert (story.text, story.names.count("input_required")) == (answer_to(QUESTION), 1)
    assert asked_at(waiting) == ([HOME] if location else [])


@pytest.mark.parametrize(
    ("question", "more"), [(NAMED, {}), (QUESTION, {"location": HOME}), (NAMED, {"location": HOME})]
)
async def test_a_question_with_its_place_asks_nothing(
    waiting: World, question: str, more: dict[str, Any]
) -> None:
    story = await waiting.answer(question, **more)
    assert "input_required" not in story.names
    assert len(asked_at(waiting)) == 1


async def test_an_attempt_that_fails_after_the_wait_still_knows_the_place(
    waiting: World, quick_retries: None
) -> None:
    waiting.model.faults = [RuntimeError("a bug")]
    job_id = await waiting.ask(QUESTION)
    await waiting.input_wanted(job_id)
    await waiting.give(job_id, HOME)
    story = await waiting.story(job_id)
    assert (story.text, story.names.count("input_required")) == (answer_to(QUESTION), 1)
    assert asked_at(waiting) == [HOME]
    assert len(waiting.model.asked) == 1
