"""The pictures of a conversation, for those it belongs to."""

import re

from eco2_bus.pictures import PictureGone
from fastapi import APIRouter, Response

from chat_api import errors
from chat_api.deps import Deps, PictureReader

router = APIRouter(prefix="/api/v1/images", tags=["images"])

TYPES = ("image/png", "image/jpeg", "image/webp", "image/gif")
HEADERS = {
    "Content-Disposition": "inline",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    # Only the asker's own browser keeps it, and not for long: the session can be erased.
    "Cache-Control": "private, max-age=300",
}
_ID = re.compile(r"[0-9a-f]{32}", re.ASCII)


@router.get(
    "/{picture_id}",
    response_class=Response,
    responses={200: {"description": "The picture", "content": {name: {} for name in TYPES}}},
)
async def image(picture_id: str, services: Deps, caller: PictureReader) -> Response:
    """A picture that came with a question, or was made for an answer."""
    if not _ID.fullmatch(picture_id):
        raise errors.unknown_picture()
    try:
        picture = await services.pictures.get(picture_id)
    except PictureGone:
        raise errors.unknown_picture() from None
    if picture.owner != caller.owner:
        raise errors.unknown_picture()
    return Response(picture.data, media_type=picture.content_type, headers=HEADERS)
