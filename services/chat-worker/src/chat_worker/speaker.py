"""How a running turn is heard: its events, into the log of its job."""

from collections.abc import Sequence
from typing import Literal

import orjson
from eco2_bus.events import Usage
from eco2_bus.writer import LogWriter

from chat_worker.domain import Finding, TokenUsage
from chat_worker.graph.state import ChatState
from chat_worker.metrics.stream import StreamMetricsTracker


class Speaker:
    """The Sink of one run; it remembers what was said and used, for the end, whatever that is."""

    def __init__(self, writer: LogWriter, tracker: StreamMetricsTracker, *, answer_max_chars: int) -> None:
        self.intents: list[str] = []
        self.finish_reason: Literal["stop", "length"] = "stop"
        self._used: list[TokenUsage] = []
        self._unbilled_tokens = 0
        self._writer = writer
        self._tracker = tracker
        self._room = answer_max_chars
        self._said: list[str] = []
        self._sources: list[dict[str, str | None]] = []
        self._shown: set[str] = set()

    @property
    def answer(self) -> str:
        """All answer text so far."""
        return "".join(self._said)

    @property
    def usage(self) -> Usage:
        """Of all model calls; one that was broken off counts by what it said, as an estimate."""
        calls = self._used
        return Usage(
            input_tokens=sum(call["input_tokens"] for call in calls),
            output_tokens=sum(call["output_tokens"] for call in calls) + self._unbilled_tokens,
            model=calls[-1]["model"] if calls else "",
            estimated=self._unbilled_tokens > 0 or any(call.get("estimated", False) for call in calls),
        )

    @property
    def heard_sources(self) -> list[dict[str, str | None]]:
        """The sources that viewers have been told of."""
        return self._sources

    def token(self, text: str, tokens: int = 1) -> bool:
        self._tracker.heard()
        self._said.append(text)
        self._unbilled_tokens += tokens
        self._room -= len(text)
        self._writer.token(text, tokens)
        return self._room > 0

    def learned(self, change: ChatState) -> None:
        self.intents += [str(asked["intent"]) for asked in change.get("intents") or []]
        self._used += change.get("usage") or []
        self.finish_reason = change.get("finish_reason", self.finish_reason)
        if "answer" in change:
            self._unbilled_tokens = 0

    def overheard(self, node: str, usage: TokenUsage) -> None:
        self._used.append(usage)
        self._tracker.overheard(node, usage["output_tokens"])

    def stage(
        self, node: str, status: str, duration_ms: float | None = None, detail: str | None = None
    ) -> None:
        data: dict[str, str | float] = {"node": node, "status": status}
        if duration_ms is not None:
            data["duration_ms"] = round(duration_ms, 1)
        if detail is not None:
            data["detail"] = detail
        self._writer.event("stage", orjson.dumps(data))

    def sources(self, findings: Sequence[Finding]) -> None:
        self._sources = [
            {
                "title": passage["title"],
                "url": passage["url"],
                "document": passage["document"],
                "section": passage["section"],
                "revised": passage["revised"],
            }
            for finding in findings
            for passage in finding["passages"]
        ]
        if self._sources:
            self._writer.event("sources", orjson.dumps(self._sources))

    def image(self, url: str, alt: str) -> None:
        if url in self._shown:
            return
        self._shown.add(url)
        self._writer.event("image", orjson.dumps({"url": url, "alt": alt}))
