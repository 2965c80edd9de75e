import base64
import struct
import zlib

import openai
import pytest

TOOL = {"type": "image_generation", "size": "1024x1024", "quality": "low"}
WISH = "분리배출 포스터를 그려줘"


@pytest.fixture
def client(vendors):
    with openai.OpenAI(base_url=f"{vendors.url}/v1", api_key="any", max_retries=0, timeout=20) as client:
        yield client


def draw(client, wish=WISH, **tool):
    return client.responses.create(
        model="m", input=wish, tools=[{**TOOL, **tool}], tool_choice={"type": "image_generation"}
    )


def calls(response):
    return [output for output in response.output if output.type == "image_generation_call"]


def size_of(png):
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    return struct.unpack(">II", png[16:24])


def pixels_of(png):
    """The rows of a PNG, with every checksum looked at."""
    at, data = 8, b""
    while at < len(png):
        length, kind = struct.unpack(">I4s", png[at : at + 8])
        content = png[at + 8 : at + 8 + length]
        assert struct.unpack(">I", png[at + 8 + length : at + 12 + length])[0] == zlib.crc32(kind + content)
        data += content if kind == b"IDAT" else b""
        at += 12 + length
    return zlib.decompress(data)


def test_a_picture_is_drawn_as_base64_of_a_real_png(client):
    response = draw(client)
    call = calls(response)[0]
    png = base64.b64decode(call.result)
    assert (call.status, size_of(png)) == ("completed", (1024, 1024))
    assert len(pixels_of(png)) == 1024 * 1025
    assert len(png) < 100_000
    assert call.to_dict()["revised_prompt"] == WISH
    assert "예시" in response.output_text
    assert response.usage.total_tokens == response.usage.input_tokens + response.usage.output_tokens


def test_the_same_wish_is_drawn_the_same_and_another_is_not(client):
    assert calls(draw(client))[0].result == calls(draw(client))[0].result
    assert calls(draw(client))[0].result != calls(draw(client, wish="고양이"))[0].result


@pytest.mark.parametrize(
    ("tool", "size"),
    [
        ({"size": "1024x1536"}, (1024, 1536)),
        ({"size": "auto"}, (1024, 1024)),
        ({"model": "gpt-image-2", "size": "1600x800"}, (1600, 800)),
    ],
)
def test_a_picture_has_the_size_asked_for(client, tool, size):
    assert size_of(base64.b64decode(calls(draw(client, **tool))[0].result)) == size


@pytest.mark.parametrize(
    "tool",
    [
        {"size": "800x800"},
        {"size": "big"},
        {"model": "gpt-image-2", "size": "1601x800"},
        {"model": "gpt-image-2", "size": "3200x800"},
        {"quality": "best"},
        {"partial_images": 4},
    ],
)
def test_what_the_tool_cannot_do_is_refused(client, tool):
    with pytest.raises(openai.BadRequestError):
        draw(client, **tool)


def test_a_wish_may_come_as_messages(client):
    messages = [{"role": "user", "content": [{"type": "input_text", "text": WISH}]}]
    assert calls(draw(client, wish=messages))[0].result == calls(draw(client))[0].result


def test_without_the_tool_there_are_words(client):
    response = client.responses.create(model="m", input="안녕")
    assert "안녕하세요" in response.output_text
    assert calls(response) == []


def test_a_stream_has_drafts_and_then_the_picture(client):
    events = list(
        client.responses.create(model="m", input=WISH, tools=[{**TOOL, "partial_images": 2}], stream=True)
    )
    kinds = [event.type.removeprefix("response.") for event in events]
    assert kinds[:2] == ["created", "in_progress"]
    assert kinds[-1] == "completed"
    assert [kind for kind in kinds if "image" in kind] == [
        f"image_generation_call.{kind}"
        for kind in ("in_progress", "generating", "partial_image", "partial_image", "completed")
    ]
    drafts = [event for event in events if event.type.endswith("partial_image")]
    assert [draft.partial_image_index for draft in drafts] == [0, 1]
    assert all(size_of(base64.b64decode(draft.partial_image_b64)) for draft in drafts)
    assert calls(events[-1].response)[0].result == calls(draw(client))[0].result
    assert [event.sequence_number for event in events] == list(range(len(events)))


def test_a_call_may_fail_and_a_wish_may_be_refused_in_words(vendors, client):
    vendors.behave("images", picture="failed")
    assert [(call.status, call.result) for call in calls(draw(client))] == [("failed", None)]
    vendors.behave("images", picture="refused")
    refused = draw(client)
    assert calls(refused) == []
    assert "cannot draw" in refused.output_text


def test_moderation_is_a_bad_request_with_its_code(vendors, client):
    vendors.behave("images", fail={"status": 400, "code": "moderation_blocked"})
    with pytest.raises(openai.BadRequestError) as caught:
        draw(client)
    assert caught.value.code == "moderation_blocked"


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (401, openai.AuthenticationError),
        (403, openai.PermissionDeniedError),
        (429, openai.RateLimitError),
        (500, openai.InternalServerError),
    ],
)
def test_other_failures_are_told_in_openai_s_shape(vendors, client, status, error):
    vendors.behave("images", fail={"status": status})
    with pytest.raises(error):
        draw(client)


def test_a_key_and_a_model_are_needed(vendors, client):
    assert (
        vendors.http.post(f"{vendors.url}/v1/responses", json={"model": "m", "input": "a"}).status_code == 401
    )
    with pytest.raises(openai.NotFoundError):
        client.responses.create(model="no-such-model", input="a")
