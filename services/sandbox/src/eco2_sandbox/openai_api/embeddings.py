"""Embeddings, as numbers or as base64."""

import asyncio
import base64
import sys
from array import array
from typing import Annotated, Literal, cast

import orjson
from fastapi import APIRouter, Request
from pydantic import BaseModel, BeforeValidator, Field
from starlette.responses import Response
from starlette.types import Send

from eco2_sandbox.brain.pieces import count_tokens
from eco2_sandbox.brain.vectors import vector
from eco2_sandbox.delivery import Delivery, Work, hold, send_body, send_head
from eco2_sandbox.openai_api import admission
from eco2_sandbox.openai_api.checks import check_model, read_body
from eco2_sandbox.server import ServerDep
from eco2_sandbox.traffic import Ending

router = APIRouter(prefix="/v1", tags=["openai"])


def _as_texts(value: object) -> object:
    if isinstance(value, str):
        return [value]
    if not isinstance(value, list):
        return value
    entries = cast(list[object], value)
    if entries and all(isinstance(entry, int) for entry in entries):
        return [_spelled(entries)]
    return [_spelled(cast(list[object], entry)) if isinstance(entry, list) else entry for entry in entries]


def _spelled(numbers: list[object]) -> str:
    # Token numbers stand for a text; without OpenAI's vocabulary their digits are as good.
    return " ".join(map(str, numbers))


class EmbeddingRequest(BaseModel):
    """The body of an embedding request."""

    model: str = Field(min_length=1)
    input: Annotated[list[Annotated[str, Field(min_length=1)]], BeforeValidator(_as_texts)] = Field(
        min_length=1, max_length=2048
    )
    encoding_format: Literal["float", "base64"] | None = "float"
    dimensions: int | None = Field(default=None, ge=1, le=4096)


@router.post("/embeddings")
async def embed(request: Request, server: ServerDep) -> Response:
    """Return one unit vector per input text."""
    body = await read_body(request, EmbeddingRequest)
    check_model(body.model, server.settings.missing_model)
    behaviour = admission.admit(server, "embeddings")
    delay_ms = server.pace.delay_ms("embeddings")
    work = hold() if behaviour.hang else _send_vectors(body, server.settings.embedding_dimensions, delay_ms)
    return Delivery(work, server.traffic.embeddings)


def _send_vectors(body: EmbeddingRequest, dimensions: int, delay_ms: float) -> Work:
    reply = orjson.dumps(_reply(body, body.dimensions or dimensions))

    async def send_reply(send: Send) -> Ending:
        await asyncio.sleep(delay_ms / 1000)
        length = (b"content-length", b"%d" % len(reply))
        await send_head(send, [(b"content-type", b"application/json"), length])
        await send_body(send, reply, is_last=True)
        return "completed"

    return send_reply


def _reply(body: EmbeddingRequest, dimensions: int) -> dict[str, object]:
    tokens = sum(count_tokens(text) for text in body.input)
    as_base64 = body.encoding_format == "base64"
    vectors = [vector(text, dimensions) for text in body.input]
    data = [
        {"object": "embedding", "index": index, "embedding": _base64(v) if as_base64 else v.tolist()}
        for index, v in enumerate(vectors)
    ]
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return {"object": "list", "data": data, "model": body.model, "usage": usage}


def _base64(numbers: "array[float]") -> str:
    little = array("f", numbers)
    if sys.byteorder == "big":
        little.byteswap()
    return base64.b64encode(little.tobytes()).decode()
