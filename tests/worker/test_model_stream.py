"""What may come down a chat completion's stream, and what is made of it."""

from itertools import pairwise

import pytest
from chat_worker.adapters.model_stream import StreamReader
from chat_worker.errors import AnswerRefused, ModelUnavailable
from hypothesis import given
from hypothesis import strategies as st

from tests.worker import streams
from tests.worker.streams import DIALECTS, DONE, MODEL, RECORDED, TEXT, chunk, raw, says

EXACT = {"input_tokens": 321, "output_tokens": 8, "model": MODEL}


def read(*parts: bytes) -> tuple[str, StreamReader]:
    reader = StreamReader(MODEL)
    return "".join([reader.feed(part) for part in parts]), reader


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_stream_gives_its_text_and_usage_at_whichever_byte_it_is_cut(dialect: str) -> None:
    stream = DIALECTS[dialect](RECORDED)
    for cut in range(len(stream) + 1):
        text, reader = read(stream[:cut], stream[cut:])
        assert (text, reader.end(), reader.chunks) == (TEXT, EXACT, len(streams.TOKENS))


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_stream_gives_its_text_one_byte_at_a_time_and_never_half_a_character(dialect: str) -> None:
    reader = StreamReader(MODEL)
    texts = [reader.feed(bytes([byte])) for byte in DIALECTS[dialect](RECORDED)]
    assert [text for text in texts if text] == list(streams.TOKENS)
    assert reader.end() == EXACT


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_stream_that_stops_at_any_byte_before_its_end_is_no_answer(dialect: str) -> None:
    stream = DIALECTS[dialect](RECORDED)
    for cut in range(stream.index(b"[DONE]") + len(b"[DONE]")):
        text, reader = read(stream[:cut])
        assert TEXT.startswith(text)
        with pytest.raises(ModelUnavailable):
            reader.end()


def test_an_end_without_its_last_newline_is_an_end() -> None:
    text, reader = read(RECORDED.rstrip(b"\n"))
    assert (text, reader.end()) == (TEXT, EXACT)


def test_what_follows_the_end_is_not_read() -> None:
    text, reader = read(RECORDED + says("더 있어요") + b"data: junk\n\n")
    assert (text, reader.end()) == (TEXT, EXACT)


@given(
    tokens=st.lists(st.text(min_size=1), max_size=12),
    dialect=st.sampled_from([name for name in DIALECTS if name != "one newline between events"]),
    cuts=st.lists(st.integers(min_value=0, max_value=4_000), max_size=30),
)
def test_any_chunking_of_any_text_gives_the_same_text(
    tokens: list[str], dialect: str, cuts: list[int]
) -> None:
    stream = DIALECTS[dialect](b"".join(says(token) for token in tokens) + streams.USAGE_CHUNK + DONE)
    edges = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    text, reader = read(*(stream[start:end] for start, end in pairwise(edges)))
    assert text == "".join(tokens)
    assert reader.end() == EXACT


def test_usage_in_the_last_chunk_with_a_choice_counts() -> None:
    _, reader = read(says("네"), chunk(finish="stop", usage=streams.USAGE), DONE)
    assert reader.end() == EXACT


def test_without_usage_the_chunks_are_counted_and_marked_as_estimated() -> None:
    _, reader = read(says("네"), says("."), streams.FINISH, DONE)
    assert reader.end() == {"input_tokens": 0, "output_tokens": 2, "model": MODEL, "estimated": True}


def test_usage_with_missing_figures_counts_them_as_nothing() -> None:
    _, reader = read(says("네"), raw({"choices": [], "usage": {"prompt_tokens": None}}), DONE)
    assert reader.end() == {"input_tokens": 0, "output_tokens": 0, "model": MODEL}


@pytest.mark.parametrize(
    "chunk_",
    [
        raw({"choices": []}),
        raw({"choices": [], "usage": None}),
        raw({"choices": [], "error": None}),
        raw({}),
        chunk({"content": None}),
        chunk({"content": ""}),
        chunk({"role": "assistant"}),
        chunk({"tool_calls": [{"index": 0, "function": {"name": "search", "arguments": "{"}}]}),
        chunk({"refusal": None}),
        chunk(),
        raw({"choices": [{"index": 0, "finish_reason": None}]}),
        raw({"choices": [{"index": 0, "delta": None, "finish_reason": None}]}),
        raw({"choices": [], "prompt_filter_results": [{"prompt_index": 0}]}),
    ],
)
def test_a_chunk_without_text_adds_nothing(chunk_: bytes) -> None:
    text, reader = read(says("가"), chunk_, says("나"), streams.USAGE_CHUNK, DONE)
    assert (text, reader.end()) == ("가나", EXACT)


@pytest.mark.parametrize(
    "broken",
    [
        raw({"choices": [], "error": {"message": "overloaded", "code": 502}}),
        b'data: {"error":{"message":"The server had an error","type":"server_error"}}\n\n',
        raw(
            {
                "error": {"code": "server_error", "message": "provider disconnected"},
                "choices": [{"index": 0, "delta": {"content": ""}, "finish_reason": "error"}],
            }
        ),
        b"data: <html>Bad Gateway</html>\n\n",
        b'data: {"choices": [\n\n',
        b"data: [1, 2]\n\n",
        b"data: null\n\n",
        b"data: \xff\xfe\n\n",
    ],
)
def test_what_is_no_chunk_in_mid_stream_makes_the_model_unavailable(broken: bytes) -> None:
    reader = StreamReader(MODEL)
    assert reader.feed(says("가")) == "가"
    with pytest.raises(ModelUnavailable) as raised:
        reader.feed(broken)
    assert "overloaded" not in str(raised.value)


@pytest.mark.parametrize(
    "refusal",
    [
        chunk({"refusal": "I'm sorry"}),
        chunk({"content": None, "refusal": "죄송해요"}),
        chunk(finish="content_filter"),
    ],
)
def test_a_refusal_or_a_filter_refuses_the_answer(refusal: bytes) -> None:
    reader = StreamReader(MODEL)
    assert reader.feed(says("가")) == "가"
    with pytest.raises(AnswerRefused):
        reader.feed(refusal)


@pytest.mark.parametrize(("reason", "told"), [("length", "length"), ("stop", "stop"), ("tool_calls", "stop")])
def test_why_the_model_stopped_is_told(reason: str, told: str) -> None:
    _, reader = read(says("가"), chunk(finish=reason), streams.USAGE_CHUNK, DONE)
    reader.end()
    assert reader.finish_reason == told
