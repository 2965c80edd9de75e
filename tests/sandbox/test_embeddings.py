import base64
import math
import struct

import pytest


async def test_the_client_reads_the_same_vector_from_base64_and_from_numbers(sandbox):
    async with sandbox.client() as client:
        as_default = await client.embeddings.create(model="m", input="무색 페트병")
        as_numbers = await client.embeddings.create(model="m", input="무색 페트병", encoding_format="float")
    one, other = as_default.data[0].embedding, as_numbers.data[0].embedding
    assert len(one) == 1536
    assert one == pytest.approx(other)
    assert math.hypot(*one) == pytest.approx(1)


def test_base64_is_little_endian_32_bit(sandbox):
    body = {"model": "m", "input": ["a"], "dimensions": 8}
    packed = sandbox.post({**body, "encoding_format": "base64"}, "embeddings").json()["data"][0]["embedding"]
    numbers = sandbox.post(body, "embeddings").json()["data"][0]["embedding"]
    assert list(struct.unpack("<8f", base64.b64decode(packed))) == pytest.approx(numbers)


def test_texts_that_share_letters_are_nearer_than_texts_that_do_not(sandbox):
    texts = ["페트병 버리는 법", "무색 페트병 버리기", "내일 서울 날씨"]
    data = sandbox.post({"model": "m", "input": texts}, "embeddings").json()["data"]
    asked, near, far = (entry["embedding"] for entry in data)
    assert [entry["index"] for entry in data] == [0, 1, 2]
    assert sum(a * b for a, b in zip(asked, near, strict=True)) > 0.2 + sum(
        a * b for a, b in zip(asked, far, strict=True)
    )


def test_token_numbers_are_accepted_as_input(sandbox):
    one = sandbox.post({"model": "m", "input": [1, 2, 3]}, "embeddings").json()
    many = sandbox.post({"model": "m", "input": [[1, 2, 3], [4]]}, "embeddings").json()
    assert (len(one["data"]), len(many["data"])) == (1, 2)
    assert one["data"][0]["embedding"] == many["data"][0]["embedding"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"input": ""},
        {"input": []},
        {},
        {"input": "a", "dimensions": 0},
        {"input": "a", "encoding_format": "x"},
    ],
)
def test_a_wrong_embedding_request_is_refused(sandbox, wrong):
    refused = sandbox.post({"model": "m", **wrong}, "embeddings")
    assert refused.status_code == 400
    assert refused.json()["error"]["param"]
