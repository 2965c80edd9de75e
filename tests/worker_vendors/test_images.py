"""Pictures of the OpenAI Responses API: its reply shapes, its refusals, its limits."""

import asyncio
import base64
from collections.abc import AsyncIterator, Callable
from typing import Any

import orjson
import pytest
from chat_worker.adapters import openai_images
from chat_worker.adapters.openai_images import OpenAIImages, is_drawable
from chat_worker.errors import (
    AnswerRefused,
    AuthError,
    BadRequest,
    QuotaExceeded,
    SchemaDrift,
    Transient,
    VendorError,
)
from opentelemetry.trace import SpanKind, StatusCode
from pydantic import SecretStr

from tests.worker_vendors.conftest import CANARY, Leaks, Traces
from tests.worker_vendors.vendor_server import HANGS, Reply, VendorServer, json_reply

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20
JPEG = b"\xff\xd8\xff\xe0" + b"\0" * 20
WEBP = b"RIFF\x1c\0\0\0WEBPVP8 " + b"\0" * 12
PATH = "/v1/responses"
MakeImages = Callable[..., OpenAIImages]


def call(data: bytes | str | None, status: str = "completed", **fields: Any) -> dict[str, Any]:
    result = base64.b64encode(data).decode() if isinstance(data, bytes) else data
    return {"type": "image_generation_call", "id": "ig_1", "status": status, "result": result, **fields}


MESSAGE = {
    "type": "message",
    "id": "msg_1",
    "role": "assistant",
    "content": [{"type": "output_text", "text": "그릴 수 없어요.", "annotations": []}],
}


def response(*output: dict[str, Any], **fields: Any) -> dict[str, Any]:
    usage = {"input_tokens": 12, "output_tokens": 1_056, "total_tokens": 1_068}
    whole = {"id": "resp_1", "object": "response", "status": "completed", "error": None, "usage": usage}
    return {**whole, "output": list(output), **fields}


def refused(code: str, status: int = 400) -> Reply:
    return json_reply({"error": {"message": "no", "type": "user_error", "code": code}}, status)


@pytest.fixture
async def make_images(
    vendor: VendorServer, traces: Traces, key: SecretStr, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[MakeImages]:
    monkeypatch.setattr(openai_images, "wait_random_exponential", lambda **_: lambda _state: 0.01)
    made: list[OpenAIImages] = []

    def make(**options: Any) -> OpenAIImages:
        options = {"budget_s": 2, **options}
        made.append(OpenAIImages("gpt-4.1-mini", key, f"{vendor.base_url}/v1", traces.tracer, **options))
        return made[-1]

    yield make
    for images in made:
        await images.close()


@pytest.mark.parametrize(
    ("data", "media_type"), [(PNG, "image/png"), (JPEG, "image/jpeg"), (WEBP, "image/webp")]
)
async def test_a_picture_is_decoded_and_named_by_its_first_bytes(
    vendor: VendorServer, make_images: MakeImages, data: bytes, media_type: str
) -> None:
    drawn = call(data, revised_prompt="A <b>can</b>\x00")
    vendor.answer(PATH, json_reply(response({"type": "reasoning", "summary": []}, drawn)))

    image = await make_images().make("분리배출하는 캔")

    assert (image.data, image.media_type, image.description) == (data, media_type, "A can")
    asked = orjson.loads(vendor.asked[0].body)
    assert asked["tool_choice"] == {"type": "image_generation"}
    assert asked["tools"][0]["type"] == "image_generation"
    assert asked["input"][0]["content"][0]["text"] == "분리배출하는 캔"
    assert vendor.asked[0].headers["Authorization"] == f"Bearer {CANARY}"


async def test_a_reply_without_a_revised_prompt_has_no_description(
    vendor: VendorServer, make_images: MakeImages
) -> None:
    vendor.answer(PATH, json_reply(response(call(PNG))))

    assert (await make_images().make("캔")).description == ""


@pytest.mark.parametrize(
    "reply",
    [
        response(call(None, status="failed")),
        response(call(PNG, status="failed"), MESSAGE),
        response(call(None, status="in_progress"), status="incomplete"),
        response(status="failed", error={"code": "server_error", "message": "oops"}),
    ],
)
async def test_a_picture_that_failed_or_was_not_finished_may_succeed_another_time(
    vendor: VendorServer, make_images: MakeImages, reply: dict[str, Any]
) -> None:
    vendor.answer(PATH, json_reply(reply))

    with pytest.raises(Transient):
        await make_images().make("캔")

    assert len(vendor.asked) == 1, "a picture is paid for: it is not drawn again by itself"


@pytest.mark.parametrize(
    "reply",
    [
        json_reply(response(MESSAGE)),
        json_reply(
            response(status="failed", error={"code": "image_content_policy_violation", "message": "no"})
        ),
        refused("moderation_blocked"),
        refused("content_policy_violation"),
    ],
)
async def test_a_wish_that_the_model_declines_is_refused(
    vendor: VendorServer, make_images: MakeImages, reply: Reply
) -> None:
    vendor.answer(PATH, reply)

    with pytest.raises(AnswerRefused):
        await make_images().make("캔")

    assert len(vendor.asked) == 1


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (refused("invalid_api_key", 401), AuthError),
        (refused("unverified", 403), AuthError),
        (refused("insufficient_quota", 429), QuotaExceeded),
        (refused("invalid_value", 400), BadRequest),
        (refused("model_not_found", 404), BadRequest),
        (Reply(b"<html>", 302, headers={"Location": "https://elsewhere.example/"}), SchemaDrift),
        (Reply(b"not json"), SchemaDrift),
        (json_reply({"choices": []}), SchemaDrift),
        (json_reply(response()), SchemaDrift),
    ],
)
async def test_each_refusal_has_its_error(
    vendor: VendorServer, make_images: MakeImages, reply: Reply, error: type[VendorError]
) -> None:
    vendor.answer(PATH, reply)

    with pytest.raises(error):
        await make_images().make("캔")

    assert len(vendor.asked) == 1


