"""Texts as vectors, by the embeddings API of OpenAI or of any server that speaks it."""

from collections.abc import Sequence

from eco2_telemetry import genai
from eco2_telemetry.genai import ModelCalls
from opentelemetry.metrics import Meter
from opentelemetry.trace import Tracer
from pydantic import BaseModel, SecretStr, TypeAdapter

from chat_worker.adapters.openai_address import OpenAIAddress
from chat_worker.adapters.vendor_http import HttpLimits, VendorHttp

LIMITS = HttpLimits(read_s=10, budget_s=20, tries=2, reply_max_bytes=16_000_000)


class _Embedding(BaseModel):
    index: int
    embedding: list[float]


class _Reply(BaseModel):
    data: list[_Embedding]


_REPLY = TypeAdapter(_Reply)


class OpenAIEmbeddings:
    """The Embedder of the guide's fusion; raises a VendorError."""

    def __init__(
        self,
        model: str,
        api_key: SecretStr,
        base_url: str | None,
        tracer: Tracer,
        *,
        meter: Meter | None = None,
    ) -> None:
        self._model = model
        self._tracer = tracer
        self._calls = ModelCalls(tracer, meter)
        self._address = OpenAIAddress(model, api_key, base_url)
        self._http: VendorHttp | None = None

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """One vector per text, in order."""
        http = await self._open()
        body = {"model": self._model, "input": list(texts), "encoding_format": "float"}
        with self._calls.call(genai.EMBEDDINGS, self._model):
            reply = http.shaped(_REPLY, await http.post_json("/embeddings", body))
        return [one.embedding for one in sorted(reply.data, key=lambda one: one.index)]

    async def close(self) -> None:
        """Closes the connections."""
        if self._http is not None:
            await self._http.close()

    async def _open(self) -> VendorHttp:
        if self._http is None:
            address = await self._address.find()
            self._http = self._http or VendorHttp(
                "openai", address.base_url, self._tracer, headers=address.headers, limits=LIMITS
            )
        return self._http
