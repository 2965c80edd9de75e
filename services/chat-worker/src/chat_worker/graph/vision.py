"""What a picture shows, before anything is understood of the question that came with it."""

import asyncio
import base64

from eco2_bus.log import LogUnavailable
from eco2_bus.pictures import Picture, PictureGone, referred_id

from chat_worker.agents.findings import failed
from chat_worker.domain import Finding
from chat_worker.errors import AnswerRefused, ModelRejected, ModelUnavailable
from chat_worker.graph.nodes import stage_of
from chat_worker.graph.state import ChatState, TurnContext
from chat_worker.ports import Tools

DEADLINE_S = 30.0
_UNSEEN = {
    "ko": "사진을 알아볼 수 없었어요. 어떤 물건인지 글로 알려 주세요.",
    "en": "The picture could not be understood. Please say in words what it is.",
}


async def vision(state: ChatState, context: TurnContext) -> ChatState:
    """Names the thing in the picture; a picture that cannot be seen becomes an honest line of the answer."""
    with stage_of(context, "vision") as stage:
        try:
            async with asyncio.timeout(DEADLINE_S):
                return await _seen(state, context)
        except TimeoutError:
            stage.failed = f"no result within {DEADLINE_S:g} s"
        except (AnswerRefused, ModelRejected, ModelUnavailable, PictureGone, LogUnavailable) as error:
            stage.failed = type(error).__name__
    return {"findings": [_unseen(state)]}


async def _seen(state: ChatState, context: TurnContext) -> ChatState:
    if context.tools.vision is None:
        raise ModelUnavailable("no model that sees")
    url = await _readable(state.get("image_url") or "", context.tools)
    sighting, usage = await context.tools.vision.look(url, state.get("question", ""))
    change: ChatState = {"sighting": sighting.model_dump(), "usage": [usage]}
    if sighting.item is None:
        change["findings"] = [_unseen(state)]
    return change


def _unseen(state: ChatState) -> Finding:
    return failed("vision", _UNSEEN["en" if state.get("question", "").isascii() else "ko"])


async def _readable(image_url: str, tools: Tools) -> str:
    """An address that the model can read: of the web, or the picture itself where it is kept here."""
    picture_id = referred_id(image_url)
    if picture_id is None:
        return image_url
    if tools.pictures is None:
        raise PictureGone(picture_id)
    # Encoding 5 MB takes some 10 ms, which every other stream would feel.
    return await asyncio.to_thread(_data_url, await tools.pictures.get(picture_id))


def _data_url(picture: Picture) -> str:
    return f"data:{picture.content_type};base64,{base64.b64encode(picture.data).decode()}"
