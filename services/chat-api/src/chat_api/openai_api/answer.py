"""An answer in the shapes of chat completions: whole, and chunk by chunk."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from eco2_bus.events import Ended, Image, Problem, Queued, Source, Usage

from chat_api.openai_api.models import MODEL


@dataclass(frozen=True)
class Envelope:
    """What every chunk of an answer has in common, and where pictures are fetched from."""

    queued: Queued
    base_url: str
    created_s: int = field(default_factory=lambda: int(time.time()))

    def whole(self, text: str, ended: Ended | None) -> dict[str, Any]:
        """A completion; without `ended` it is a question to the user, and has cost nothing known."""
        message = {"role": "assistant", "content": text, "refusal": None}
        finish = finish_of(ended)
        return {
            **self._head("chat.completion"),
            "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": finish}],
            "usage": None if ended is None else used(ended.usage),
            "eco2": self.vendor(ended),
        }

    def chunk(self, delta: dict[str, Any], finish: str | None = None, **more: Any) -> bytes:
        """A chunk of a stream."""
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return orjson.dumps({**self._head("chat.completion.chunk"), "choices": [choice], **more})

    def usage_chunk(self, ended: Ended) -> bytes:
        """The chunk that `stream_options.include_usage` asks for."""
        head = self._head("chat.completion.chunk")
        return orjson.dumps({**head, "choices": [], "usage": used(ended.usage)})

    def vendor(self, ended: Ended | None = None) -> dict[str, Any]:
        """What the protocol has no words for: how to cancel, where to look, what the answer rests on."""
        said = self.queued.model_dump(exclude={"status"})
        if ended is None:
            return said
        kept = {"intents", "sources", "attempts", "duration_ms", "sample_data"}
        return {**said, **ended.model_dump(include=kept)}

    def appendix(self, images: Sequence[Image], ended: Ended) -> str:
        """Pictures, and the sources that the answer cites or else all, as the last block of the text."""
        shown = [f"![{image.alt}]({self.base_url}{image.url})" for image in images]
        named = [(f"[{number}]", source) for number, source in enumerate(ended.sources, 1)]
        chosen = [pair for pair in named if pair[0] in ended.answer] or named
        cited = [f"{name} {_cited(source)}" for name, source in chosen]
        blocks = ["\n\n".join(shown), "\n".join(["---", *cited]) if cited else ""]
        return "".join(f"\n\n{block}" for block in blocks if block)

    def _head(self, kind: str) -> dict[str, Any]:
        return {
            "id": f"chatcmpl-{self.queued.job_id}",
            "object": kind,
            "created": self.created_s,
            "model": MODEL,
        }


def finish_of(ended: Ended | None) -> str:
    """Why an answer is over; a question to the user is whole."""
    return "stop" if ended is None else ended.finish_reason


def used(usage: Usage) -> dict[str, int]:
    """Usage in the API's names."""
    total = usage.input_tokens + usage.output_tokens
    return {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": total,
    }


def _cited(source: Source) -> str:
    parts = [source.document, source.section, f"({source.revised})" if source.revised else "", source.url]
    return " ".join(part for part in parts if part)


RESTARTED = Problem(
    title="Answer restarted",
    status=503,
    code="answer_restarted",
    detail="The answer began anew after part of it was shown, which this protocol cannot take back.",
)
CANCELLED = Problem(
    title="Cancelled", status=409, code="cancelled", detail="The answer was cancelled before its end."
)
BROKEN_OFF = Problem(
    title="Broken off",
    status=503,
    code="stream_broken_off",
    detail="The stream ends here; the answer goes on at its status_url.",
)
