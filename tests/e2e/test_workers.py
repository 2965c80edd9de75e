"""Workers that are killed, frozen, told to leave: every job still ends once, with its whole text."""

import asyncio
import signal

import httpx
from eco2_devservers import Program

from tests.e2e.conftest import PACE, MakeLoad
from tests.e2e.driver import Account, Load
from tests.e2e.stack import Stack, until

JOBS = 16


async def test_a_worker_killed_in_mid_answer_is_replaced_by_another(
    stack: Stack, make_load: MakeLoad
) -> None:
    first, _ = await stack.staff(2)
    async with make_load("worker kill -9, another at work", JOBS, seed=1) as run:
        await run.streaming(JOBS // 2)
        await asyncio.to_thread(first.kill)
    assert run.account == Account(accepted=JOBS, completed=JOBS)
    assert _resets(run) > 0
    assert not await stack.take_dead()


async def test_the_only_worker_killed_in_mid_answer_goes_on_when_it_is_started_again(
    stack: Stack, make_load: MakeLoad
) -> None:
    (worker,) = await stack.staff(1)
    async with make_load("worker kill -9, started again", JOBS, seed=2) as run:
        await run.streaming(JOBS // 2)
        await asyncio.to_thread(worker.kill)
        worker.start()
    assert run.account == Account(accepted=JOBS, completed=JOBS)
    assert _resets(run) > 0
    assert all(stack.failures(job.job_id) <= 1 for job in run.jobs)


async def test_a_worker_frozen_past_its_lease_changes_nothing_when_it_thaws(
    stack: Stack, sandbox: httpx.AsyncClient, make_load: MakeLoad, run: Load
) -> None:
    zombie, _ = await stack.staff(2)
    # All eight are to be in mid-answer at once, also where one worker is slower to begin than the other.
    await sandbox.put("/sandbox/behaviour", json={**PACE, "token_ms": 60})
    async with make_load("worker SIGSTOP past its lease", 8, seed=3) as load:
        await load.streaming(8)
        zombie.signal(signal.SIGSTOP)
    try:
        assert load.account == Account(accepted=8, completed=8)
        overtaken = [job for job in load.jobs if job.viewers[0].all("reset")]
        assert overtaken
        before = {job.job_id: stack.store.xrange(f"chat:{job.job_id}:events") for job in load.jobs}
    finally:
        zombie.signal(signal.SIGCONT)
    await until(lambda: _has_given_up(zombie, len(overtaken)))
    assert {job.job_id: stack.store.xrange(f"chat:{job.job_id}:events") for job in load.jobs} == before
    for job in overtaken:
        await run.ask("그건 어떻게 버려?", viewers=1, session_id=job.session_id)
    await run.ended()
    assert all(job.viewers[0].ended["sources"] for job in run.jobs)
    await stack.until_consumers(2)


async def _has_given_up(worker: Program, jobs: int) -> bool:
    """Frozen for longer than a read of the model may take, it finds the model gone before the job."""
    said = worker.said()
    return said.count("another worker has the job") + said.count("attempt 1 failed") >= jobs


async def test_a_worker_told_to_leave_finishes_what_it_has(stack: Stack, make_load: MakeLoad) -> None:
    leaving, _ = await stack.staff(2)
    async with make_load("worker SIGTERM, time to finish", JOBS, seed=4) as run:
        await run.streaming(JOBS // 2)
        leaving.signal(signal.SIGTERM)
    assert run.account == Account(accepted=JOBS, completed=JOBS)
    assert _resets(run) == 0
    assert await _exit_code(leaving, 8) == 0


async def test_a_worker_told_to_leave_at_once_hands_its_jobs_back(stack: Stack, make_load: MakeLoad) -> None:
    await stack.staff(1)
    leaving = stack.start_worker(DRAIN_S="0.2")
    await stack.until_consumers(2)
    async with make_load("worker SIGTERM, no time to finish", JOBS, seed=5) as run:
        await run.streaming(JOBS // 2)
        leaving.signal(signal.SIGTERM)
        assert await _exit_code(leaving, 8) == 0
    assert run.account == Account(accepted=JOBS, completed=JOBS)
    reasons = {reset["reason"] for job in run.jobs for reset in job.viewers[0].all("reset")}
    assert reasons == {"handed_back"}
    assert [stack.failures(job.job_id) for job in run.jobs] == [0] * JOBS
    assert not await stack.take_dead()


async def _exit_code(worker: Program, within_s: float) -> int | None:
    await until(lambda: _has_left(worker), within_s)
    return worker.exit_code


async def _has_left(worker: Program) -> bool:
    return not worker.is_running


def _resets(run: Load) -> int:
    return sum(len(job.viewers[0].all("reset")) for job in run.jobs)
