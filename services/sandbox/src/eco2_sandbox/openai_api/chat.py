"""Chat completions, streamed and not."""

import asyncio
from itertools import cycle, islice

import orjson
from fastapi import APIRouter, Request
from starlette.responses import Response
from starlette.types import Send

from eco2_sandbox.behaviour import Behaviour
from eco2_sandbox.brain.pieces import pieces
from eco2_sandbox.brain.reply import Turn, fill, is_grounded, say
from eco2_sandbox.delivery import Delivery, Work, hold, send_body, send_head
from eco2_sandbox.openai_api import admission
from eco2_sandbox.openai_api.checks import check_chat, read_body
from eco2_sandbox.openai_api.completion import Completion, prompt_tokens
from eco2_sandbox.openai_api.requests import ChatRequest
from eco2_sandbox.openai_api.stream import stream
from eco2_sandbox.pace import Step
from eco2_sandbox.server import ServerDep
from eco2_sandbox.traffic import Ending

router = APIRouter(prefix="/v1", tags=["openai"])


@router.post("/chat/completions")
async def complete_chat(request: Request, server: ServerDep) -> Response:
    """Answer a conversation in OpenAI's shapes."""
    body = await read_body(request, ChatRequest)
    check_chat(body, server.settings.missing_model)
    kind = "stream" if body.stream else "plain"
    behaviour = admission.admit(server, kind)
    tally = server.traffic.of(kind)
    if behaviour.hang:
        return Delivery(hold(), tally)
    completion = _complete(body, behaviour)
    step = _step(body)
    if not body.stream:
        return Delivery(_whole(completion, server.pace.whole(behaviour, step)), tally)
    behaviour = server.pace.streamed(behaviour, step, len(completion.tokens))
    with_usage = body.stream_options is not None and body.stream_options.include_usage
    frames = completion.as_frames(with_usage=with_usage)
    return Delivery(stream(frames, behaviour, admission.request_id(completion.id)), tally)


def _complete(body: ChatRequest, behaviour: Behaviour) -> Completion:
    tokens = pieces(_until_stop(_text(body), body.stop))
    if body.stream and behaviour.answer_tokens and tokens:
        tokens = tuple(islice(cycle(tokens), behaviour.answer_tokens))
    limit = body.max_completion_tokens or body.max_tokens
    return Completion(
        model=body.model,
        tokens=tokens[:limit],
        finish_reason="length" if limit and len(tokens) > limit else "stop",
        prompt_tokens=prompt_tokens(body.messages),
    )


def _turns(body: ChatRequest) -> list[Turn]:
    return [Turn(message.role, message.text, message.pictures) for message in body.messages]


def _step(body: ChatRequest) -> Step:
    if body.response_format is not None and body.response_format.type != "text":
        return "structured"
    return "grounded_answer" if is_grounded(_turns(body)) else "general_answer"


def _text(body: ChatRequest) -> str:
    turns = _turns(body)
    form = body.response_format
    if form is None or form.type == "text":
        return say(turns)
    if form.type == "json_schema" and form.json_schema is not None:
        return fill(turns, form.json_schema.name, form.json_schema.definition)
    return orjson.dumps({"answer": say(turns)}).decode()


def _until_stop(text: str, stops: list[str]) -> str:
    ends = [text.find(stop) for stop in stops if stop and stop in text]
    return text[: min(ends)] if ends else text


def _whole(completion: Completion, behaviour: Behaviour) -> Work:
    body = completion.as_object()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(body)),
        (b"x-request-id", admission.request_id(completion.id).encode()),
    ]
    made_in_ms = behaviour.first_token_ms + behaviour.token_ms * len(completion.tokens)

    async def send_whole(send: Send) -> Ending:
        await asyncio.sleep(made_in_ms / 1000)
        await send_head(send, headers)
        await send_body(send, body, is_last=True)
        return "completed"

    return send_whole
