"""Spans outlive a process that is killed, once, and nobody else may read them."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from eco2_telemetry.journal import SLOT_BYTES, Journal
from eco2_telemetry.journal_record import LOST
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import Link, SpanContext, SpanKind, StatusCode, TraceFlags, Tracer

from tests.telemetry.programs import program, said_by
from tests.telemetry.receiver import Receiver, orphans

KILLED = """
import os, signal, sys, time
from eco2_telemetry.setup import set_up
from eco2_telemetry.spans import span_of
telemetry = set_up("killed")
with span_of(telemetry.tracer, "work", attributes={"ticket": "k4n4r1e", "n": 1}):
    with span_of(telemetry.tracer, "step"):
        pass
    print("ready", flush=True)
    time.sleep(60)
"""

LEAVES = """
from eco2_telemetry.setup import set_up
telemetry = set_up("next")
telemetry.tracer.start_span("x").end()
telemetry.shut_down()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "journals"


@pytest.fixture
def journal(folder: Path) -> Iterator[Journal]:
    journal = Journal(folder, slots=4)
    yield journal
    journal.close()


def tracer_of(journal: Journal) -> Tracer:
    provider = TracerProvider(resource=Resource({"service.name": "t"}), shutdown_on_exit=False)
    provider.add_span_processor(journal)
    return provider.get_tracer("scope")


def found_after_death(journal: Journal, folder: Path) -> list[ReadableSpan]:
    """What another process finds once this one is gone: its lock goes with its files."""
    (path,) = folder.glob("*.spans")
    dead = folder / "dead.spans"
    dead.write_bytes(path.read_bytes())
    found = [span for spans in journal.left_behind() for span in spans]
    assert not dead.exists()
    return found


def test_a_span_comes_back_as_it_was(journal: Journal, folder: Path) -> None:
    link = Link(SpanContext(5, 6, True, TraceFlags(1)), {"l": 1})
    attributes = {"text": "x", "number": 1, "many": ["a", "b"], "is": True}
    with tracer_of(journal).start_as_current_span("outer") as outer:
        inner = tracer_of(journal).start_span(
            "inner", kind=SpanKind.CLIENT, attributes=attributes, links=[link]
        )
        inner.add_event("e", {"k": "v"}, 17)
        inner.set_status(StatusCode.ERROR)
        inner.end()

        (span,) = [span for span in found_after_death(journal, folder) if span.name == "inner"]

    assert isinstance(inner, ReadableSpan)
    assert span.context is not None
    assert span.parent is not None
    assert inner.context is not None
    assert (span.context.trace_id, span.context.span_id) == (inner.context.trace_id, inner.context.span_id)
    assert span.parent.span_id == outer.get_span_context().span_id
    assert (span.start_time, span.end_time, span.kind) == (inner.start_time, inner.end_time, SpanKind.CLIENT)
    assert {**(span.attributes or {})} == attributes
    assert [(event.name, event.timestamp) for event in span.events] == [("e", 17)]
    assert [link.context.span_id for link in span.links] == [6]
    assert span.status.status_code is StatusCode.ERROR
    assert span.resource.attributes["service.name"] == "t"


def test_a_span_under_way_ends_with_the_last_thing_known_and_says_that_it_was_lost(
    journal: Journal, folder: Path
) -> None:
    tracer = tracer_of(journal)
    with tracer.start_as_current_span("outer"):
        inner = tracer.start_span("inner")
        inner.end()

        spans = {span.name: span for span in found_after_death(journal, folder)}

    assert spans["outer"].end_time == spans["inner"].end_time
    assert (spans["outer"].attributes or {})[LOST] is True
    assert spans["outer"].status.status_code is StatusCode.ERROR
    assert LOST not in (spans["inner"].attributes or {})


def test_what_was_exported_is_not_told_again(journal: Journal, folder: Path) -> None:
    span = tracer_of(journal).start_span("x")
    span.end()
    assert isinstance(span, ReadableSpan)

    journal.exported([span])

    assert found_after_death(journal, folder) == []


