"""A picture, drawn, kept, and told by its address; its bytes travel no further."""

from eco2_bus.log import LogUnavailable
from eco2_bus.pictures import Picture, picture_path

from chat_worker.agents.findings import failed, passage, told
from chat_worker.domain import Finding, Image, Language, Turn
from chat_worker.errors import AnswerRefused, Transient
from chat_worker.ports import Tools

WISH_MAX_CHARS = 1_000
_DRAWN: dict[Language, str] = {"ko": "요청하신 그림을 그렸어요.", "en": "The picture has been drawn."}
_REFUSED: dict[Language, str] = {
    "ko": "이 그림은 그릴 수 없어요. 다르게 부탁해 주세요.",
    "en": "This picture cannot be drawn. Please ask for something else.",
}


async def image_generation(turn: Turn, tools: Tools) -> Finding:
    """Draws what is wished for; raises a VendorError."""
    assert tools.images is not None
    assert tools.pictures is not None
    try:
        made = await tools.images.make(turn.question[:WISH_MAX_CHARS])
    except AnswerRefused:
        return failed("image_generation", told(turn, _REFUSED))
    try:
        picture_id = await tools.pictures.put(Picture(turn.owner, turn.session_id, made.data))
    except LogUnavailable as error:
        # Not the job's failure: the next attempt would draw again, which costs.
        raise Transient("the picture cannot be kept now") from error
    drawn = passage(told(turn, _DRAWN), made.description or turn.question, "OpenAI")
    image = Image(url=picture_path(picture_id), alt=(turn.asked.item or turn.question)[:200])
    return Finding(agent="image_generation", status="ok", passages=[drawn], note="", image=image)
