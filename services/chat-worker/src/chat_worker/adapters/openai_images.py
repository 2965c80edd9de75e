"""Pictures by the image tool of the OpenAI Responses API."""

import asyncio
import re
from typing import Literal

from eco2_telemetry import genai
from eco2_telemetry.genai import ModelCall, ModelCalls
from opentelemetry.metrics import Meter
from opentelemetry.trace import Tracer
from pydantic import SecretStr
from tenacity import (
    AsyncRetrying,
    retry_if_exception_type,
    stop_after_attempt,
    stop_after_delay,
    wait_random_exponential,
)

from chat_worker.adapters.openai_address import OpenAIAddress
from chat_worker.adapters.openai_images_reply import parsed, picture_of, refusal
from chat_worker.adapters.vendor_http import HttpLimits, VendorHttp
from chat_worker.errors import BadRequest, Transient
from chat_worker.ports.images import MadeImage

BUDGET_S = 100.0
"""Drawing takes 10 to 60 s."""
SOON_S = 5.0
"""What fails within this time was not drawn, so asking again is not paid for twice."""
WISH_MAX_CHARS = 8_000
IMAGE_MAX_BYTES = 8 * 1024 * 1024
MAX_TRIES = 3
_SIZE_STEP, _SIDE_MAX, _RATIO_MAX = 16, 3_840, 3
_SIZES = frozenset({"auto", "1024x1024", "1024x1536", "1536x1024"})

Quality = Literal["low", "medium", "high", "auto"]
Format = Literal["png", "webp", "jpeg"]


class OpenAIImages:
    """The ImageMaker port; raises ValueError for a size that the image model does not draw."""

    def __init__(
        self,
        model: str,
        api_key: SecretStr,
        base_url: str | None,
        tracer: Tracer,
        *,
        meter: Meter | None = None,
        image_model: str = "gpt-image-1",
        size: str = "1024x1024",
        quality: Quality = "medium",
        output_format: Format = "webp",
        budget_s: float = BUDGET_S,
        max_bytes: int = IMAGE_MAX_BYTES,
    ) -> None:
        if not is_drawable(size, image_model):
            raise ValueError(f"{image_model} draws no {size}")
        self._model = model
        self._tool = {
            "type": "image_generation",
            "model": image_model,
            "size": size,
            "quality": quality,
            "output_format": output_format,
        }
        self._budget_s = budget_s
        self._max_bytes = max_bytes
        self._tracer = tracer
        self._calls = ModelCalls(tracer, meter)
        self._address = OpenAIAddress(model, api_key, base_url)
        self._limits = HttpLimits(
            read_s=budget_s, budget_s=budget_s, tries=1, reply_max_bytes=max_bytes * 4 // 3 + 65_536
        )
        self._http: VendorHttp | None = None

    async def make(self, wish: str) -> MadeImage:
        if not 0 < len(wish) <= WISH_MAX_CHARS:
            raise BadRequest(f"a wish has 1 to {WISH_MAX_CHARS} characters")
        about = {genai.OUTPUT_TYPE: "image"}
        with self._calls.call(genai.GENERATE_CONTENT, self._model, about) as call:
            try:
                async with asyncio.timeout(self._budget_s):
                    return await self._drawn(wish, call)
            except TimeoutError:
                raise Transient(f"openai: no picture within {self._budget_s:g} s") from None

    async def close(self) -> None:
        """Closes the connections."""
        if self._http is not None:
            await self._http.close()

    async def _open(self) -> VendorHttp:
        if self._http is None:
            address = await self._address.find()
            self._http = self._http or VendorHttp(
                "openai",
                address.base_url,
                self._tracer,
                headers=address.headers,
                limits=self._limits,
                refusal=refusal,
            )
        return self._http

    async def _drawn(self, wish: str, call: ModelCall) -> MadeImage:
        tries = AsyncRetrying(
            retry=retry_if_exception_type(Transient),
            stop=stop_after_attempt(MAX_TRIES) | stop_after_delay(SOON_S),
            wait=wait_random_exponential(multiplier=0.5, max=3),
            reraise=True,
        )
        body: bytes = await tries(self._ask, wish)
        # Off the loop, which has streams to feed: a picture of 3 MB takes 15 ms.
        reply = await asyncio.to_thread(parsed, body)
        if reply.usage is not None:
            call.used(reply.usage.input_tokens, reply.usage.output_tokens)
        return await asyncio.to_thread(picture_of, reply, self._max_bytes)

    async def _ask(self, wish: str) -> bytes:
        body = {
            "model": self._model,
            "input": [{"role": "user", "content": [{"type": "input_text", "text": wish}]}],
            "tools": [self._tool],
            "tool_choice": {"type": "image_generation"},
        }
        return await (await self._open()).post("/responses", body, bytes)


def is_drawable(size: str, image_model: str) -> bool:
    """Whether the model draws this size; gpt-image-2 draws nearly any, the others three."""
    sides = re.fullmatch(r"(\d{2,4})x(\d{2,4})", size)
    if size in _SIZES or sides is None or not image_model.startswith("gpt-image-2"):
        return size in _SIZES
    short, long = sorted(int(side) for side in sides.groups())
    is_in_steps = short > 0 and short % _SIZE_STEP == 0 and long % _SIZE_STEP == 0
    return is_in_steps and long <= _SIDE_MAX and long <= _RATIO_MAX * short
