import asyncio
import json

import httpx
import openai
import pytest

ASKED = {"model": "m", "messages": [{"role": "user", "content": "안녕"}]}
NEVER_MS = 3_600_000


async def test_a_client_that_leaves_stops_the_stream(sandbox):
    sandbox.behave(token_ms=NEVER_MS)
    async with sandbox.client() as client:
        stream = await client.chat.completions.create(**ASKED, stream=True)
        await anext(aiter(stream))
        assert sandbox.counts()["open"] == 1
        await stream.close()
        await asyncio.to_thread(sandbox.wait_for, lambda seen: seen["open"] == 0)
    assert sandbox.counts()["closed_early"] == 1
    assert sandbox.counts()["completed"] == 0


async def test_a_client_that_leaves_before_the_first_token_stops_the_stream_too(sandbox):
    sandbox.behave(first_token_ms=NEVER_MS)
    async with sandbox.client() as client:
        asking = asyncio.create_task(client.chat.completions.create(**ASKED, stream=True))
        await asyncio.to_thread(sandbox.wait_for, lambda seen: seen["open"] == 1)
        asking.cancel()
        await asyncio.to_thread(sandbox.wait_for, lambda seen: seen["closed_early"] == 1)
        with pytest.raises(asyncio.CancelledError):
            await asking


async def test_a_hung_request_is_never_answered_and_ends_with_its_client(sandbox):
    sandbox.behave(hang=True)
    async with sandbox.client() as client:
        with pytest.raises(openai.APITimeoutError):
            await client.with_options(timeout=0.2).chat.completions.create(**ASKED)
    await asyncio.to_thread(sandbox.wait_for, lambda seen: seen["closed_early"] == 1, "plain")


def read_into(received, sandbox):
    address, headers = f"{sandbox.url}/v1/chat/completions", {"Authorization": "Bearer any"}
    with httpx.stream("POST", address, json={**ASKED, "stream": True}, headers=headers) as answered:
        for part in answered.iter_raw():
            received += part


@pytest.mark.parametrize("tokens", [0, 3, 10_000])
def test_a_broken_stream_sends_its_tokens_and_no_end(sandbox, tokens):
    sandbox.behave(break_after_tokens=tokens)
    received = bytearray()
    with pytest.raises(httpx.RemoteProtocolError):
        read_into(received, sandbox)
    sandbox.behave()
    whole = sandbox.post(ASKED).json()["usage"]["completion_tokens"]
    # One frame more than tokens: the role comes first.
    assert received.count(b"data: ") == min(tokens, whole) + 1
    assert b"[DONE]" not in received
    assert b'"stop"' not in received
    assert sandbox.counts()["broken"] == 1


async def test_a_broken_stream_is_a_connection_error_in_the_client(sandbox):
    sandbox.behave(break_after_tokens=2)
    async with sandbox.client() as client:
        stream = await client.chat.completions.create(**ASKED, stream=True)
        with pytest.raises((openai.APIConnectionError, openai.APIError)):
            [chunk async for chunk in stream]


def test_a_behaviour_for_streams_leaves_other_requests_alone(sandbox):
    sandbox.behave(fail={"status": 500}, for_requests="stream")
    assert sandbox.post({**ASKED, "stream": True}).status_code == 500
    assert sandbox.post(ASKED).status_code == 200
    assert sandbox.post({"model": "m", "input": "a"}, "embeddings").status_code == 200


def test_a_behaviour_for_plain_requests_leaves_streams_alone(sandbox):
    sandbox.behave(fail={"status": 500}, for_requests="plain")
    assert sandbox.post({**ASKED, "stream": True}).status_code == 200
    assert sandbox.post(ASKED).status_code == 500
    assert sandbox.post({"model": "m", "input": "a"}, "embeddings").status_code == 500


def test_a_reset_returns_to_the_settings(serve):
    with serve(fail_status=401, token_ms=0.5) as sandbox:
        assert sandbox.post(ASKED).status_code == 401
        sandbox.behave(fail=None)
        assert sandbox.post(ASKED).status_code == 200
        reset = httpx.delete(f"{sandbox.url}/sandbox/behaviour").json()
        assert (reset["fail"], reset["token_ms"]) == ({"status": 401, "times": None}, 0.5)
        assert sandbox.post(ASKED).status_code == 401


def test_the_environment_sets_the_start(serve, monkeypatch):
    monkeypatch.setenv("SANDBOX_FIRST_TOKEN_MS", "3")
    monkeypatch.setenv("SANDBOX_TOKEN_MS", "1")
    with serve() as sandbox:
        shown = httpx.get(f"{sandbox.url}/sandbox/behaviour").json()
    assert (shown["first_token_ms"], shown["token_ms"]) == (3, 1)


@pytest.mark.parametrize(
    "wrong", [{"fail": {"status": 418}}, {"token_ms": -1}, {"speed": 3}, {"for_requests": "x"}]
)
def test_a_wrong_behaviour_is_refused_and_nothing_changes(sandbox, wrong):
    refused = httpx.put(f"{sandbox.url}/sandbox/behaviour", json=wrong)
    assert refused.status_code == 422
    assert sandbox.post(ASKED).status_code == 200


async def test_a_slow_stream_does_not_hold_up_a_quick_request(sandbox):
    sandbox.behave(token_ms=NEVER_MS, for_requests="stream")
    async with sandbox.client() as client:
        stream = await client.chat.completions.create(**ASKED, stream=True)
        await anext(aiter(stream))
        whole = await client.chat.completions.create(**ASKED)
        assert whole.choices[0].message.content
        assert sandbox.counts()["open"] == 1
        await stream.close()


def test_delays_change_nothing_in_the_text(sandbox):
    def chunks():
        frames = sandbox.post({**ASKED, "stream": True}).text.split("\n\n")[:-2]
        return [json.loads(frame.removeprefix("data: "))["choices"] for frame in frames]

    quick = chunks()
    sandbox.behave(first_token_ms=5, token_ms=1)
    assert chunks() == quick


def test_a_load_run_gets_streams_of_the_length_it_asks_for(sandbox):
    sandbox.behave(answer_tokens=200)
    answered = sandbox.post({**ASKED, "stream": True, "stream_options": {"include_usage": True}})
    assert answered.text.count('"delta":{"content":') == 200
    assert '"completion_tokens":200,' in answered.text


def test_two_sandboxes_share_no_behaviour(sandbox, serve):
    with serve() as other:
        other.behave(fail={"status": 500})
        assert sandbox.post(ASKED).status_code == 200
