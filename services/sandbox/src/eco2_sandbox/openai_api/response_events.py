"""A response as a stream of events."""

from collections.abc import Iterator, Sequence
from itertools import count
from typing import Any

import orjson

from eco2_sandbox.openai_api.response_object import Output, ResponseObject

Event = dict[str, Any]


def as_stream(response: ResponseObject, partial: Sequence[str]) -> str:
    """Return the whole stream; `partial` are pictures on the way to the last, as base64."""
    numbers = count()
    frames = (
        f"event: {event['type']}\ndata: {_json({**event, 'sequence_number': next(numbers)})}\n\n"
        for event in _events(response, partial)
    )
    return "".join(frames)


def _events(response: ResponseObject, partial: Sequence[str]) -> Iterator[Event]:
    for kind in ("created", "in_progress"):
        yield {"type": f"response.{kind}", "response": response.as_object("in_progress")}
    for index, output in enumerate(response.output):
        empty: Output = {"status": "in_progress", "result": None, "content": []}
        begun = {**output, **{name: value for name, value in empty.items() if name in output}}
        yield {"type": "response.output_item.added", "output_index": index, "item": begun}
        is_picture = output["type"] == "image_generation_call"
        yield from _picture(output, index, partial) if is_picture else _words(output, index)
        yield {"type": "response.output_item.done", "output_index": index, "item": output}
    yield {"type": "response.completed", "response": response.as_object()}


def _picture(output: Output, index: int, partial: Sequence[str]) -> Iterator[Event]:
    where = {"output_index": index, "item_id": output["id"]}
    for kind in ("in_progress", "generating"):
        yield {"type": f"response.image_generation_call.{kind}", **where}
    for number, image in enumerate(partial):
        yield {
            "type": "response.image_generation_call.partial_image",
            **where,
            "partial_image_index": number,
            "partial_image_b64": image,
        }
    if output["status"] == "completed":
        yield {"type": "response.image_generation_call.completed", **where}


def _words(output: Output, index: int) -> Iterator[Event]:
    part = output["content"][0]
    where = {"output_index": index, "item_id": output["id"], "content_index": 0}
    yield {"type": "response.content_part.added", **where, "part": {**part, "text": ""}}
    yield {"type": "response.output_text.delta", **where, "delta": part["text"], "logprobs": []}
    yield {"type": "response.output_text.done", **where, "text": part["text"], "logprobs": []}
    yield {"type": "response.content_part.done", **where, "part": part}


def _json(event: Event) -> str:
    return orjson.dumps(event).decode()
