"""What becomes of a delivery: acknowledged, retried, dropped, dead-lettered."""

import asyncio
import uuid
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
from chat_worker import consumer
from chat_worker.errors import AnswerRefused, ModelRejected, ModelUnavailable
from eco2_bus.log import Append, Claim, LogTop, LogUnavailable, TakeOver

from tests.worker.fakes import SpyLog, answer_to
from tests.worker.world import World, until

QUESTION = "페트병은?"


async def test_a_delivery_is_settled_only_after_the_end_is_in_the_log(world: World) -> None:
    world.log.hold_end = True
    job_id = await world.ask(QUESTION)
    await world.log.end_written.wait()
    await asyncio.sleep(0.02)
    assert "settled" not in world.queue.steps
    assert await world.log.kept_answer(job_id) is None
    world.log.end_may_land.set()
    await world.settled()
    assert world.queue.steps[-4:] == ["usage", "done", "kept", "settled"]


async def test_a_failed_attempt_is_safe_before_the_next_may_begin(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def confirm_copied(_job_id: str) -> None:
        world.log.steps.append("copied")

    # Or a failover could lose it, and the next attempt would tell its viewers other things under its ids.
    monkeypatch.setattr(world.log, "confirm_copied", confirm_copied)
    world.model.faults = [ModelUnavailable("cut")]
    await world.story(await world.ask(QUESTION))
    assert world.log.steps[world.log.steps.index("settled") - 1] == "copied"


async def test_the_answer_is_kept_beyond_its_log(world: World) -> None:
    job_id = await world.ask(QUESTION)
    story = await world.story(job_id)
    await world.settled()
    kept = await world.log.kept_answer(job_id)
    assert kept is not None
    assert (kept.owner, kept.session_id, kept.event) == ("someone", "s1", "done")
    assert orjson.loads(kept.data) == story.ended


async def test_an_answer_that_cannot_be_kept_is_still_an_answer(world: World) -> None:
    world.log.hold_end = True
    job_id = await world.ask(QUESTION)
    await world.log.end_written.wait()
    world.log.away_for = 1
    world.log.end_may_land.set()
    await world.settled()
    assert (await world.story(job_id)).end == "done"
    assert await world.log.kept_answer(job_id) is None


async def test_a_failed_attempt_is_followed_by_a_reset_and_a_whole_answer(world: World) -> None:
    world.model.faults = [ModelUnavailable("cut")]
    world.model.hold_after = 2
    job_id = await world.ask(QUESTION)
    await until(lambda: "token" in world.log.steps)
    world.model.go_on.set()
    story = await world.story(job_id)
    (reset,) = story.all("reset")
    assert reset == {"attempt": 2, "reason": "worker_lost"}
    assert story.all("started") == [{"attempt": 1}, {"attempt": 2}]
    assert story.names.index("token") < story.names.index("reset")
    assert (story.text, story.ended["attempts"]) == (answer_to(QUESTION), 2)
    assert ("answer", "failed") in story.stages()


async def test_after_three_failed_attempts_the_viewers_are_told_and_the_job_is_a_dead_letter(
    world: World, quick_retries: None
) -> None:
    world.model.faults = [ModelUnavailable("secret vendor text")] * 9
    job_id = await world.ask(QUESTION)
    story = await world.story(job_id)
    await world.settled()
    assert (story.end, story.ended["code"], story.ended["status"]) == ("error", "attempts_exhausted", 500)
    assert len(story.all("reset")) == 2
    assert len(world.model.prompts) == 3
    assert b"secret" not in b"".join(entry.data for entry in story.entries)
    ((reason, body),) = world.queue.dead
    assert (reason, orjson.loads(body)["job_id"]) == ("3 failed attempts", job_id)
    kept = await world.log.kept_answer(job_id)
    assert kept is not None
    assert kept.event == "error"


async def test_the_last_failure_is_told_without_a_pause(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(
        consumer, "random", SimpleNamespace(uniform=lambda *limits: pauses.append(limits[0]) or 0.001)
    )
    world.model.faults = [ModelUnavailable("cut")] * 3
    story = await world.answer(QUESTION)
    assert (story.ended["code"], len(pauses)) == ("attempts_exhausted", 2)


@pytest.mark.parametrize("fault", [ModelRejected("401"), AnswerRefused()])
async def test_what_another_try_would_not_mend_ends_at_once(
    world: World, fault: ModelRejected | AnswerRefused
) -> None:
    world.model.faults = [fault]
    story = await world.answer(QUESTION)
    await world.settled()
    assert (story.end, story.ended["code"]) == ("error", fault.code)
    assert len(world.model.prompts) == 1
    assert not world.queue.dead


@pytest.mark.parametrize(
    "body",
    [b"", b"junk", b"[]", b'{"schema": 1}', b"\xff\xfe"],
)
async def test_a_message_that_cannot_be_read_is_a_dead_letter_and_its_viewers_are_told(
    world: World, body: bytes
) -> None:
    job = await world.create()
    world.queue.put_raw(job.job_id, body)
    story = await world.story(job.job_id)
    await world.settled()
    assert (story.end, story.ended["code"]) == ("error", "unreadable_job")
    assert [body for _, body in world.queue.dead] == [body]


async def test_a_message_that_cannot_be_read_waits_for_a_log_that_is_away(
    world: World, quick_retries: None
) -> None:
    job = await world.create()
    world.log.away_for = 3
    world.queue.put_raw(job.job_id, b"junk")
    assert (await world.story(job.job_id)).ended["code"] == "unreadable_job"
    await world.settled()
    assert len(world.queue.dead) == 1


async def test_a_message_without_a_job_id_is_a_dead_letter(world: World) -> None:
    world.queue.put_raw("", b"junk")
    await until(lambda: world.queue.dead)


async def test_a_field_that_this_version_does_not_know_is_let_pass(world: World) -> None:
    job = await world.create(QUESTION)
    world.queue.put_raw(job.job_id, orjson.dumps({**orjson.loads(job.to_body()), "mood": "good"}))
    assert (await world.story(job.job_id)).end == "done"


async def test_a_job_without_a_log_is_dropped(world: World) -> None:
    job = await world.create()
    await world.log.discard(job.job_id)
    await world.queue.publish(job, {})
    await world.settled()
    assert world.model.asked == []
    assert not world.queue.dead


async def test_a_job_that_has_ended_is_acknowledged_and_its_answer_kept(world: World) -> None:
    job = await world.create(QUESTION)
    await world.log.end(job.job_id, "done", b'{"answer":"there"}')
    await world.queue.publish(job, {})
    await world.settled()
    assert world.model.asked == []
    kept = await world.log.kept_answer(job.job_id)
    assert kept is not None
    assert (kept.event, kept.data) == ("done", b'{"answer":"there"}')


async def test_a_poisoned_job_whose_worker_died_before_it_was_a_dead_letter_becomes_one(world: World) -> None:
    job = await world.create(QUESTION)
    await world.log.end(job.job_id, "error", b'{"code":"attempts_exhausted"}')
    await world.queue.publish(job, {})
    await world.settled()
    assert [orjson.loads(body)["job_id"] for _, body in world.queue.dead] == [job.job_id]


async def test_a_fresh_duplicate_of_a_job_that_runs_here_is_dropped(world: World) -> None:
    world.model.hold_after = 2
    job = await world.create(QUESTION)
    await world.queue.publish(job, {})
    await world.model.held.wait()
    await world.queue.publish(job, {})
    await until(lambda: not world.queue.waiting and len(world.queue.on_loan) == 1)
    world.model.go_on.set()
    assert (await world.story(job.job_id)).all("started") == [{"attempt": 1}]
    await world.settled()


async def test_a_fresh_duplicate_of_a_job_that_runs_elsewhere_is_dropped(world: World) -> None:
    job = await world.create(QUESTION)
    await world.log.take_over(job.job_id, Claim.FRESH, poison_after=3, poison=b"{}")
    await world.queue.publish(job, {})
    await world.settled()
    assert world.model.asked == []
    assert [entry.event for entry in await world.shown(job.job_id)] == ["queued", "started"]


async def test_a_redelivery_to_the_process_that_runs_the_job_is_adopted(world: World) -> None:
    world.model.hold_after = 2
    job_id = await world.ask(QUESTION)
    await world.model.held.wait()
    world.queue.take_back_all()
    await until(lambda: world.queue.on_loan)
    world.model.go_on.set()
    story = await world.story(job_id)
    await world.settled()
    assert not story.all("reset")
    assert len(world.model.prompts) == 1
    assert world.queue.steps[-1] == "settled"


class StallingLog(SpyLog):
    """Keeps the first take-over waiting, and fails once after it as a test tells it."""

    def __init__(self, claim_fails: bool) -> None:
        super().__init__()
        self.faults = 1
        self.claim_fails = claim_fails
        self.claiming = asyncio.Event()
        self.may_claim = asyncio.Event()

    async def take_over(self, job_id: str, claim: Claim, **options: Any) -> TakeOver:
        self.claiming.set()
        await self.may_claim.wait()
        if self.claim_fails:
            self._fail(RuntimeError("NOPERM"))
        return await super().take_over(job_id, claim, **options)

    async def confirm_copied(self, job_id: str) -> None:
        if not self.claim_fails:
            self._fail(LogUnavailable("away"))

    def _fail(self, error: Exception) -> None:
        if self.faults:
            self.faults -= 1
            raise error


@pytest.mark.parametrize("claim_fails", [True, False])
async def test_a_redelivery_that_was_adopted_is_settled_when_the_job_cannot_be_settled_at_once(
    claim_fails: bool, quick_retries: None
) -> None:
    log = StallingLog(claim_fails)
    async with World(log=log) as world:
        job = await world.create(QUESTION)
        await world.log.end(job.job_id, "error", b'{"code":"attempts_exhausted"}')
        await world.queue.publish(job, {})
        await log.claiming.wait()
        world.queue.take_back_all()
        await until(lambda: world.consumer._running[job.job_id].delivery in world.queue.on_loan)
        log.may_claim.set()
        await world.settled()
        assert (log.faults, len(world.queue.dead), world.consumer._running) == (0, 1, {})


async def test_a_message_under_another_id_leaves_nothing_behind(world: World) -> None:
    job = await world.create(QUESTION)
    world.queue.put_raw(uuid.uuid4().hex, job.to_body())
    assert (await world.story(job.job_id)).end == "done"
    await world.settled()
    await until(lambda: not world.consumer._running)


async def test_a_worker_that_is_overtaken_stops_and_changes_nothing(world: World) -> None:
    world.model.hold_after = 2
    job_id = await world.ask(QUESTION)
    await world.model.held.wait()
    await world.stop_consuming()
    async with World(beside=world) as other:
        world.queue.take_back_all()
        story = await other.story(job_id)
        world.model.go_on.set()
        await until(lambda: not world.consumer._running)
        assert await other.story(job_id) == story
        await world.settled()
    assert (story.text, story.ended["attempts"]) == (answer_to(QUESTION), 2)


async def test_a_run_whose_log_is_gone_stops_its_model(world: World) -> None:
    world.model.hold_after = 2
    job_id = await world.ask(QUESTION)
    await world.model.held.wait()
    await world.log.discard(job_id)
    world.model.hold_after = None
    world.model.go_on.set()
    await world.settled()
    assert not world.queue.dead
    assert await world.log.kept_answer(job_id) is None


async def test_jobs_that_run_side_by_side_never_mix(world: World) -> None:
    questions = [f"{number}번 물건은?" for number in range(40)]
    jobs = [await world.ask(question, session=f"s{at}") for at, question in enumerate(questions)]
    for question, job_id in zip(questions, jobs, strict=True):
        story = await world.story(job_id)
        assert story.text == answer_to(question)
        assert {source["title"] for source in story.ended["sources"]} == {question}


async def test_no_more_jobs_run_than_may() -> None:
    async with World(concurrency=2) as world:
        world.model.hold_after = 2
        jobs = [await world.ask(f"{number}?", session=f"s{number}") for number in range(5)]
        await until(lambda: len(world.model.prompts) == 2)
        await asyncio.sleep(0.02)
        assert len(world.model.prompts) == len(world.queue.on_loan) == 2
        world.model.go_on.set()
        assert [(await world.story(job)).end for job in jobs] == ["done"] * 5


@pytest.mark.parametrize("loses_replies", [False, True])
async def test_a_log_that_is_away_at_pick_up_is_waited_for(loses_replies: bool, quick_retries: None) -> None:
    log = SpyLog()
    log.loses_replies = loses_replies
    async with World(log=log) as world:
        log.away_for = 4
        story = await world.answer(QUESTION)
        await world.settled()
    assert (story.end, story.text, story.ended["attempts"]) == ("done", answer_to(QUESTION), 1)
    assert len(world.model.prompts) == 1


async def test_a_log_that_is_away_in_mid_answer_costs_no_word(world: World) -> None:
    world.model.hold_after = 2
    job_id = await world.ask(QUESTION)
    await world.model.held.wait()
    await until(lambda: "token" in world.log.steps)
    world.log.away_for = 2
    world.model.go_on.set()
    story = await world.story(job_id)
    assert (story.text, story.ended["attempts"]) == (answer_to(QUESTION), 1)


async def test_a_job_that_takes_too_long_ends_with_an_error_and_closes_its_model() -> None:
    async with World(job_deadline_s=0.1) as world:
        world.model.hold_after = 2
        story = await world.answer(QUESTION)
        await world.settled()
    assert (story.end, story.ended["code"], story.ended["status"]) == ("error", "deadline_exceeded", 504)
    assert world.model.closed_early == 1
    assert not world.queue.dead


async def test_an_unknown_job_id_in_a_readable_job_is_dropped(world: World) -> None:
    job = await world.create()
    stranger = job.model_copy(update={"job_id": uuid.uuid4().hex})
    await world.queue.publish(stranger, {})
    await world.settled()
    assert world.model.asked == []


async def test_a_write_that_the_store_refuses_fails_the_attempt_and_not_the_job() -> None:
    class Refusing(SpyLog):
        refusals = 1

        def append(self, write: Append) -> "asyncio.Future[int | LogTop]":
            if not self.refusals or write.attempt != 1:
                return super().append(write)
            self.refusals -= 1
            answer: asyncio.Future[int | LogTop] = asyncio.get_running_loop().create_future()
            answer.set_exception(RuntimeError("NOPERM"))
            return answer

    async with World(log=Refusing()) as world:
        story = await world.answer()
        await world.settled()
    assert (story.end, story.ended["attempts"]) == ("done", 2)
