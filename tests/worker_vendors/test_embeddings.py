"""Texts as vectors, by the shape of the OpenAI embeddings API."""

from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest
from chat_worker.adapters.openai_embeddings import OpenAIEmbeddings
from chat_worker.errors import AuthError, SchemaDrift
from pydantic import SecretStr

from tests.worker_vendors.conftest import Leaks, Traces
from tests.worker_vendors.vendor_server import VendorServer, json_reply

PATH = "/v1/embeddings"


@pytest.fixture
async def embeddings(vendor: VendorServer, key: SecretStr, traces: Traces) -> AsyncIterator[OpenAIEmbeddings]:
    made = OpenAIEmbeddings("text-embedding-3-small", key, f"{vendor.base_url}/v1", traces.tracer)
    yield made
    await made.close()


def reply(*vectors: tuple[int, list[float]]) -> dict[str, Any]:
    data = [{"object": "embedding", "index": index, "embedding": vector} for index, vector in vectors]
    usage = {"prompt_tokens": 2, "total_tokens": 2}
    return {"object": "list", "data": data, "model": "text-embedding-3-small", "usage": usage}


async def test_vectors_come_in_the_order_of_the_texts(
    vendor: VendorServer, embeddings: OpenAIEmbeddings
) -> None:
    vendor.answer(PATH, json_reply(reply((1, [0.0, 1.0]), (0, [1.0, 0.0]))))
    assert await embeddings.embed(["하나", "둘"]) == [[1.0, 0.0], [0.0, 1.0]]
    asked = orjson.loads(vendor.asked[-1].body)
    assert (asked["model"], asked["input"]) == ("text-embedding-3-small", ["하나", "둘"])


async def test_a_reply_of_another_shape_is_not_taken_for_vectors(
    vendor: VendorServer, embeddings: OpenAIEmbeddings
) -> None:
    vendor.answer(PATH, json_reply({"data": [{"index": 0, "vector": [1.0]}]}))
    with pytest.raises(SchemaDrift):
        await embeddings.embed(["하나"])


async def test_a_refused_key_stays_inside(
    vendor: VendorServer, embeddings: OpenAIEmbeddings, key: SecretStr, leaks: Leaks
) -> None:
    vendor.answer(PATH, json_reply({"error": {"message": "no"}}, 401))
    with pytest.raises(AuthError) as refused:
        await embeddings.embed(["하나"])
    assert leaks.holding(key.get_secret_value(), refused.value) == []
