"""A dead letter is replayed: by whom it was asked gets the answer, and nothing is told twice."""

import contextlib
from dataclasses import replace

import pytest
from chat_api.errors import ApiProblem
from chat_api.replaying import NotReplayable, Replayed, replay
from eco2_bus.dead_letters import DeadLetter
from eco2_bus.job import ChatJob, Location, Resume
from eco2_bus.log import Claim, TakeOverResult
from eco2_bus.pictures import Picture, reference
from eco2_bus.queue import QueueUnavailable

from tests.api.conversation import ANONYMOUS, PNG, converse
from tests.api.services import RealWorld, World, new_id
from tests.api.serving import QUESTION, Api, api_over
from tests.api.viewer import names
from tests.api.worker import Worker, answer, take_over


class Letter:
    """A dead letter that tells whether it was settled."""

    def __init__(self, body: bytes) -> None:
        self.settled = 0
        self.breaks = False
        self.letter = DeadLetter("0" * 32, "rejected", None, body, {"traceparent": "00-1"}, self.settle)

    async def settle(self) -> None:
        if self.breaks:
            raise QueueUnavailable("gone")
        self.settled += 1


async def given_up(world: World, api: Api, session_id: str) -> ChatJob:
    """A job whose log ended with `error`."""
    await api.submit(session_id=session_id)
    (job,) = await world.waiting_jobs()
    await answer(world.log, job.job_id, "반쯤", event="error")
    return job


async def test_a_job_that_ended_is_answered_in_its_session_as_a_new_one(world: World, api: Api) -> None:
    old = await given_up(world, api, session_id := new_id())
    letter = Letter(old.to_body())

    replayed = await replay(world.made, letter.letter)

    assert replayed.is_new
    assert letter.settled == 1
    (job,) = await world.waiting_jobs()
    assert (job.job_id, job.session_id, job.message) == (replayed.job_id, session_id, QUESTION)
    assert replayed.job_id != old.job_id
    assert (await api.status(old.job_id)).json()["status"] == "error"
    await answer(world.log, job.job_id, "라벨을 떼요.")
    assert (await api.status(job.job_id)).json()["answer"] == "라벨을 떼요."
    # A question that comes in meanwhile has to wait, and a deletion finds it: the job has its session's turn.
    assert replayed.job_id in await world.made.claims.session_jobs(session_id)


async def test_a_replay_that_breaks_off_is_repeated_as_the_same_job(world: World, api: Api) -> None:
    letter = Letter((await given_up(world, api, new_id())).to_body())
    letter.breaks = True
    with pytest.raises(QueueUnavailable):
        await replay(world.made, letter.letter)
    letter.breaks = False

    replayed = await replay(world.made, letter.letter)

    jobs = await world.waiting_jobs()
    assert {job.job_id for job in jobs} == {replayed.job_id}
    # The worker drops the second message, as any fresh duplicate.
    worker = await Worker.begin(world.log, replayed.job_id)
    assert (await take_over(world.log, replayed.job_id)).result is TakeOverResult.RUNNING
    await worker.end()


async def test_a_job_that_has_not_ended_is_taken_over_under_its_own_id(real_world: RealWorld) -> None:
    async with api_over(real_world) as api:
        await real_world.waiting_jobs()
        await api.submit()
        (job,) = await real_world.waiting_jobs()
        worker = await Worker.begin(real_world.log, job.job_id)
        await worker.say("반쯤")
        letter = Letter(job.to_body())

        assert await replay(real_world.made, letter.letter) == Replayed(job.job_id, is_new=False)

        async with contextlib.aclosing(real_world.made.queue.consume(1)) as deliveries:
            delivery = await anext(deliveries)
            assert (delivery.job_id, delivery.is_handed_back) == (job.job_id, True)
            assert delivery.headers["traceparent"] == "00-1"
            await delivery.ack()
        second = await Worker.begin(real_world.log, job.job_id, Claim.HANDED_BACK)
        await second.say("라벨을 떼요.")
        await second.end()
        async with await api.events(job.job_id) as viewer:
            told = names(await viewer.rest())
    assert told.count("reset") == told.count("done") == 1


async def test_a_busy_session_keeps_its_letter(world: World, api: Api) -> None:
    letter = Letter((await given_up(world, api, session_id := new_id())).to_body())
    await api.submit(session_id=session_id)

    with pytest.raises(ApiProblem, match="session_busy"):
        await replay(world.made, letter.letter)
    assert not letter.settled
    assert len(await world.waiting_jobs()) == 1


async def test_nothing_is_replayed_for_a_deleted_session_or_one_of_another(world: World, api: Api) -> None:
    job = await given_up(world, api, session_id := new_id())
    foreign = job.model_copy(update={"owner": "somebody"})
    with pytest.raises(ApiProblem, match="session_not_found"):
        await replay(world.made, Letter(foreign.to_body()).letter)
    await api.client.delete(f"/api/v1/sessions/{session_id}")

    letter = Letter(job.to_body())
    with pytest.raises(NotReplayable, match="deleted"):
        await replay(world.made, letter.letter)
    assert not letter.settled
    assert not await world.waiting_jobs()
    # One that began anew has its letters of its own.
    await converse(world, api, session_id)
    await world.waiting_jobs()
    assert (await replay(world.made, letter.letter)).is_new


async def test_what_is_no_job_is_said_to_be_none(memory_world: World, memory_api: Api) -> None:
    letter = Letter(b"{")
    with pytest.raises(NotReplayable, match="cannot be read"):
        await replay(memory_world.made, letter.letter)
    assert not letter.settled


async def test_place_and_picture_come_along_and_stay_when_the_broker_refuses(
    memory_world: World, memory_api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = await given_up(memory_world, memory_api, session_id := new_id())
    pictures = memory_world.made.pictures
    picture_id = await pictures.put(Picture(ANONYMOUS, session_id, PNG))
    resumed = Resume(after="1-3", location=Location(latitude=37.5, longitude=127))
    letter = Letter(job.model_copy(update={"image_url": reference(picture_id), "resume": resumed}).to_body())
    with monkeypatch.context() as patch:
        patch.setattr(memory_world.made.queue, "publish", _refuses)
        with pytest.raises(QueueUnavailable):
            await replay(memory_world.made, letter.letter)
    assert (await pictures.get(picture_id)).data == PNG

    await replay(memory_world.made, replace(letter.letter))
    (again,) = await memory_world.waiting_jobs()
    assert (again.image_url, again.location, again.resume) == (
        reference(picture_id),
        resumed.location,
        None,
    )


async def _refuses(*_: object) -> None:
    raise QueueUnavailable("down")
