"""A completion and the two forms it is told in: one object, or a stream of chunks."""

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Literal

import orjson

from eco2_sandbox.brain.pieces import count_tokens
from eco2_sandbox.openai_api.requests import Message
from eco2_sandbox.openai_api.stream import Frames

# OpenAI's own rule of thumb: three tokens around each message, three that open the reply.
_TOKENS_PER_MESSAGE = 3
_TOKENS_OF_OPENING = 3
_numbers = count(1)


def _new_id() -> str:
    return "chatcmpl-" + hashlib.blake2b(b"%d" % next(_numbers), digest_size=14).hexdigest()


@dataclass(frozen=True)
class Completion:
    """What the model says to one request."""

    model: str
    tokens: Sequence[str]
    finish_reason: Literal["stop", "length"]
    prompt_tokens: int
    id: str = field(default_factory=_new_id)
    created: int = field(default_factory=lambda: int(time.time()))

    def as_object(self) -> bytes:
        """Return the `chat.completion` object."""
        message: dict[str, object] = {
            "role": "assistant",
            "content": "".join(self.tokens),
            "refusal": None,
            "annotations": [],
        }
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": self.finish_reason}
        return orjson.dumps({**self._stamp("chat.completion"), "choices": [choice], "usage": self._usage()})

    def as_frames(self, *, with_usage: bool) -> Frames:
        """Return the `chat.completion.chunk` frames; with usage every other chunk says `usage: null`."""
        stamp = orjson.dumps(self._stamp("chat.completion.chunk"))[:-1]
        no_usage = b',"usage":null' if with_usage else b""
        before = b"data: " + stamp + b',"choices":[{"index":0,"delta":'
        after = b',"logprobs":null,"finish_reason":null}]' + no_usage + b"}\n\n"
        middle = before + b'{"content":'
        close = b"}" + after
        finish = b'{},"logprobs":null,"finish_reason":"%s"}]' % self.finish_reason.encode()
        ending = before + finish + no_usage + b"}\n\n"
        if with_usage:
            ending += b"data: " + stamp + b',"choices":[],"usage":' + orjson.dumps(self._usage()) + b"}\n\n"
        return Frames(
            opening=before + b'{"role":"assistant","content":"","refusal":null}' + after,
            tokens=[middle + orjson.dumps(token) + close for token in self.tokens],
            ending=ending + b"data: [DONE]\n\n",
        )

    def _stamp(self, kind: str) -> dict[str, str | int]:
        return {
            "id": self.id,
            "object": kind,
            "created": self.created,
            "model": self.model,
            "service_tier": "default",
            "system_fingerprint": fingerprint(self.model),
        }

    def _usage(self) -> dict[str, object]:
        answered = len(self.tokens)
        return {
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": answered,
            "total_tokens": self.prompt_tokens + answered,
            "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
            "completion_tokens_details": {
                "reasoning_tokens": 0,
                "audio_tokens": 0,
                "accepted_prediction_tokens": 0,
                "rejected_prediction_tokens": 0,
            },
        }


def fingerprint(model: str) -> str:
    """Return the fingerprint of the system behind a model name, the same in every run."""
    return "fp_" + hashlib.blake2b(model.encode(), digest_size=5).hexdigest()


def prompt_tokens(messages: Sequence[Message]) -> int:
    """Return the tokens of a prompt: its text in pieces, and a fixed number around each message."""
    return _TOKENS_OF_OPENING + sum(_TOKENS_PER_MESSAGE + count_tokens(message.text) for message in messages)
