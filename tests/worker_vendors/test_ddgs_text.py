"""Strangers' text made plain: nothing that a browser would take for markup, and quickly."""

import re
import time

import pytest
from chat_worker.adapters.web_text import plain_text
from hypothesis import given
from hypothesis import strategies as st

PIECES = [
    *"<>!?/'\"[]- x=가",
    "</",
    "--",
    "CDATA[",
    "script",
    "<b",
    "a href=",
    "&lt;",
    "&amp;",
    "&#60;",
    "\x00",
]


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("<b>캔</b>은 <i>헹궈요</i>", "캔 은 헹궈요"),
        ("a < b, 3 <5 > 2", "a < b, 3 <5 > 2"),
        ("앞<script type='x'>steal()</script >뒤", "앞 뒤"),
        ("앞<SCRIPT>steal()", "앞"),
        ("앞<style>p{}</style>뒤<!-- <b>secret</b> -->끝", "앞 뒤 끝"),
        ("&lt;script&gt;x()&lt;/script&gt;끝", "끝"),
        ("&amp;lt;img src=x onerror=go()&amp;gt;끝", "끝"),
        ("<<b>script>x", "< script>x"),
        ("<\x00b>굵게", "굵게"),
        ("<![foo[ 이상한 <!DOCTYPE x> 끝", "끝"),
        ("줄\r\n바꿈\t탭\u2028끝", "줄 바꿈 탭 끝"),
        ("뒤집\u202e기\u200b \ud800반쪽", "뒤집기 반쪽"),
        ("AT&amp;T &#x1F600;", "AT&T 😀"),
        (None, ""),
        (12, ""),
    ],
)
def test_text_is_readable_and_nothing_else(raw: object, text: str) -> None:
    assert plain_text(raw, 100) == text


@given(st.lists(st.sampled_from(PIECES), max_size=40).map("".join))
def test_nothing_that_is_left_opens_a_tag(raw: str) -> None:
    assert re.search(r"<[a-zA-Z/!?]", plain_text(raw, 200)) is None


@pytest.mark.parametrize(
    "piece", ["<", "<!--", "<a ", "&lt;", "</", "<script>", "<a b='", "<!", "<svg ", "&"]
)
def test_hostile_text_takes_no_time(piece: str) -> None:
    began = time.process_time()

    text = plain_text(piece * 20_000, 50)

    assert time.process_time() - began < 0.2
    assert len(text) <= 50
