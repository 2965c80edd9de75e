"""How a writer gathers and orders, over both stores."""

import asyncio

import pytest
from eco2_bus import writer as bus_writer
from eco2_bus.log import LogGone
from eco2_bus.writer import WriteBeat

from tests.bus.wire import Fault, Wire
from tests.bus.worlds import World, begin, events, eventually, ids, in_time, own, read_all, so_far, text_of


async def test_entries_and_text_keep_their_order(world: World) -> None:
    job_id = await begin(world.log)
    writer = await own(world.log, job_id)
    writer.event("stage", b'{"node":"weather"}')
    writer.token("a")
    writer.token("b")
    writer.event("sources", b"[]")
    writer.token("c")
    await writer.end("done", b"{}")
    entries = await read_all(world.log, job_id)
    assert events(entries) == ["queued", "started", "stage", "token", "sources", "token", "done"]
    assert [entry.json()["text"] for entry in entries if entry.event == "token"] == ["ab", "c"]
    assert ids(entries) == ["0-1", *(f"1-{seq}" for seq in range(1, 7))]


async def test_a_token_is_written_without_a_flush(world: World) -> None:
    job_id = await begin(world.log)
    writer = await own(world.log, job_id)
    writer.token("by itself")
    assert text_of(await so_far(world.log, job_id, "1-2")) == "by itself"


async def test_an_event_is_written_without_a_flush(world: World) -> None:
    job_id = await begin(world.log)
    writer = await own(world.log, job_id)
    writer.event("stage", b"{}")
    assert events(await so_far(world.log, job_id, "1-2"))[-1] == "stage"


async def test_one_write_is_under_way_and_what_comes_meanwhile_rides_in_the_next(world: World) -> None:
    job_id = await begin(world.log)
    wire = Wire(world.log)
    writer = await own(wire, job_id)
    wire.hold()
    writer.token("first")
    await eventually(lambda: wire.writes)
    for n in range(20):
        writer.token(f" {n}")
        await asyncio.sleep(0)
    assert len(wire.writes) == 1
    wire.release()
    await writer.end("done", b"{}")
    assert wire.most_under_way == 1
    assert events(await read_all(world.log, job_id)) == ["queued", "started", "token", "token", "done"]


@pytest.mark.parametrize(
    "text",
    [
        "한글은 자소가 아니라 글자로",
        "가족 👨‍👩‍👧‍👦 국기 🇰🇷",
        "e\u0301 o\u0308",
        '\u0000\n\r\t"\\/',
        "\U0010ffff\uffff",
    ],
    ids=["hangul", "emoji", "combining", "control", "astral"],
)
async def test_the_text_of_an_entry_is_never_cut_inside_a_character(world: World, text: str) -> None:
    job_id = await begin(world.log)
    writer = await own(world.log, job_id)
    for character in text:
        writer.token(character)
        await asyncio.sleep(0.004)
    await writer.end("done", b"{}")
    entries = await read_all(world.log, job_id)
    assert all(entry.data.decode("utf-8") for entry in entries)
    assert text_of(entries) == text


async def test_the_writers_of_a_process_write_in_one_beat(world: World) -> None:
    beat, wire = WriteBeat(), Wire(world.log)
    writers = [await own(wire, await begin(world.log), beat=beat) for _ in range(5)]
    for n in range(30):
        for writer in writers:
            writer.token(f"{n} ")
        await asyncio.sleep(0)
    await asyncio.gather(*(writer.end("done", b"{}") for writer in writers))
    for writer in writers:
        assert text_of(await read_all(world.log, writer.job_id)) == "".join(f"{n} " for n in range(30))


async def test_the_first_token_waits_for_no_beat(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bus_writer, "GATHER_MIN_S", 60.0)
    wire = Wire(world.log)
    writer = await own(wire, await begin(world.log), beat=WriteBeat())
    writer.event("stage", b"{}")
    await eventually(lambda: wire.writes)
    wire.hold()
    writer.event("sources", b"[]")
    writer.token("at once")
    await eventually(lambda: len(wire.writes) == 2)
    wire.release()
    writer.token(" and later")
    await writer.end("done", b"{}")
    assert text_of(await read_all(world.log, writer.job_id)) == "at once and later"


async def test_the_first_token_rides_with_the_write_after_the_one_under_way(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bus_writer, "GATHER_MIN_S", 60.0)
    wire = Wire(world.log)
    writer = await own(wire, await begin(world.log), beat=WriteBeat())
    wire.hold()
    writer.event("stage", b"{}")
    await eventually(lambda: wire.writes)
    writer.token("next")
    wire.release()
    await eventually(lambda: len(wire.writes) == 2)
    assert wire.most_under_way == 1
    await writer.end("done", b"{}")


