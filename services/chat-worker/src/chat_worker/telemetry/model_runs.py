"""The model's calls as runs: they go round LangChain, which would make one of each by itself.

Composed only where runs are followed; a run is made per call, never per token.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from chat_worker.domain import JsonSchema, Message, Sighting, TokenUsage
from chat_worker.ports import ChatModel, StreamEnd
from chat_worker.ports.model import Vision
from chat_worker.telemetry import runs


class _Calls:
    """Begins the runs of one model."""

    def __init__(self, model: str, provider: str) -> None:
        self.model = model
        self._about: dict[str, Any] = {
            "ls_provider": provider,
            "ls_model_name": model,
            "ls_model_type": "chat",
        }

    def begin(self, messages: Sequence[Message], *, stream: bool = False) -> Any:
        inputs = {"messages": list(messages), "model": self.model, "stream": stream}
        return runs.begin(f"chat {self.model}", "llm", inputs, **self._about)


class FollowedModel:
    """The ChatModel port, each call of which is a run of type `llm` with its token usage."""

    def __init__(self, model: ChatModel, name: str, provider: str) -> None:
        self._model = model
        self._calls = _Calls(name, provider)

    async def structured(
        self, messages: Sequence[Message], name: str, schema: JsonSchema
    ) -> tuple[str, TokenUsage]:
        run = self._calls.begin(messages)
        try:
            reply, usage = await self._model.structured(messages, name, schema)
        except (Exception, asyncio.CancelledError) as error:
            runs.end(run, {}, type(error).__name__)
            raise
        _end(run, reply, usage)
        return reply, usage

    async def stream(self, messages: Sequence[Message], on_text: Callable[[str, int], bool]) -> StreamEnd:
        run = self._calls.begin(messages, stream=True)
        if run is None:
            return await self._model.stream(messages, on_text)
        said: list[str] = []
        counted = 0

        def heard(text: str, tokens: int) -> bool:
            nonlocal counted
            if not said:
                run.add_event({"name": "new_token", "time": runs.now()})
            said.append(text)
            counted += tokens
            return on_text(text, tokens)

        try:
            end = await self._model.stream(messages, heard)
        except (Exception, asyncio.CancelledError) as error:
            broken_off = TokenUsage(
                input_tokens=0, output_tokens=counted, model=self._calls.model, estimated=True
            )
            _end(run, "".join(said), broken_off, type(error).__name__)
            raise
        _end(run, "".join(said), end.usage)
        return end


class FollowedVision:
    """The Vision port, followed in the same way."""

    def __init__(self, vision: Vision, name: str, provider: str) -> None:
        self._vision = vision
        self._calls = _Calls(name, provider)

    async def look(self, image_url: str, question: str) -> tuple[Sighting, TokenUsage]:
        # The picture stays here: it may be megabytes, and its sender's.
        run = self._calls.begin([{"role": "user", "content": question}])
        try:
            sighting, usage = await self._vision.look(image_url, question)
        except (Exception, asyncio.CancelledError) as error:
            runs.end(run, {}, type(error).__name__)
            raise
        _end(run, sighting.model_dump_json(), usage)
        return sighting, usage


def _end(run: Any, said: str, usage: TokenUsage, error: str | None = None) -> None:
    used: dict[str, Any] = {
        "input_tokens": usage["input_tokens"],
        "output_tokens": usage["output_tokens"],
        "total_tokens": usage["input_tokens"] + usage["output_tokens"],
    }
    with runs.unharmed("usage could not be noted"):
        if run is not None:
            # LangSmith counts what lies here, the spans are given what lies in the outputs.
            run.add_metadata({"usage_metadata": used, "usage_estimated": usage.get("estimated", False)})
    runs.end(run, {"role": "assistant", "content": said, "usage_metadata": used}, error)
