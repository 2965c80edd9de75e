"""What stays of a job that has ended: its turn in the history, whoever had it last."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest
from chat_worker import archive
from chat_worker.archive import TRIES, Archive, turn_of
from chat_worker.errors import ModelRejected, ModelUnavailable
from eco2_bus.job import ChatJob
from eco2_history import HistoryUnavailable, Turn, TurnRefused, TurnStore

from tests.worker.fakes import MODEL, SpyLog, answer_to
from tests.worker.world import World

QUESTION = "페트병은?"


@dataclass
class FakeTurns:
    """A history that can be away."""

    faults: list[Exception] = field(default_factory=list[Exception])
    tries: int = 0
    kept: list[Turn] = field(default_factory=list[Turn])

    async def save(self, turn: Turn) -> None:
        self.tries += 1
        if self.faults:
            raise self.faults.pop(0)
        self.kept.append(turn)

    async def close(self) -> None:
        return None


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "PAUSE_S", 0.001)


async def turn(world: World, job_id: str) -> Turn:
    """The turn of a job."""
    await world.settled()
    kept = await world.turns.answer_of(job_id)
    assert kept is not None
    return kept


async def test_an_answer_is_a_turn_with_all_that_it_rests_on(world: World) -> None:
    job = await world.create(QUESTION, image_url="https://pictures.example/1.png")
    await world.queue.publish(job, {})
    story = await world.story(job.job_id)
    kept = await turn(world, job.job_id)
    assert (kept.status, kept.question, kept.answer) == ("done", QUESTION, answer_to(QUESTION))
    assert (kept.session_id, kept.owner, kept.image_url) == ("s1", "someone", job.image_url)
    assert (kept.intents, kept.attempts, kept.sample_data) == (("waste",), 1, True)
    assert [*kept.sources] == story.ended["sources"]
    assert dict(kept.usage) == story.ended["usage"]
    assert kept.usage["model"] == MODEL
    assert kept.created_at_ms == job.created_at_ms <= kept.ended_at_ms
    assert kept.error is None


async def test_a_cancelled_answer_is_a_turn_with_what_was_said(world: World) -> None:
    world.model.hold_after = 2
    job_id = await world.ask(QUESTION)
    await world.model.held.wait()
    await world.cancel(job_id)
    await world.story(job_id)
    kept = await turn(world, job_id)
    assert (kept.status, kept.answer) == ("cancelled", answer_to(QUESTION)[:6])
    assert kept.usage["estimated"] is True


async def test_a_job_cancelled_before_its_pick_up_is_a_turn_too(world: World) -> None:
    await world.stop_consuming()
    job_id = await world.ask(QUESTION)
    await world.cancel(job_id)
    async with World(beside=world) as other:
        kept = await turn(other, job_id)
    assert (kept.status, kept.answer, kept.attempts) == ("cancelled", "", 0)


async def test_an_error_is_a_turn_with_its_problem(world: World) -> None:
    world.model.faults = [ModelRejected("401 for key=secret")]
    job_id = await world.ask(QUESTION)
    story = await world.story(job_id)
    kept = await turn(world, job_id)
    assert (kept.status, kept.answer, kept.question) == ("error", "", QUESTION)
    assert kept.error == story.ended
    assert "secret" not in orjson.dumps(kept.error).decode()


async def test_a_poisoned_job_is_a_turn_with_its_problem(world: World, quick_retries: None) -> None:
    world.model.faults = [ModelUnavailable("cut")] * 3
    job_id = await world.ask(QUESTION)
    await world.story(job_id)
    kept = await turn(world, job_id)
    assert kept.error is not None
    assert (kept.status, kept.error["code"]) == ("error", "attempts_exhausted")


@pytest.mark.parametrize(
    ("event", "data", "status"),
    [
        ("done", {"answer": "그 답", "intents": ["waste"], "attempts": 2}, "done"),
        ("cancelled", {"answer": "그 ", "attempts": 1}, "cancelled"),
        ("error", {"code": "model_rejected", "status": 502, "trace_id": "t"}, "error"),
    ],
)
async def test_a_job_whose_last_holder_died_after_its_end_is_a_turn_too(
    world: World, event: str, data: dict[str, Any], status: str
) -> None:
    job = await world.create(QUESTION)
    await world.log.end(job.job_id, event, orjson.dumps(data))
    await world.queue.publish(job, {})
    kept = await turn(world, job.job_id)
    assert (kept.status, kept.answer) == (status, data.get("answer", ""))
    assert world.model.asked == []


async def test_a_worker_that_dies_between_the_end_and_its_turn_leaves_that_to_the_next() -> None:
    class Dead(FakeTurns):
        async def save(self, turn: Turn) -> None:
            await asyncio.Event().wait()

    log = SpyLog()
    async with World(log=log, turns=Dead()) as dying:
        job_id = await dying.ask(QUESTION)
        assert (await dying.story(job_id)).end == "done"
        await dying.stop_consuming()
        turns = TurnStore("memory:")
        dying.queue.take_back_all()
        async with World(beside=dying, turns=turns) as other:
            kept = await turn(other, job_id)
        await turns.close()
        for task in dying.consumer._tasks:
            task.cancel()
    assert (kept.status, kept.answer) == ("done", answer_to(QUESTION))
    assert other.model.asked == []


@pytest.mark.parametrize("failures", [1, TRIES - 1])
async def test_a_history_that_is_away_for_a_moment_is_tried_again(failures: int) -> None:
    turns = FakeTurns([HistoryUnavailable("away") for _ in range(failures)])
    async with World(turns=turns) as world:
        story = await world.answer(QUESTION)
        await world.settled()
    assert (story.end, turns.tries) == ("done", failures + 1)
    assert [kept.answer for kept in turns.kept] == [answer_to(QUESTION)]


@pytest.mark.parametrize("error", [HistoryUnavailable("away"), TurnRefused("too long")])
async def test_a_history_that_takes_nothing_never_fails_the_job(error: Exception) -> None:
    turns = FakeTurns([error] * 50)
    async with World(turns=turns) as world:
        job_id = await world.ask(QUESTION)
        story = await world.story(job_id)
        await world.settled()
        kept = await world.log.kept_answer(job_id)
    assert (story.end, story.ended["attempts"]) == ("done", 1)
    assert turns.tries == (1 if isinstance(error, TurnRefused) else TRIES)
    assert not world.queue.dead
    assert kept is not None


async def test_a_log_that_cannot_keep_the_answer_does_not_cost_the_turn() -> None:
    log, turns, job = SpyLog(), FakeTurns(), _job()
    log.away_for = 1
    await Archive(log, turns).keep(job, "done", b'{"answer":"x"}')  # type: ignore[arg-type]
    assert [kept.answer for kept in turns.kept] == ["x"]
    assert await log.kept_answer(job.job_id) is None


@pytest.mark.parametrize("event", ["done", "cancelled", "error"])
async def test_an_end_that_another_version_wrote_fails_nobody(event: str) -> None:
    log, turns = SpyLog(), FakeTurns()
    for data in (b'{"answer":"x","mood":"good"}', b"[]", b"junk", b"null", b'"text"'):
        await Archive(log, turns).keep(_job(), event, data)  # type: ignore[arg-type]
    assert [kept.status for kept in turns.kept] == [event]


async def test_an_end_without_an_answer_is_no_turn_and_settles_its_job(world: World) -> None:
    job = await world.create(QUESTION)
    await world.log.end(job.job_id, "done", b'{"text":"x"}')
    await world.queue.publish(job, {})
    await world.settled()
    assert await world.turns.answer_of(job.job_id) is None
    assert await world.log.kept_answer(job.job_id) is not None


def test_a_turn_is_told_apart_by_its_event() -> None:
    done = turn_of(_job(), "done", b'{"answer":"x"}')
    cancelled = turn_of(_job(), "cancelled", b'{"answer":"x"}')
    assert (done.status, cancelled.status) == ("done", "cancelled")


def _job() -> ChatJob:
    return ChatJob(
        job_id="0" * 32, session_id="s1", owner="someone", message=QUESTION, created_at_ms=1_700_000_000_000
    )