def test_the_oldest_gives_way_when_there_are_more_spans_than_room(journal: Journal, folder: Path) -> None:
    for number in range(6):
        tracer_of(journal).start_span(f"span {number}").end()

    assert {span.name for span in found_after_death(journal, folder)} == {f"span {at}" for at in range(2, 6)}


def test_a_span_too_long_for_its_place_is_kept_without_its_attributes(journal: Journal, folder: Path) -> None:
    tracer_of(journal).start_span("long", attributes={f"a{at}": "가" * 900 for at in range(9)}).end()

    (span,) = found_after_death(journal, folder)
    assert (span.name, dict(span.attributes or {})) == ("long", {})


def test_a_record_that_was_cut_by_death_is_passed_over(journal: Journal, folder: Path) -> None:
    tracer_of(journal).start_span("whole").end()
    tracer_of(journal).start_span("cut").end()
    (path,) = folder.glob("*.spans")
    data = bytearray(path.read_bytes())
    data[SLOT_BYTES + 40] ^= 0xFF
    (folder / "dead.spans").write_bytes(data)

    assert [span.name for spans in journal.left_behind() for span in spans] == ["whole"]


def test_spans_that_are_not_sampled_are_not_kept(journal: Journal, folder: Path) -> None:
    provider = TracerProvider(ALWAYS_OFF, shutdown_on_exit=False)
    provider.add_span_processor(journal)
    provider.get_tracer("t").start_span("x").end()

    assert found_after_death(journal, folder) == []


def test_nobody_takes_the_spans_of_a_process_that_lives(journal: Journal, folder: Path) -> None:
    other = Journal(folder)
    tracer_of(other).start_span("under way")

    assert list(journal.left_behind()) == []
    other.close()


def test_a_journal_is_its_users_alone(journal: Journal, folder: Path) -> None:
    assert folder.stat().st_mode & 0o777 == 0o700
    assert [path.stat().st_mode & 0o777 for path in folder.iterdir()] == [0o600]


def test_a_folder_that_others_may_write_to_is_not_used(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)

    with pytest.raises(PermissionError):
        Journal(tmp_path)


def test_the_next_process_sends_what_a_killed_one_left(
    receiver: Receiver, exporting: pytest.MonkeyPatch
) -> None:
    with program(KILLED, OTEL_BSP_SCHEDULE_DELAY="3600000") as process:
        said_by(process, "ready")
        process.kill()
        process.wait(10)
    assert receiver.spans == []

    with program(LEAVES) as following:
        following.wait(20)

    killed = {span.name: span for span in receiver.spans if span.service == "killed"}
    assert killed.keys() == {"work", "step"}
    assert orphans(receiver.spans) == []
    assert killed["work"].attributes == {"n": 1, LOST: True}
    assert not [body for body in receiver.bodies if b"k4n4r1e" in body]


def test_what_a_collector_refuses_stays_for_later(receiver: Receiver, exporting: pytest.MonkeyPatch) -> None:
    receiver.refuses.set()
    with program(KILLED, OTEL_BSP_SCHEDULE_DELAY="3600000") as process:
        said_by(process, "ready")
        process.kill()
        process.wait(10)
    with program(LEAVES) as refused:
        refused.wait(20)
    assert receiver.spans == []

    receiver.refuses.clear()
    with program(LEAVES) as heard:
        heard.wait(20)

    receiver.wait(lambda: {span.name for span in receiver.spans} >= {"work", "step"})


def test_a_process_that_leaves_in_peace_leaves_nothing(
    receiver: Receiver, exporting: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with program(LEAVES) as process:
        process.wait(20)

    assert [span.name for span in receiver.spans] == ["x"]
    assert [path for path in (tmp_path / "journals").rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("place", ["none", "/proc/nowhere"])
def test_a_service_works_without_a_journal(
    receiver: Receiver, exporting: pytest.MonkeyPatch, place: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LEAVES],
        env={**os.environ, "TELEMETRY_JOURNAL_DIR": place},
        capture_output=True,
        timeout=30,
        check=False,
    )

    assert done.returncode == 0
    assert [span.name for span in receiver.spans] == ["x"]
    assert (b"do not outlive" in done.stderr) is (place != "none")
