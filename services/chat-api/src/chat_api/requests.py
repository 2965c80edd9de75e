"""What a caller may send, checked before anything else sees it."""

import asyncio
import base64
import hashlib
import re
from typing import Literal, NamedTuple
from urllib.parse import urlsplit

from eco2_bus.job import IMAGE_MAX_BYTES, MESSAGE_MAX_CHARS, Location, SessionId
from eco2_bus.pictures import NotAPicture, content_type
from pydantic import BaseModel, ConfigDict, Field, field_validator

from chat_api import errors
from chat_api.public_host import is_public_host

URL_MAX_CHARS = 2_048
LARGE_CHARS = 64 * 1024
CHUNK_CHARS = 256 * 1024
_PICTURE = re.compile(r"data:image/[a-z0-9.+-]{1,60};base64", re.ASCII | re.IGNORECASE)


class ChatRequest(BaseModel):
    """A question."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    message: str = Field(min_length=1, max_length=MESSAGE_MAX_CHARS, examples=["페트병 어떻게 버려?"])
    session_id: SessionId | None = None
    image_url: str | None = Field(default=None, description="https URL, or data: URL of a picture up to 5 MB")
    location: Location | None = None
    on_busy: Literal["reject", "interrupt"] = "reject"

    @field_validator("message")
    @classmethod
    def _is_text(cls, message: str) -> str:
        if "\0" in message:
            raise ValueError("must not contain NUL")
        if any("\ud800" <= character <= "\udfff" for character in message):
            raise ValueError("must be valid Unicode")
        if not (text := message.strip()):
            raise ValueError("must not be blank")
        return text

    @field_validator("image_url")
    @classmethod
    def _is_picture(cls, url: str | None) -> str | None:
        if url is not None:
            if url.startswith("data:"):
                _check_data_url(url)
            else:
                _check_https_url(url)
        return url


def _check_https_url(url: str) -> None:
    if len(url) > URL_MAX_CHARS or not url.isprintable():
        raise ValueError("is too long or has control characters")
    if not _is_https(url):
        raise ValueError("must be an https URL of the public web, or a data URL")


def _is_https(url: str) -> bool:
    try:
        parts = urlsplit(url)
        # Reading the port checks it.
        is_plain = parts.scheme == "https" and parts.username is None and parts.port != 0
        return is_plain and is_public_host(parts.hostname or "")
    except ValueError:
        return False


def _check_data_url(url: str) -> None:
    head, comma, payload = url.partition(",")
    if not comma or not _PICTURE.fullmatch(head) or not payload:
        raise ValueError("must be data:image/...;base64,...")
    if len(payload) > IMAGE_MAX_BYTES * 4 // 3 + 4:
        raise ValueError("the picture is larger than 5 MB")


class Upload(NamedTuple):
    """The picture that came with a question, and the hash of its bytes."""

    data: bytes
    digest: str


async def upload_of(body: ChatRequest) -> Upload | None:
    """The picture of a data URL, if there is one; raises `422` for what is none."""
    url = body.image_url
    if url is None or not url.startswith("data:"):
        return None
    payload = url.partition(",")[2]
    return _upload(payload) if len(payload) < LARGE_CHARS else await asyncio.to_thread(_upload, payload)


def _upload(payload: str) -> Upload:
    try:
        data = _decoded(payload)
    except ValueError:
        raise errors.invalid_picture("the picture is not valid base64") from None
    if len(data) > IMAGE_MAX_BYTES:
        raise errors.invalid_picture("the picture is larger than 5 MB")
    try:
        content_type(data)
    except NotAPicture:
        raise errors.invalid_picture("must be a PNG, JPEG, WebP or GIF") from None
    return Upload(data, hashlib.sha256(data).hexdigest())


def _decoded(payload: str) -> bytes:
    """Decoded piece by piece, so that the loop gets its turns in between; raises ValueError."""
    pieces = [payload[first : first + CHUNK_CHARS] for first in range(0, len(payload), CHUNK_CHARS)]
    if any(piece.endswith("=") for piece in pieces[:-1]):
        raise ValueError("padding in the middle")
    return b"".join([base64.b64decode(piece, validate=True) for piece in pieces])
