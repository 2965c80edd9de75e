"""Chat completion streams in the vendor's shape, and the dialects in which servers write them."""

from collections.abc import Callable
from typing import Any

import orjson

TOKENS = ("페트", "병은 ", "비우고 ", "헹궈서 ", "버려요 ♻️", "👨‍👩‍👧 [1]", ".\n", '"끝"')
TEXT = "".join(TOKENS)
USAGE = {"prompt_tokens": 321, "completion_tokens": 8, "total_tokens": 329}
DONE = b"data: [DONE]\n\n"
MODEL = "gpt-test"


def chunk(delta: Any = None, *, finish: str | None = None, **more: Any) -> bytes:
    """A chunk with one choice."""
    choice = {"index": 0, "delta": {} if delta is None else delta, "logprobs": None, "finish_reason": finish}
    return raw({"choices": [choice], **more})


def raw(fields: dict[str, Any]) -> bytes:
    """A chunk with these fields besides the usual ones."""
    stamp = {"id": "chatcmpl-9", "object": "chat.completion.chunk", "created": 1_760_000_000, "model": MODEL}
    return b"data: " + orjson.dumps({**stamp, **fields}) + b"\n\n"


def says(text: str) -> bytes:
    """A chunk with answer text."""
    return chunk({"content": text}, usage=None)


OPENING = chunk({"role": "assistant", "content": "", "refusal": None}, usage=None)
FINISH = chunk(finish="stop", usage=None)
USAGE_CHUNK = raw({"choices": [], "usage": USAGE})
RECORDED = OPENING + b"".join(says(token) for token in TOKENS) + FINISH + USAGE_CHUNK + DONE


def _with_comments(stream: bytes) -> bytes:
    return b": hello\n\n" + stream.replace(b"\n\n", b"\n\n: OPENROUTER PROCESSING\n\n")


def _with_other_fields(stream: bytes) -> bytes:
    return stream.replace(b"data:", b"event: completion\nid: 7\nretry: 1000\ndata:")


DIALECTS: dict[str, Callable[[bytes], bytes]] = {
    "as the vendor writes it": lambda stream: stream,
    "CRLF": lambda stream: stream.replace(b"\n", b"\r\n"),
    "comments": _with_comments,
    "event, id and retry lines": _with_other_fields,
    "no space after data:": lambda stream: stream.replace(b"data: ", b"data:"),
    "empty data lines": lambda stream: stream.replace(b"\n\n", b"\n\ndata:\n\ndata: \n\n"),
    "one newline between events": lambda stream: stream.replace(b"\n\n", b"\n"),
    "escaped characters": lambda stream: stream.replace("병".encode(), b"\\ubcd1"),
}
