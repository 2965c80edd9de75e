"""Ids, announcements and entries that this version has not written."""

from eco2_bus.events import START, EntryId, LogEntry
from eco2_bus.redis_scripts import CHANNEL
from eco2_bus.redis_streams import RedisEventLog, log_key
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.bus.worlds import RedisWorld, begin, content, own, read_all

IDS = st.builds("{}-{}".format, st.integers(0, 10**19), st.integers(0, 10**19)) | st.text(max_size=12)
JOB = "0" * 32


@given(IDS)
@settings(max_examples=200, deadline=None)
@example("1-1\n")
@example("٣-١")
@example("01-1")
@example("0-0")
@example("9" * 5_000 + "-1")
def test_a_text_is_an_id_as_it_is_written_or_none_at_all(text: str) -> None:
    try:
        id_ = EntryId.parse(text)
    except ValueError:
        return
    assert str(id_) == text
    assert id_ > START


@given(
    st.binary(max_size=200)
    | st.builds(lambda *parts: " ".join(parts).encode(), st.just(JOB), IDS, IDS, IDS, IDS)
)
@settings(max_examples=200, deadline=None)
@example(b"")
@example(b"\n")
@example(JOB.encode() + b" 0-1 1-1 1 token")
@example(JOB.encode() + b" 0-1 1-1 " + b"9" * 5_000 + b" token\n{}")
@example(JOB.encode() + b" 1-1 0-1 1 token\n{}")
@example(b"\xff\xfe " * 40)
def test_an_announcement_of_any_kind_costs_the_shared_connection_nothing(message: bytes) -> None:
    log = RedisEventLog("redis://127.0.0.1:1/0")
    tail = log._feed.open(JOB)
    log._announced(CHANNEL.encode(), message)
    log._announced(CHANNEL.encode(), f"{JOB} 5-1 5-2 7 token\n{{}}".encode())
    # What the junk has begun is not gone on with, and what follows is taken all the same.
    known = tail.since(EntryId(5, 1))
    assert known is None or all(isinstance(entry, LogEntry) and entry.id > (5, 1) for entry in known)


async def test_events_and_fields_of_a_later_version_pass_through_as_they_are(redis_world: RedisWorld) -> None:
    log, admin = redis_world.log, redis_world.admin
    job_id = await begin(log)
    writer = await own(log, job_id)
    writer.event("confetti", '{"색":"green","deep":[[1.0e3]] }'.encode())
    await writer.flush()
    # As a script of a later version may write: known fields first, others behind them.
    later = {"event": "token", "data": b'{"text":"a","logprob":-1}', "at": 1, "shard": "7", "codec": "none"}
    admin.xadd(log_key(job_id), later, id="1-3")
    admin.xadd(log_key(job_id), {"event": "done", "data": b'{"mood":1}', "at": 2, "x": "y"}, id="1-4")
    entries = content(await read_all(log, job_id))[2:]
    assert entries == [
        (EntryId(1, 2), "confetti", '{"색":"green","deep":[[1.0e3]] }'.encode()),
        (EntryId(1, 3), "token", b'{"text":"a","logprob":-1}'),
        (EntryId(1, 4), "done", b'{"mood":1}'),
    ]