@pytest.mark.parametrize("first", [refused("rate_limit_exceeded", 429), Reply(b"busy", 503)])
async def test_a_server_that_is_busy_is_asked_again(
    vendor: VendorServer, make_images: MakeImages, first: Reply
) -> None:
    vendor.answer(PATH, first, json_reply(response(call(PNG))))

    assert (await make_images().make("캔")).data == PNG


async def test_what_fails_late_may_have_been_drawn_and_is_not_asked_for_again(
    vendor: VendorServer, make_images: MakeImages, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openai_images, "SOON_S", 0.0)
    vendor.answer(PATH, Reply(b"bad gateway", 502), json_reply(response(call(PNG))))

    with pytest.raises(Transient):
        await make_images().make("캔")

    assert len(vendor.asked) == 1


@pytest.mark.parametrize(
    "result",
    [
        base64.b64encode(b"<svg onload='x()'></svg>").decode(),
        base64.b64encode(b"<html><script>x()</script>").decode(),
        base64.b64encode(b"RIFF\0\0\0\0WAVEfmt ").decode(),
        "not base64!",
        "data:image/png;base64," + base64.b64encode(PNG).decode(),
        "",
    ],
)
async def test_bytes_that_are_no_picture_are_not_passed_on(
    vendor: VendorServer, make_images: MakeImages, result: str
) -> None:
    vendor.answer(PATH, json_reply(response(call(result))))

    with pytest.raises(SchemaDrift):
        await make_images().make("캔")


@pytest.mark.parametrize("extra", [1_500, 200_000])
async def test_a_picture_above_the_limit_is_not_passed_on(
    vendor: VendorServer, make_images: MakeImages, extra: int
) -> None:
    vendor.answer(PATH, json_reply(response(call(PNG + b"\0" * extra))))

    with pytest.raises(SchemaDrift):
        await make_images(max_bytes=1_000).make("캔")


@pytest.mark.parametrize("wish", ["", "가" * 8_001])
async def test_a_wish_has_a_length(vendor: VendorServer, make_images: MakeImages, wish: str) -> None:
    with pytest.raises(BadRequest):
        await make_images().make(wish)

    assert vendor.asked == []


async def test_a_slow_vendor_ends_within_the_budget(vendor: VendorServer, make_images: MakeImages) -> None:
    vendor.answer(PATH, HANGS)
    began = asyncio.get_running_loop().time()

    with pytest.raises(Transient):
        await make_images(budget_s=0.3).make("캔")

    assert asyncio.get_running_loop().time() - began < 1
    assert openai_images.BUDGET_S >= 90


async def test_the_span_tells_the_model_and_the_tokens_and_nothing_of_the_content(
    vendor: VendorServer, make_images: MakeImages, traces: Traces
) -> None:
    vendor.answer(PATH, json_reply(response(call(PNG, revised_prompt="a secret picture"))))

    await make_images().make("비밀 그림")

    (span,) = [span for span in traces.spans if span.name == "generate_content gpt-4.1-mini"]
    assert span.kind is SpanKind.CLIENT
    assert span.attributes is not None
    assert span.attributes["gen_ai.request.model"] == "gpt-4.1-mini"
    assert span.attributes["gen_ai.output.type"] == "image"
    assert span.attributes["gen_ai.usage.output_tokens"] == 1_056
    assert not any(
        secret in span.to_json() for span in traces.spans for secret in ("비밀", "secret", "iVBOR")
    )


async def test_a_failure_marks_the_span(
    vendor: VendorServer, make_images: MakeImages, traces: Traces
) -> None:
    vendor.answer(PATH, json_reply(response(MESSAGE)))

    with pytest.raises(AnswerRefused):
        await make_images().make("캔")

    (span,) = [span for span in traces.spans if span.name.startswith("generate_content")]
    assert span.attributes is not None
    assert span.attributes["error.type"] == "AnswerRefused"
    assert span.status.status_code is StatusCode.ERROR


async def test_the_key_stays_inside(vendor: VendorServer, make_images: MakeImages, leaks: Leaks) -> None:
    body = {"error": {"message": f"Incorrect API key provided: {CANARY}", "code": "invalid_api_key"}}
    vendor.answer(PATH, json_reply(body, 401))

    with pytest.raises(AuthError) as caught:
        await make_images().make("캔")

    assert leaks.traces.spans
    assert leaks.holding(CANARY, caught.value) == []


@pytest.mark.parametrize(
    ("size", "model", "is_fine"),
    [
        ("1024x1536", "gpt-image-1", True),
        ("auto", "gpt-image-1-mini", True),
        ("1280x720", "gpt-image-1", False),
        ("1280x720", "gpt-image-2", True),
        ("1281x720", "gpt-image-2", False),
        ("3840x1280", "gpt-image-2", True),
        ("3840x1264", "gpt-image-2", False),
        ("4096x4096", "gpt-image-2", False),
        ("00x00", "gpt-image-2", False),
        ("large", "gpt-image-2", False),
    ],
)
def test_a_size_belongs_to_its_model(size: str, model: str, is_fine: bool) -> None:
    assert is_drawable(size, model) is is_fine


def test_a_size_that_is_not_drawn_is_told_at_start(traces: Traces, key: SecretStr) -> None:
    with pytest.raises(ValueError, match="draws no 1x1"):
        OpenAIImages("m", key, None, traces.tracer, size="1x1")
