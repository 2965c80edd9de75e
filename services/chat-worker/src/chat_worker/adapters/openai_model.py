"""A model behind the OpenAI API, or behind any server that speaks it."""

from collections.abc import Callable, Sequence
from importlib import resources
from typing import Any

from eco2_telemetry import genai
from eco2_telemetry.genai import ModelCall, ModelCalls
from opentelemetry.metrics import Meter
from opentelemetry.trace import Tracer
from pydantic import SecretStr, ValidationError

from chat_worker.adapters.completions import Completions
from chat_worker.adapters.model_stream import StreamReader, usage_of
from chat_worker.adapters.openai_address import OpenAIAddress
from chat_worker.domain import JsonSchema, Message, Sighting, TokenUsage
from chat_worker.errors import AnswerRefused, ModelRejected, ModelUnavailable
from chat_worker.ports import StreamEnd
from chat_worker.quoting import quoted

_LOOK = resources.files("chat_worker").joinpath("prompts/look.md").read_text(encoding="utf-8")
_NULLABLE = {"type": ["string", "null"]}
SIGHTING_SCHEMA: JsonSchema = {
    "type": "object",
    "additionalProperties": False,
    "required": ["item", "material", "confidence"],
    "properties": {"item": _NULLABLE, "material": _NULLABLE, "confidence": {"type": "number"}},
}


class _Enough(Exception):
    """More text is not wanted; the model is stopped."""


class OpenAIModel:
    """The ChatModel port.

    langchain-openai finds out where the model is and how to authenticate. Its calls are not used here:
    one costs 3.5 ms of CPU and 390 us a streamed token, a bare request 0.9 ms and 10 us
    (docs/decisions/0003).
    """

    def __init__(
        self,
        model: str,
        api_key: SecretStr,
        base_url: str | None,
        tracer: Tracer,
        *,
        meter: Meter | None = None,
        max_tokens: int = 2_000,
    ) -> None:
        self._model = model
        self._max_tokens = max_tokens
        self._calls = ModelCalls(tracer, meter)
        self._address = OpenAIAddress(model, api_key, base_url)
        self._opened: Completions | None = None

    def begin_to_open(self) -> None:
        """Has the first question find the way to the model known."""
        self._address.begin()

    async def open(self) -> Completions:
        """The way to the model; raises ModelRejected when the settings name none that can be used."""
        if self._opened is None:
            try:
                address = await self._address.find()
                self._opened = self._opened or Completions(address.base_url, address.headers)
            except (ValueError, ImportError) as error:
                # The SDK misses a package for the SOCKS proxies that it knows.
                raise ModelRejected(f"no way to the model: {error}") from None
        return self._opened

    async def structured(
        self, messages: Sequence[Message], name: str, schema: JsonSchema
    ) -> tuple[str, TokenUsage]:
        body = {
            "model": self._model,
            "messages": messages,
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": name, "schema": schema, "strict": True},
            },
        }
        completions = await self.open()
        with self._calls.call(genai.CHAT, self._model) as call:
            call.asked(messages)
            reply = await completions.reply(body)
            usage = usage_of(reply.get("usage"), self._model, counted=0)
            _note(call, reply.get("model"), _finish_reason(reply), usage)
            content = _content(reply)
            call.said(content)
            return content, usage

    async def look(self, image_url: str, question: str) -> tuple[Sighting, TokenUsage]:
        content = [
            {"type": "text", "text": quoted("question", question)},
            {"type": "image_url", "image_url": {"url": image_url}},
        ]
        messages: list[Any] = [
            {"role": "system", "content": _LOOK},
            {"role": "user", "content": content},
        ]
        reply, usage = await self.structured(messages, "Sighting", SIGHTING_SCHEMA)
        try:
            return Sighting.model_validate_json(reply), usage
        except ValidationError:
            raise ModelUnavailable("the model's look does not follow the schema") from None

    async def stream(self, messages: Sequence[Message], on_text: Callable[[str, int], bool]) -> StreamEnd:
        reader = StreamReader(self._model)
        body = {
            "model": self._model,
            "messages": messages,
            "max_completion_tokens": self._max_tokens,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        completions = await self.open()
        about = {genai.REQUEST_STREAM: True, genai.REQUEST_MAX_TOKENS: self._max_tokens}
        with self._calls.call(genai.CHAT, self._model, about) as call:
            call.asked(messages)

            def take(data: bytes) -> bool:
                seen = reader.chunks
                text = reader.feed(data)
                if text:
                    if not seen:
                        call.first_token()
                    call.said(text)
                    if not on_text(text, reader.chunks - seen):
                        raise _Enough
                return not reader.is_done

            try:
                await completions.stream(body, take)
            except _Enough:
                call.last_token()
                _note(call, reader.served_by, "length", reader.usage())
                return StreamEnd(reader.usage(), "length")
            usage = reader.end()
            if not reader.chunks and reader.finish_reason == "stop":
                raise ModelUnavailable("the model said nothing")
            call.last_token()
            _note(call, reader.served_by, reader.finish_reason, usage)
        return StreamEnd(usage, reader.finish_reason)

    async def close(self) -> None:
        """Closes the connections to the model."""
        if self._opened is not None:
            await self._opened.close()


def _content(reply: dict[str, Any]) -> str:
    """The text of a whole reply; raises AnswerRefused, or ModelUnavailable when there is none."""
    try:
        choice: dict[str, Any] = reply["choices"][0]
        message: dict[str, Any] = choice["message"]
    except (KeyError, IndexError, TypeError):
        raise ModelUnavailable("the model's reply has no choices") from None
    if message.get("refusal") or choice.get("finish_reason") == "content_filter":
        raise AnswerRefused
    return str(message.get("content") or "")


def _finish_reason(reply: dict[str, Any]) -> str | None:
    try:
        return str(reply["choices"][0]["finish_reason"])
    except (KeyError, IndexError, TypeError):
        return None


def _note(call: ModelCall, served_by: object, finish_reason: str | None, usage: TokenUsage) -> None:
    call.replied(served_by if isinstance(served_by, str) else None, finish_reason)
    is_estimated = usage.get("estimated", False)
    call.used(usage["input_tokens"], usage["output_tokens"], is_estimated=is_estimated)
