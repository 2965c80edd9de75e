"""A server that lies is found out: only then do the zeros of a run mean something."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import orjson
import pytest

from bench.http_stream import BadReply
from bench.load_client import chat_target, run_load
from bench.pace import Pace
from bench.verdict import chat_texts, judge, understanding_ms

Events = list[tuple[str, dict]]


def stream_of(*indices: int, answer: str | None = None, end: str = "done") -> Events:
    texts = [f"{index}:{index * 1000}|" for index in indices]
    tokens: Events = [("token", {"text": text, "node": "answer"}) for text in texts]
    return [*tokens, (end, {"answer": "".join(texts) if answer is None else answer})]


@contextlib.asynccontextmanager
async def chat_server(events: Events, *, status: str = "202 Accepted") -> AsyncIterator[str]:
    body = b": hello\r\n\r\n" + b"".join(
        b"id: 1-%d\r\nevent: %b\r\ndata: %b\r\n\r\n" % (number, name.encode(), orjson.dumps(data))
        for number, (name, data) in enumerate(events)
    )

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            # A client that does not like the first reply leaves before the second request.
            with contextlib.suppress(asyncio.IncompleteReadError):
                await talk(reader, writer)
        finally:
            writer.close()
            await writer.wait_closed()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        submitted = orjson.dumps({"events_url": "/api/v1/chat/1/events?ticket=t"})
        writer.write(
            b"HTTP/1.1 %b\r\ncontent-length: %d\r\n\r\n" % (status.encode(), len(submitted)) + submitted
        )
        assert head.startswith(b"POST /api/v1/chat HTTP/1.1\r\n")
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        # One byte per HTTP chunk: every cut there is.
        writer.writelines(b"1\r\n%c\r\n" % byte for byte in body)
        writer.write(b"0\r\n\r\n")
        await reader.read()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


@pytest.mark.parametrize(
    ("indices", "faults"),
    [
        ((0, 1, 2, 3), (0, 0, 0)),
        ((0, 1, 3), (1, 0, 0)),
        ((), (4, 0, 0)),
        ((0, 1, 1, 2, 3), (0, 1, 0)),
        ((0, 1, 2, 3, 0, 1), (0, 2, 0)),
        ((0, 2, 1, 3), (0, 0, 1)),
        ((3, 0, 0), (2, 1, 1)),
    ],
)
async def test_a_lost_doubled_or_reordered_token_is_counted(
    indices: tuple[int, ...], faults: tuple[int, int, int]
) -> None:
    async with chat_server(stream_of(*indices)) as url:
        result = await run_load(chat_target(url), Pace(4), streams=2)
    for verdict in result.verdicts:
        assert (verdict.lost, verdict.doubled, verdict.reordered) == faults
        assert verdict.is_exact == (indices == (0, 1, 2, 3))


async def test_the_time_that_the_question_took_to_be_understood_is_told_apart() -> None:
    stages: Events = [
        ("stage", {"node": "intent", "status": "started"}),
        ("stage", {"node": "intent", "status": "completed", "duration_ms": 2.5}),
        ("stage", {"node": "answer", "status": "completed", "duration_ms": 80.0}),
    ]
    async with chat_server([*stages, *stream_of(0)]) as url:
        result = await run_load(chat_target(url), Pace(1), streams=2)
    assert result.understanding_ms == [2.5, 2.5]
    assert understanding_ms([]) == 0


async def test_text_before_a_reset_does_not_count() -> None:
    events = [*stream_of(0, 1)[:-1], ("reset", {"attempt": 2}), *stream_of(0, 1, 2)]
    async with chat_server(events) as url:
        result = await run_load(chat_target(url), Pace(3), streams=1)
    assert result.verdicts[0].is_exact


@pytest.mark.parametrize(
    "events",
    [stream_of(0, 1, answer="0:0|"), stream_of(0, 1, end="error"), stream_of(0, 1)[:-1], []],
    ids=["another answer in done", "error", "no end", "nothing"],
)
async def test_a_stream_that_does_not_end_with_its_answer_is_refused(events: Events) -> None:
    async with chat_server(events) as url:
        with pytest.raises(ValueError, match="stream"):
            await run_load(chat_target(url), Pace(2), streams=1)


async def test_a_refused_question_is_an_error_and_not_a_lost_token() -> None:
    async with chat_server([], status="503 Service Unavailable") as url:
        with pytest.raises(BadReply, match="503"):
            await run_load(chat_target(url), Pace(2), streams=1)


def test_tokens_cut_and_joined_anywhere_are_read_with_the_time_they_became_whole() -> None:
    verdict = judge([(5000, "0:10"), (6000, "00|1:2000|2:"), (7000, "3000|")], expected=3)
    assert verdict.is_exact
    assert verdict.delays_ns == [5000, 4000, 4000]


@pytest.mark.parametrize("text", ["0:1|hello|", "0:1|1:", "0:1|7:1|", "0:1|-1:1|"])
def test_text_that_the_model_did_not_say_is_counted(text: str) -> None:
    assert judge([(1, text)], expected=1).foreign == 1


def test_crlf_cut_in_two_is_still_one_line_end() -> None:
    stream = b'event: token\r\ndata: {"text":"0:1|"}\r\n\r\nevent: done\r\ndata: {}\r\n\r\n'
    for cut in range(len(stream)):
        assert chat_texts([(1, stream[:cut]), (2, stream[cut:])])[0][1] == "0:1|"
