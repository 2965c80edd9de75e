"""The bytes of an OpenAI-compatible server: stream chunks, whole completions, embeddings."""

import re
from typing import Any

import orjson

STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n"
    b"cache-control: no-cache\r\ntransfer-encoding: chunked\r\n\r\n"
)
NOT_FOUND = b"HTTP/1.1 404 Not Found\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"
SPANS_TAKEN = b"HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n"
PROMPT_TOKENS = 120

_CREATED = 1_760_000_000
_QUESTION = re.compile(r"<question>\s*(.*?)\s*</question>", re.DOTALL)
_DONE = b"data: [DONE]\n\n"


class ChunkFrame:
    """The JSON round a token, encoded once per answer: only the token's own text is written per token."""

    def __init__(self, model: str, with_usage: bool) -> None:
        self._chunk: dict[str, Any] = {
            "id": "chatcmpl-sim",
            "object": "chat.completion.chunk",
            "created": _CREATED,
            "model": model,
            "service_tier": "default",
            "system_fingerprint": "fp_sim",
        }
        self._with_usage = with_usage
        self._before, self._after = self._choice({"content": "@"}).split(b"@")
        self._fixed_length = len(self._before) + len(self._after)

    def token(self, index: int, due_ns: int) -> bytes:
        """The text of one token as an HTTP chunk."""
        return self._said(b"%d:%d|" % (index, due_ns), index)

    def _said(self, text: bytes, index: int) -> bytes:
        """Text that JSON writes as it is; before the first goes the role, as the real server sends it."""
        size = self._fixed_length + len(text)
        token = b"%x\r\n%b%b%b\r\n" % (size, self._before, text, self._after)
        return token if index else _http_chunk(self._choice({"role": "assistant", "content": ""})) + token

    def end(self, tokens: int) -> bytes:
        """Finish reason, usage when it was asked for, `[DONE]`."""
        parts = self._choice({}, finish_reason="stop")
        if self._with_usage:
            parts += _event({**self._chunk, "choices": [], "usage": usage(tokens)})
        return _http_chunk(parts + _DONE)

    def _choice(self, delta: dict[str, str], finish_reason: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
        no_usage = {"usage": None} if self._with_usage else {}
        return _event({**self._chunk, "choices": [choice], **no_usage})


def usage(completion_tokens: int) -> dict[str, int]:
    """The token counts of one call."""
    return {
        "prompt_tokens": PROMPT_TOKENS,
        "completion_tokens": completion_tokens,
        "total_tokens": PROMPT_TOKENS + completion_tokens,
    }


def completion(call: dict[str, Any], text: str) -> bytes:
    """A whole answer at once."""
    message = {"role": "assistant", "content": text, "refusal": None}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    return _json_reply(
        {
            "id": "chatcmpl-sim",
            "object": "chat.completion",
            "created": _CREATED,
            "model": call["model"],
            "choices": [choice],
            "usage": usage(10),
        }
    )


def structured(call: dict[str, Any]) -> bytes:
    """The answer to a json_schema call: the product's `Understanding`, or `{}` for any other schema."""
    schema = call["response_format"].get("json_schema", {}).get("name")
    reply = _understanding(_question(call["messages"])) if schema == "Understanding" else {}
    return completion(call, orjson.dumps(reply).decode())


def embeddings(call: dict[str, Any]) -> bytes:
    """The same small vector for every input."""
    inputs = call["input"] if isinstance(call["input"], list) else [call["input"]]
    data = [{"object": "embedding", "index": i, "embedding": [0.1] * 8} for i in range(len(inputs))]
    return _json_reply(
        {
            "object": "list",
            "data": data,
            "model": call["model"],
            "usage": {"prompt_tokens": PROMPT_TOKENS, "total_tokens": PROMPT_TOKENS},
        }
    )


def _understanding(question: str) -> dict[str, Any]:
    nothing = dict.fromkeys(("material", "place", "district", "date"))
    intent = {"intent": "waste", "confidence": 0.95, "question": question, "item": "페트병", **nothing}
    return {"language": "ko", "intents": [intent]}


def _question(messages: list[dict[str, Any]]) -> str:
    content = next(m["content"] for m in reversed(messages) if m["role"] == "user")
    text = content if isinstance(content, str) else "".join(part.get("text", "") for part in content)
    found = _QUESTION.findall(text)
    if not found:
        return text
    return orjson.loads(found[-1]) if found[-1].startswith('"') else found[-1]


def _event(data: dict[str, Any]) -> bytes:
    return b"data: " + orjson.dumps(data) + b"\n\n"


def _http_chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def _json_reply(body: dict[str, Any]) -> bytes:
    encoded = orjson.dumps(body)
    return (
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(encoded)
    ) + encoded
