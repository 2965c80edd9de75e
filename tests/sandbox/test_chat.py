import json

import httpx
import orjson

HELLO = [{"role": "user", "content": "안녕"}]
ASKED = {"model": "m", "messages": HELLO}


async def test_the_streamed_text_is_the_text_that_comes_whole(sandbox):
    async with sandbox.client() as client:
        whole = await client.chat.completions.create(**ASKED)
        stream = await client.chat.completions.create(**ASKED, stream=True)
        chunks = [chunk async for chunk in stream]
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    assert text == whole.choices[0].message.content
    assert "안녕하세요" in text
    assert whole.choices[0].finish_reason == "stop"


def test_the_synchronous_client_reads_the_same_stream(sandbox):
    with sandbox.sync_client() as client:
        chunks = list(client.chat.completions.create(**ASKED, stream=True))
        whole = client.chat.completions.create(**ASKED)
    assert "".join(c.choices[0].delta.content or "" for c in chunks) == whole.choices[0].message.content


async def test_usage_comes_in_a_last_chunk_without_choices_and_counts_the_pieces(sandbox):
    async with sandbox.client() as client:
        stream = await client.chat.completions.create(
            **ASKED, stream=True, stream_options={"include_usage": True}
        )
        chunks = [chunk async for chunk in stream]
        whole = await client.chat.completions.create(**ASKED)
    *told, last = chunks
    pieces = [chunk for chunk in told if chunk.choices[0].delta.content]
    assert last.choices == []
    assert last.usage == whole.usage
    assert last.usage.completion_tokens == len(pieces)
    assert last.usage.total_tokens == last.usage.prompt_tokens + len(pieces)
    assert all(chunk.usage is None for chunk in told)


def test_the_bytes_of_a_stream_have_openai_s_order(sandbox):
    answered = sandbox.post({**ASKED, "stream": True})
    frames = answered.text.split("\n\n")
    assert answered.headers["content-type"].startswith("text/event-stream")
    assert answered.headers["x-request-id"].startswith("req_")
    assert frames[-2:] == ["data: [DONE]", ""]
    first, *_, finish = [orjson.loads(frame.removeprefix("data: ")) for frame in frames[:-2]]
    assert first["choices"][0]["delta"] == {"role": "assistant", "content": "", "refusal": None}
    assert first["object"] == "chat.completion.chunk"
    assert first["id"].startswith("chatcmpl-")
    assert first["system_fingerprint"].startswith("fp_")
    assert first["model"] == "m"
    assert "usage" not in first
    choice = finish["choices"][0]
    assert (choice["delta"], choice["finish_reason"]) == ({}, "stop")


def test_every_chunk_of_a_stream_carries_one_id_and_two_streams_carry_two(sandbox):
    def ids():
        frames = sandbox.post({**ASKED, "stream": True}).text.split("\n\n")[:-2]
        return {orjson.loads(frame.removeprefix("data: "))["id"] for frame in frames}

    one, other = ids(), ids()
    assert len(one) == len(other) == 1
    assert one != other


def test_a_limit_on_tokens_ends_the_reply_with_length(sandbox):
    reply = sandbox.post({**ASKED, "max_completion_tokens": 3}).json()
    assert reply["choices"][0]["finish_reason"] == "length"
    assert reply["usage"]["completion_tokens"] == 3


def test_a_stop_text_ends_the_reply_before_it(sandbox):
    content = sandbox.post({**ASKED, "stop": "하세요"}).json()["choices"][0]["message"]["content"]
    assert content == "안녕"


def test_pictures_are_accepted_and_the_text_beside_them_counts(sandbox):
    content = [
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
        {"type": "text", "text": "안녕"},
    ]
    with_picture = sandbox.post({"model": "m", "messages": [{"role": "user", "content": content}]}).json()
    without = sandbox.post(ASKED).json()
    assert with_picture["choices"][0]["message"] == without["choices"][0]["message"]


def test_tools_and_unknown_parameters_change_nothing(sandbox):
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
    plain = sandbox.post(ASKED).json()["choices"]
    assert sandbox.post({**ASKED, "tools": [tool], "temperature": 0.3, "seed": 7}).json()["choices"] == plain


def test_a_json_object_is_asked_for_and_given(sandbox):
    reply = sandbox.post({**ASKED, "response_format": {"type": "json_object"}}).json()
    assert set(json.loads(reply["choices"][0]["message"]["content"])) == {"answer"}


async def test_the_models_are_listed_and_shown(sandbox):
    async with sandbox.client() as client:
        listed = [model.id async for model in client.models.list()]
        shown = await client.models.retrieve(listed[0])
    assert listed == ["eco2-sandbox", "eco2-sandbox-embedding"]
    assert (shown.id, shown.object) == (listed[0], "model")


def test_it_says_that_it_lives(sandbox):
    assert httpx.get(f"{sandbox.url}/livez").json() == {"status": "ok"}
