"""Whatever bytes a stream brings, the client's reader gives events, or says that it is no stream of ours."""

from typing import Any

import pytest
from eco2_chat import events
from eco2_chat.sse import Block, SseReader
from hypothesis import example, given, settings
from hypothesis import strategies as st

TEXT = st.text(st.characters(exclude_characters="\r\n\0", exclude_categories=["Cs"]), max_size=20)
BLOCKS = st.lists(
    st.builds(Block, st.text("abc_", min_size=1, max_size=8), TEXT, st.none() | TEXT), max_size=5
)
ENDS = st.sampled_from(["\n", "\r", "\r\n"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def written(blocks: list[Block], end: str) -> bytes:
    lines = [": a comment", "retry: 2000", ""]
    for block in blocks:
        lines += [] if block.id is None else [f"id: {block.id}"]
        lines += [
            f"event: {block.event}",
            "colour: green",
            *(f"data: {block.data}".splitlines() or ["data: "]),
            "",
        ]
    # A carriage return at the very end may be half of a line's end: something follows it.
    return (end.join([*lines, ""]) + ": more\n").encode()


def fed(body: bytes, cuts: list[int]) -> list[Block]:
    reader, at = SseReader(), 0
    got: list[Block] = []
    for cut in sorted(cut % (len(body) + 1) for cut in cuts):
        got += reader.feed(body[at:cut])
        at = cut
    return got + reader.feed(body[at:])


@given(BLOCKS, ENDS, st.lists(st.integers(0, 2_000), max_size=8))
@settings(max_examples=150, deadline=None)
def test_events_are_read_alike_wherever_the_network_cuts_them(
    blocks: list[Block], end: str, cuts: list[int]
) -> None:
    body = written(blocks, end)
    whole = fed(body, [])
    assert fed(body, cuts) == whole
    assert [(one.event, one.id) for one in whole] == [(block.event, block.id) for block in blocks]


@given(st.binary(max_size=400), st.lists(st.integers(0, 400), max_size=6))
@settings(max_examples=200, deadline=None)
@example(b"\xef\xbb\xbfdata: 1\n\n", [])
@example(b"\xff" * 300 + b"\n\n", [3])
@example(b"data\ndata:\n\nevent:\nid: \0\ndata: x\r\r", [9])
@example(b"retry: 99999999999999999999\n\n", [])
def test_bytes_of_any_kind_are_read_without_a_fault_and_alike_in_pieces(body: bytes, cuts: list[int]) -> None:
    assert fed(body, cuts) == fed(body, [])


@given(st.binary(max_size=200), BLOCKS, ENDS)
@settings(max_examples=100, deadline=None)
def test_after_anything_that_ends_in_an_empty_line_events_are_read_again(
    junk: bytes, blocks: list[Block], end: str
) -> None:
    reader = SseReader()
    reader.feed(junk + b"\n\n\n")
    assert [one.event for one in reader.feed(written(blocks, end))] == [block.event for block in blocks]


@given(st.text(max_size=20), JSON)
@settings(max_examples=100, deadline=None)
def test_an_event_that_this_version_does_not_know_is_none(name: str, data: Any) -> None:
    if name not in events._MAKERS:
        assert events.read(name, data, "1-1") is None


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("queued", {"job_id": "j", "session_id": "s"}),
        ("started", {"attempt": 2}),
        ("stage", {"node": "n", "status": "started"}),
        ("token", {"text": "가"}),
        ("usage", {"input_tokens": 1}),
        ("done", {"answer": "가", "sources": [{"title": "t", "trust": 0.9}], "usage": {"joules": 3}}),
        ("error", {"code": "c"}),
    ],
)
@given(more=st.dictionaries(st.from_regex(r"later_[a-z]{1,8}", fullmatch=True), JSON, max_size=4))
@settings(max_examples=30, deadline=None)
def test_fields_of_a_later_version_change_nothing(name: str, data: dict[str, Any], more: Any) -> None:
    assert events.read(name, {**data, **more}, "1-1") == events.read(name, data, "1-1")
