"""Responses with the image tool; without it, words."""

import base64

from fastapi import APIRouter, Request
from starlette.responses import Response

from eco2_sandbox.brain.reply import Turn, say
from eco2_sandbox.drawing.mosaic import mosaic
from eco2_sandbox.openai_api import errors
from eco2_sandbox.openai_api.checks import check_model, read_body
from eco2_sandbox.openai_api.response_events import as_stream
from eco2_sandbox.openai_api.response_object import Output, ResponseObject, failed_picture, picture, words
from eco2_sandbox.openai_api.response_requests import ImageTool, ResponseRequest
from eco2_sandbox.server import ServerDep
from eco2_sandbox.vendors.behaviour import VendorBehaviour, VendorFail
from eco2_sandbox.vendors.door import serve
from eco2_sandbox.vendors.replies import Reply

router = APIRouter(prefix="/v1", tags=["openai"])

_REFUSED = "I cannot draw that."
_DRAWN = "예시 그림이에요. (A sample picture.)"
_STREAM = "text/event-stream; charset=utf-8"


@router.post("/responses")
async def respond(request: Request, server: ServerDep) -> Response:
    """Draw, or say something."""
    body = await read_body(request, ResponseRequest)
    check_model(body.model, server.settings.missing_model)
    tool = body.image_tool
    if tool is not None and tool.pixels is None:
        message = f"Invalid size '{tool.size}' for the image model '{tool.model}'."
        raise errors.ApiError(400, message, param="tools[0].size", code="invalid_value")

    def make(behaviour: VendorBehaviour) -> Reply:
        response = ResponseObject(body.model, _output(body, tool, behaviour), body.wish)
        if body.stream:
            return Reply(as_stream(response, _partial(body, tool, response)), media_type=_STREAM)
        return Reply(response.as_object())

    return serve(server, "images", make, refuse)


def refuse(fail: VendorFail) -> Reply:
    """Return an asked-for failure in OpenAI's shape; a code such as `moderation_blocked` is told as it is."""
    status = fail.status or 400
    code = None if fail.code is None else str(fail.code)
    kind = "server_error" if status >= 500 else "requests" if status == 429 else "invalid_request_error"
    message = f"The request was refused ({code or status})."
    return Reply({"error": {"message": message, "type": kind, "param": None, "code": code}}, status)


def _output(body: ResponseRequest, tool: ImageTool | None, behaviour: VendorBehaviour) -> list[Output]:
    if tool is None:
        return [words(say([Turn(message.role, message.text) for message in body.input]))]
    if behaviour.picture == "failed":
        return [failed_picture()]
    if behaviour.picture == "refused":
        return [words(_REFUSED)]
    width, height = tool.pixels or (1024, 1024)
    return [picture(tool, mosaic(body.wish, width, height), body.wish), words(_DRAWN)]


def _partial(body: ResponseRequest, tool: ImageTool | None, response: ResponseObject) -> list[str]:
    if tool is None or response.output[0].get("status") != "completed":
        return []
    drafts = (mosaic(f"{body.wish} {number}", 64, 64) for number in range(tool.partial_images))
    return [base64.b64encode(draft).decode() for draft in drafts]
