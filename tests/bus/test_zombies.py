"""A worker that was given up and comes back: nothing of it shows behind the reset."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
from eco2_bus.log import Claim, EventLog, Fenced, LogGone, TakeOverResult
from eco2_bus.redis_streams import RedisEventLog
from eco2_devservers import RedisServer, TcpProxy

from tests.bus.wire import Fault, Wire
from tests.bus.worlds import (
    RedisWorld,
    World,
    begin,
    content,
    events,
    eventually,
    in_time,
    own,
    read_all,
    so_far,
    take_over,
    text_of,
)


@pytest.fixture
def proxy(redis_server: RedisServer) -> Iterator[TcpProxy]:
    with TcpProxy(redis_server.port) as proxy:
        yield proxy


@pytest.fixture
async def far_log(proxy: TcpProxy) -> AsyncIterator[RedisEventLog]:
    """The log as a worker sees it whose network can be stopped."""
    log = RedisEventLog(f"redis://127.0.0.1:{proxy.port}/0", reply_timeout_s=20.0)
    yield log
    await log.close()


async def test_what_a_paused_worker_had_under_way_does_not_land_behind_its_successor(
    redis_world: RedisWorld, far_log: EventLog, proxy: TcpProxy
) -> None:
    log = redis_world.log
    job_id = await begin(log)
    viewer = asyncio.create_task(read_all(log, job_id))
    lost: list[Exception] = []
    zombie = await own(far_log, job_id, on_lost=lost.append)
    zombie.token("old ")
    await zombie.flush()
    proxy.block()
    zombie.token("stuck on its way")
    ending = asyncio.create_task(zombie.end("done", b'{"answer":"old"}'))
    await asyncio.sleep(0)
    current = await own(log, job_id, Claim.REDELIVERED)
    current.token("new")
    await current.end("done", b'{"answer":"new"}')
    whole = content(await read_all(log, job_id))
    proxy.unblock()
    with pytest.raises(Fenced):
        await in_time(ending)
    assert [type(error) for error in lost] == [Fenced]
    assert content(await read_all(log, job_id)) == whole == content(await viewer)
    assert text_of(await viewer) == "new"


async def test_a_paused_worker_that_resumes_in_the_middle_of_its_successor_changes_nothing(
    redis_world: RedisWorld, far_log: EventLog, proxy: TcpProxy
) -> None:
    log = redis_world.log
    job_id = await begin(log)
    viewer = asyncio.create_task(read_all(log, job_id))
    zombie = await own(far_log, job_id)
    proxy.block()
    zombie.token("stuck")
    await eventually(lambda: not zombie._is_marked)
    current = await own(log, job_id, Claim.REDELIVERED)
    current.token("new ")
    await current.flush()
    proxy.unblock()
    with pytest.raises(Fenced):
        await in_time(zombie.end("done", b"{}"))
    current.token("answer")
    await current.end("done", b"{}")
    assert text_of(await viewer) == "new answer"
    assert events(await viewer) == ["queued", "started", "reset", "token", "token", "done"]


async def test_a_done_between_the_look_and_the_take_over_wins(world: World) -> None:
    job_id = await begin(world.log)
    zombie = await own(world.another_process(), job_id)
    assert not (await world.log.summary(job_id)).last.ends_job
    await zombie.end("done", b"{}")
    assert (await take_over(world.log, job_id, Claim.REDELIVERED)).result is TakeOverResult.ENDED
    assert events(await read_all(world.log, job_id)) == ["queued", "started", "done"]


async def test_a_done_and_a_take_over_in_the_same_instant_have_one_winner(world: World) -> None:
    old, new = world.another_process(), world.another_process()
    await new.check()
    winners: set[TakeOverResult] = set()
    for round_ in range(150):
        job_id = await begin(world.log)
        zombie = await own(old, job_id)
        end, claim = zombie.end("done", b"{}"), take_over(new, job_id, Claim.REDELIVERED)
        order = (end, claim) if round_ % 2 else (claim, end)
        outcomes = await asyncio.gather(*order, return_exceptions=True)
        ended, taken = outcomes if round_ % 2 else reversed(outcomes)
        winners.add(taken.result)
        if taken.result is TakeOverResult.OWNED:
            assert isinstance(ended, Fenced)
            assert (await world.log.summary(job_id)).last.event == "reset"
        else:
            assert (taken.result, ended) == (TakeOverResult.ENDED, None)
    assert TakeOverResult.ENDED in winners or TakeOverResult.OWNED in winners


@pytest.mark.parametrize("tokens_before", [0, 1, 3])
async def test_a_chain_of_zombies_leaves_the_last_attempt_alone(world: World, tokens_before: int) -> None:
    job_id = await begin(world.log)
    zombies = []
    for attempt in range(5):
        claim = Claim.REDELIVERED if attempt else Claim.FRESH
        writer = await own(world.another_process(), job_id, claim)
        for _ in range(tokens_before):
            writer.token(f"attempt {attempt} ")
            await writer.flush()
        zombies.append(writer)
    current = zombies.pop()
    for zombie in zombies:
        zombie.token("late")
    current.token("end")
    ends = await asyncio.gather(*(z.end("done", b"{}") for z in zombies), return_exceptions=True)
    assert [type(end) for end in ends] == [Fenced] * 4
    await current.end("done", b"{}")
    assert text_of(await read_all(world.log, job_id)) == "attempt 4 " * tokens_before + "end"


async def test_a_zombie_with_nothing_to_write_finds_out_that_its_job_is_somebody_elses(world: World) -> None:
    job_id = await begin(world.log)
    lost: list[Exception] = []
    zombie = await own(world.another_process(), job_id, on_lost=lost.append)
    zombie.token("all of it is in the log")
    await zombie.flush()
    await zombie.confirm_owner()
    await own(world.log, job_id, Claim.REDELIVERED)
    with pytest.raises(Fenced):
        await zombie.confirm_owner()
    assert [type(error) for error in lost] == [Fenced]


async def test_a_reply_from_before_a_take_over_does_not_say_who_owns_the_job_now(world: World) -> None:
    job_id = await begin(world.log)
    wire = Wire(world.another_process())
    zombie = await own(wire, job_id)
    wire.hold()
    zombie.token("written, and the reply lies in the socket of a process that stands still")
    await eventually(lambda: wire.writes)
    await so_far(world.log, job_id, "1-2")
    await own(world.log, job_id, Claim.REDELIVERED)
    wire.release()
    with pytest.raises(Fenced):
        await zombie.confirm_owner()


async def test_a_writer_whose_job_was_ended_or_erased_owns_it_no_longer(world: World) -> None:
    ended, erased = await begin(world.log), await begin(world.log)
    writers = [await own(world.log, job_id) for job_id in (ended, erased)]
    await world.log.end(ended, "error", b"{}")
    await world.log.forget(erased)
    for writer, expected in zip(writers, (Fenced, LogGone), strict=True):
        with pytest.raises(expected):
            await writer.confirm_owner()
        with pytest.raises(expected):
            await writer.flush()


@pytest.mark.parametrize("fault", list(Fault))
async def test_an_owner_is_told_so_and_writes_nothing_for_it(world: World, fault: Fault) -> None:
    job_id = await begin(world.log)
    wire = Wire(world.log)
    writer = await own(wire, job_id)
    wire.faults.append(fault)
    await in_time(writer.confirm_owner())
    writer.token("its own")
    await writer.confirm_owner()
    # What it had to write has told it.
    assert [len(write.entries) for write in wire.writes] == [0, 0, 1]
    await writer.end("done", b"{}")
    assert events(await read_all(world.log, job_id)) == ["queued", "started", "token", "done"]
