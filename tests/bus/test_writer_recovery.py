"""Lost requests, lost replies and lost entries: the log ends complete, in order, under the same ids."""

import asyncio
import itertools

import pytest
from eco2_bus.events import LogEntry
from eco2_bus.log import Claim, Fenced, LogUnavailable

from tests.bus.wire import Fault, Wire
from tests.bus.worlds import World, begin, content, eventually, ids, own, read_all, so_far, text_of


async def _whole_so_far(world: World, job_id: str) -> list[LogEntry]:
    return await so_far(world.log, job_id, str((await world.log.summary(job_id)).last.id))


@pytest.mark.parametrize("faults", list(itertools.product([None, *Fault], repeat=2)))
async def test_every_pattern_of_lost_requests_and_replies_doubles_and_loses_nothing(
    world: World, faults: tuple[Fault | None, ...]
) -> None:
    job_id = await begin(world.log)
    wire = Wire(world.log)
    writer = await own(wire, job_id)
    wire.faults.extend(faults)
    for n in range(4):
        writer.token(f"{n} ")
        await asyncio.sleep(0.015)
    wire.faults.extend(faults)
    await writer.end("done", b"{}")
    entries = await read_all(world.log, job_id)
    assert text_of(entries) == "0 1 2 3 "
    assert ids(entries) == ["0-1", *(f"1-{seq}" for seq in range(1, len(entries)))]
    assert [entry.ends_job for entry in entries].count(True) == 1
    assert wire.most_under_way == 1


@pytest.mark.parametrize("kept", [1, 2, 3, 4, 5])
async def test_entries_that_the_store_lost_are_written_again_under_the_same_ids(
    world: World, kept: int
) -> None:
    job_id = await begin(world.log)
    wire = Wire(world.log)
    writer = await own(wire, job_id)
    for n in range(4):
        writer.token(f"{n} ")
        await writer.flush()
    before = await _whole_so_far(world, job_id)
    world.shorten(job_id, kept)
    wire.reconnects += 1
    writer.token("new")
    await writer.end("done", b"{}")
    after = await read_all(world.log, job_id)
    assert content(after)[: len(before)] == content(before)
    assert text_of(after) == "0 1 2 3 new"


async def test_a_store_that_lost_entries_without_a_sign_is_noticed_by_its_length(world: World) -> None:
    job_id = await begin(world.log)
    writer = await own(world.log, job_id)
    for n in range(4):
        writer.token(f"{n} ")
        await writer.flush()
    world.shorten(job_id, 3)
    await writer.end("done", b"{}")
    assert text_of(await read_all(world.log, job_id)) == "0 1 2 3 "


async def test_an_end_that_the_store_lost_before_it_was_copied_is_written_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = await begin(world.log)
    wire = Wire(world.log)
    writer = await own(wire, job_id)
    writer.token("answer")
    await writer.flush()
    failovers = iter([True])

    async def confirm_copied(_job_id: str) -> None:
        if next(failovers, False):
            world.shorten(job_id, 3)
            wire.reconnects += 1

    monkeypatch.setattr(wire, "confirm_copied", confirm_copied, raising=False)
    await writer.end("done", b"{}")
    assert (await world.log.summary(job_id)).last.event == "done"


async def test_a_store_that_goes_away_while_the_end_is_copied_does_not_fail_the_end(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = await begin(world.log)
    wire = Wire(world.log)
    writer = await own(wire, job_id)
    outages = iter([True, True])

    async def confirm_copied(_job_id: str) -> None:
        if next(outages, False):
            wire.reconnects += 1
            raise LogUnavailable("the store is away")

    monkeypatch.setattr(wire, "confirm_copied", confirm_copied, raising=False)
    await writer.end("done", b"{}")
    assert (await world.log.summary(job_id)).last.event == "done"


@pytest.mark.parametrize("fault", list(Fault))
async def test_a_stale_attempt_whose_line_had_faults_is_fenced(world: World, fault: Fault) -> None:
    job_id = await begin(world.log)
    wire = Wire(world.log)
    lost: list[Exception] = []
    stale = await own(wire, job_id, on_lost=lost.append)
    wire.faults.append(fault)
    stale.token("old")
    await eventually(lambda: wire.writes)
    current = await own(world.log, job_id, Claim.REDELIVERED)
    with pytest.raises(Fenced):
        await stale.end("done", b"{}")
    current.token("new")
    await current.end("done", b"{}")
    entries = await read_all(world.log, job_id)
    assert text_of(entries) == "new"
    assert [type(error) for error in lost] == [Fenced]
    assert not [entry for entry in entries if entry.id.attempt == 1 and entry.ends_job]