async def test_a_flush_with_nothing_to_write_returns_at_once(world: World) -> None:
    wire = Wire(world.log)
    writer = await own(wire, await begin(world.log))
    await writer.flush()
    assert wire.writes == []


async def test_a_flush_returns_when_everything_added_before_it_is_in_the_log(world: World) -> None:
    job_id = await begin(world.log)
    writer = await own(world.log, job_id)
    flushes: list[asyncio.Task[None]] = []
    for n in range(10):
        writer.token(f"{n}")
        flushes.append(asyncio.create_task(writer.flush()))
        await asyncio.sleep(0)
    await in_time(asyncio.gather(*flushes))
    last = (await world.log.summary(job_id)).last
    assert text_of(await so_far(world.log, job_id, str(last.id))) == "0123456789"


async def test_a_flush_does_not_wait_for_what_is_added_after_it(world: World) -> None:
    job_id = await begin(world.log)
    wire = Wire(world.log)
    writer = await own(wire, job_id)
    wire.hold()
    writer.token("before")
    flush = asyncio.create_task(writer.flush())
    await eventually(lambda: wire.writes)
    wire.release()
    # There is always more, as while a model speaks faster than the store answers.
    for _ in range(20_000):
        if flush.done():
            break
        writer.token(".")
        await asyncio.sleep(0)
    assert flush.done()
    await writer.end("done", b"{}")


async def test_a_flush_that_is_given_up_does_not_stop_the_writer(world: World) -> None:
    job_id = await begin(world.log)
    wire = Wire(world.log)
    writer = await own(wire, job_id)
    wire.hold()
    writer.token("a")
    flush = asyncio.create_task(writer.flush())
    await eventually(lambda: wire.writes)
    flush.cancel()
    await asyncio.gather(flush, return_exceptions=True)
    wire.release()
    await writer.end("done", b"{}")
    assert text_of(await read_all(world.log, job_id)) == "a"


async def test_nothing_is_written_behind_the_end(world: World) -> None:
    job_id = await begin(world.log)
    writer = await own(world.log, job_id)
    writer.token("answer")
    ending = asyncio.create_task(writer.end("cancelled", b"{}"))
    await asyncio.sleep(0)
    writer.token("a straggler")
    writer.event("stage", b"{}")
    await ending
    writer.token("another")
    await writer.flush()
    await writer.end("done", b"{}")
    assert (await world.log.summary(job_id)).last.event == "cancelled"
    assert events(await read_all(world.log, job_id)) == ["queued", "started", "token", "cancelled"]


async def test_every_token_is_reported_once_as_landed(world: World) -> None:
    landed: list[tuple[int, float]] = []
    job_id = await begin(world.log)
    writer = await own(world.log, job_id, on_landed=lambda tokens, age_s: landed.append((tokens, age_s)))
    for n in range(40):
        writer.token("x", tokens=2)
        if n % 9 == 0:
            await asyncio.sleep(0.012)
        if n % 10 == 0:
            writer.event("stage", b"{}")
    await writer.end("done", b"{}")
    assert sum(tokens for tokens, _ in landed) == 80
    assert all(tokens > 0 and 0 <= age_s < 30 for tokens, age_s in landed)


@pytest.mark.parametrize("fault", list(Fault))
async def test_tokens_of_a_write_that_had_to_be_repeated_are_reported_once(
    world: World, fault: Fault
) -> None:
    landed: list[int] = []
    job_id = await begin(world.log)
    wire = Wire(world.log)
    wire.faults.append(fault)
    writer = await own(wire, job_id, on_landed=lambda tokens, _age_s: landed.append(tokens))
    writer.token("a")
    await eventually(lambda: wire.writes)
    for _ in range(4):
        writer.token("b")
    await writer.end("done", b"{}")
    assert text_of(await read_all(world.log, job_id)) == "abbbb"
    assert sum(landed) == 5


async def test_tokens_are_not_reported_before_they_are_in_the_log(world: World) -> None:
    job_id = await begin(world.log)
    wire = Wire(world.log)
    landed: list[int] = []
    writer = await own(wire, job_id, on_landed=lambda tokens, _age_s: landed.append(tokens))
    wire.hold()
    writer.token("a")
    await eventually(lambda: wire.writes)
    writer.token("b")
    assert landed == []
    wire.release()
    await eventually(lambda: landed == [1, 1])
    await writer.end("done", b"{}")


async def test_a_writer_whose_log_goes_away_says_so_once(world: World) -> None:
    job_id = await begin(world.log)
    lost: list[Exception] = []
    writer = await own(world.log, job_id, on_lost=lost.append)
    await world.log.discard(job_id)
    writer.token("nobody reads this")
    await eventually(lambda: lost)
    for _ in range(3):
        writer.token("nor this")
        with pytest.raises(LogGone):
            await writer.flush()
    assert [type(error) for error in lost] == [LogGone]
