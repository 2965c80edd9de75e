"""A model behind the OpenAI API, or behind any server that speaks it."""

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from typing import Any

import httpx2
import openai
from langchain_core.messages import AIMessage
from langchain_openai import ChatOpenAI
from opentelemetry.trace import Span, SpanKind, Tracer
from pydantic import SecretStr

from chat_worker.adapters.model_stream import StreamReader
from chat_worker.adapters.openai_stream import MAX_TRIES, READ_TIMEOUT_S, CompletionStreams
from chat_worker.domain import JsonSchema, Message, TokenUsage
from chat_worker.errors import ModelRejected, ModelUnavailable
from chat_worker.ports import StreamEnd


class OpenAIModel:
    """The ChatModel port. langchain-openai configures and authenticates the client.

    Structured calls go through ChatOpenAI. The answer is streamed with the same address and headers, but
    read raw, at 10 us of CPU a token where ChatOpenAI.astream takes 390 (docs/decisions/0003).
    """

    def __init__(
        self, model: str, api_key: SecretStr, base_url: str | None, tracer: Tracer, *, max_tokens: int = 2_000
    ) -> None:
        self._model = model
        self._max_tokens = max_tokens
        self._tracer = tracer
        self._http = openai.DefaultAioHttpClient(timeout=openai.Timeout(READ_TIMEOUT_S, connect=5.0))
        self._chat: Any = ChatOpenAI(
            model=model,
            api_key=api_key,
            base_url=base_url,
            http_async_client=self._http,
            max_retries=MAX_TRIES - 1,
        )
        client: openai.AsyncOpenAI = self._chat.root_async_client
        headers = {name: value for name, value in client.default_headers.items() if isinstance(value, str)}
        self._streams = CompletionStreams(str(client.base_url), {**headers, **client.auth_headers})

    async def structured(
        self, messages: Sequence[Message], name: str, schema: JsonSchema
    ) -> tuple[str, TokenUsage]:
        response_format = {
            "type": "json_schema",
            "json_schema": {"name": name, "schema": schema, "strict": True},
        }
        # As an extra the schema is sent as it is; as an argument the SDK walks it twice, for 3 ms a call.
        extra = {"response_format": response_format}
        with self._span() as span, _translated():
            reply: AIMessage = await self._chat.ainvoke(list(messages), extra_body=extra)
        used = reply.usage_metadata
        usage = TokenUsage(
            input_tokens=used["input_tokens"] if used else 0,
            output_tokens=used["output_tokens"] if used else 0,
            model=self._model,
        )
        _note_usage(span, usage)
        return str(reply.content), usage

    async def stream(self, messages: Sequence[Message], on_text: Callable[[str, int], bool]) -> StreamEnd:
        reader = StreamReader(self._model)
        body = {
            "model": self._model,
            "messages": messages,
            "max_completion_tokens": self._max_tokens,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        with self._span() as span:
            async with self._streams.open(body) as chunks:
                async for data in chunks:
                    seen = reader.chunks
                    text = reader.feed(data)
                    if not text:
                        continue
                    if not seen:
                        span.add_event("first_token")
                    if not on_text(text, reader.chunks - seen):
                        return StreamEnd(reader.usage(), "length")
            usage = reader.end()
            span.add_event("last_token")
            _note_usage(span, usage)
        return StreamEnd(usage, reader.finish_reason)

    async def close(self) -> None:
        """Closes the connections to the model."""
        await self._streams.close()
        await self._http.aclose()

    @contextmanager
    def _span(self) -> Generator[Span]:
        attributes = {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "openai",
            "gen_ai.request.model": self._model,
        }
        with self._tracer.start_as_current_span(
            f"chat {self._model}", kind=SpanKind.CLIENT, attributes=attributes, record_exception=False
        ) as span:
            yield span


def _note_usage(span: Span, usage: TokenUsage) -> None:
    span.set_attribute("gen_ai.usage.input_tokens", usage["input_tokens"])
    span.set_attribute("gen_ai.usage.output_tokens", usage["output_tokens"])


@contextmanager
def _translated() -> Generator[None]:
    """The SDK's and the transport's errors as ours; none carries the vendor's text to a user."""
    try:
        yield
    except (openai.RateLimitError, openai.InternalServerError, openai.APIConnectionError) as error:
        raise ModelUnavailable(type(error).__name__) from error
    except openai.APIStatusError as error:
        raise ModelRejected(f"{type(error).__name__} {error.status_code}") from error
    except openai.OpenAIError as error:
        raise ModelUnavailable(type(error).__name__) from error
    except httpx2.HTTPError as error:
        raise ModelUnavailable(type(error).__name__) from error
