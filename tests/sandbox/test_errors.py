import httpx
import openai
import pytest

HELLO = [{"role": "user", "content": "안녕"}]
ASKED = {"model": "m", "messages": HELLO}


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, openai.BadRequestError),
        (401, openai.AuthenticationError),
        (429, openai.RateLimitError),
        (500, openai.InternalServerError),
    ],
)
@pytest.mark.parametrize("streamed", [True, False])
async def test_a_failure_on_request_is_the_clients_typed_error(sandbox, status, error, streamed):
    sandbox.behave(fail={"status": status, "times": None})
    async with sandbox.client() as client:
        with pytest.raises(error) as caught:
            await client.chat.completions.create(**ASKED, stream=streamed)
    assert set(caught.value.body) == {"message", "type", "param", "code"}
    assert sandbox.counts("stream" if streamed else "plain")["failed"] == 1


async def test_a_failure_passes_after_the_times_asked_for_so_that_a_retry_succeeds(sandbox):
    sandbox.behave(fail={"status": 429, "times": 2})
    async with sandbox.client() as client:
        reply = await client.with_options(max_retries=2).chat.completions.create(**ASKED)
    assert reply.choices[0].message.content
    assert sandbox.counts("plain")["failed"] == 2
    assert sandbox.counts("plain")["completed"] == 1


def test_a_request_without_a_key_is_told_so_before_anything_else(sandbox):
    for path in ("chat/completions", "embeddings"):
        refused = httpx.post(f"{sandbox.url}/v1/{path}", content=b"{")
        assert refused.status_code == 401
        assert "API key" in refused.json()["error"]["message"]
    assert httpx.get(f"{sandbox.url}/v1/models").status_code == 401


async def test_the_missing_model_is_not_found(sandbox):
    async with sandbox.client() as client:
        with pytest.raises(openai.NotFoundError) as caught:
            await client.chat.completions.create(model="no-such-model", messages=HELLO)
        with pytest.raises(openai.NotFoundError):
            await client.embeddings.create(model="no-such-model", input="a")
    assert caught.value.code == "model_not_found"


@pytest.mark.parametrize(
    ("body", "param", "code"),
    [
        ({"messages": HELLO}, "model", "missing_required_parameter"),
        ({"model": "m"}, "messages", "missing_required_parameter"),
        ({"model": "m", "messages": []}, "messages", "invalid_value"),
        ({"model": "m", "messages": [{"role": "user", "content": 5}]}, "messages[0].content", "invalid_type"),
        ({"model": "m", "messages": [{"role": "king", "content": "a"}]}, "messages[0].role", "invalid_value"),
        ({**ASKED, "n": 2}, "n", "unsupported_value"),
        ({**ASKED, "stream_options": {"include_usage": True}}, "stream_options", "unsupported_value"),
        (
            {**ASKED, "response_format": {"type": "json_schema"}},
            "response_format.json_schema",
            "missing_required_parameter",
        ),
    ],
)
def test_a_malformed_request_names_the_parameter(sandbox, body, param, code):
    refused = sandbox.post(body)
    error = refused.json()["error"]
    assert refused.status_code == 400
    assert (error["param"], error["code"], error["type"]) == (param, code, "invalid_request_error")


@pytest.mark.parametrize("sent", [b"{", b"[]", b"\xff", b'"text"', b""])
def test_a_body_that_is_no_json_object_is_refused(sandbox, sent):
    headers = {"Authorization": "Bearer any"}
    refused = httpx.post(f"{sandbox.url}/v1/chat/completions", content=sent, headers=headers)
    assert refused.status_code == 400
    assert "parse the JSON body" in refused.json()["error"]["message"]


def test_an_unknown_address_and_a_wrong_method_answer_in_the_same_shape(sandbox):
    unknown = sandbox.post({}, "nope")
    wrong = httpx.delete(f"{sandbox.url}/v1/models")
    assert (unknown.status_code, wrong.status_code) == (404, 405)
    assert unknown.json()["error"]["message"] == "Invalid URL (POST /v1/nope)"
    assert wrong.json()["error"]["type"] == "invalid_request_error"
