"""Pictures of a conversation, kept beside the queue and the log, which carry only a reference to them."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from eco2_bus.job import IMAGE_MAX_BYTES

KEPT_S = 24 * 3600
MAX_BYTES = 128 * 1024 * 1024
"""A quarter of the Redis that the logs share with the pictures, and that refuses both when it is full."""

_REFERENCE = "picture:"
_BEGINNINGS = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF87a": "image/gif",
    b"GIF89a": "image/gif",
}


class NotAPicture(ValueError):
    """The bytes begin like no picture that is taken; SVG, which can carry scripts, never is."""


class PictureTooLarge(ValueError):
    """More than IMAGE_MAX_BYTES."""


class PictureGone(Exception):
    """There is no such picture: never put, expired, erased, or gone to make room."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A PNG, JPEG, WebP or GIF; making one raises NotAPicture or PictureTooLarge."""

    owner: str
    session_id: str
    data: bytes

    def __post_init__(self) -> None:
        if len(self.data) > IMAGE_MAX_BYTES:
            raise PictureTooLarge
        content_type(self.data)

    @property
    def content_type(self) -> str:
        """What the bytes are, whatever anybody said they were."""
        return content_type(self.data)


def content_type(data: bytes) -> str:
    """The media type of a picture by its first bytes; raises NotAPicture."""
    for beginning, found in _BEGINNINGS.items():
        if data.startswith(beginning):
            return found
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    raise NotAPicture


def reference(picture_id: str) -> str:
    """What a job's `image_url` says of a picture that is kept here."""
    return f"{_REFERENCE}{picture_id}"


def referred_id(image_url: str) -> str | None:
    """The picture that an `image_url` refers to, or None when it is a URL."""
    return image_url.removeprefix(_REFERENCE) if image_url.startswith(_REFERENCE) else None


def picture_path(picture_id: str) -> str:
    """Where chat-api serves a picture."""
    return f"/api/v1/images/{picture_id}"


def new_picture_id() -> str:
    """An id that nobody guesses."""
    return secrets.token_hex(16)


class Pictures(Protocol):
    """All pictures, of so many bytes together; every method may raise LogUnavailable."""

    async def put(self, picture: Picture) -> str:
        """Keeps a picture until it expires or has to make room for newer ones, and gives its id."""
        ...

    async def get(self, picture_id: str) -> Picture:
        """The picture, for whoever has checked the owner; raises PictureGone."""
        ...

    async def remove(self, picture_id: str) -> None:
        """Removes one picture, if it is there."""
        ...

    async def erase(self, session_id: str) -> None:
        """Removes every picture of a session."""
        ...

    async def close(self) -> None:
        """Frees all connections."""
        ...


class MemoryPictures:
    """Pictures of one process."""

    def __init__(
        self,
        *,
        kept_s: float = KEPT_S,
        max_bytes: int = MAX_BYTES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._kept_s = kept_s
        self._max_bytes = max_bytes
        self._clock = clock
        self._pictures: dict[str, tuple[float, Picture]] = {}
        self._bytes = 0

    async def put(self, picture: Picture) -> str:
        self._make_room(len(picture.data))
        picture_id = new_picture_id()
        self._pictures[picture_id] = self._clock() + self._kept_s, picture
        self._bytes += len(picture.data)
        return picture_id

    async def get(self, picture_id: str) -> Picture:
        until, picture = self._pictures.get(picture_id, (0.0, None))
        if picture is None or until <= self._clock():
            raise PictureGone(picture_id)
        return picture

    async def remove(self, picture_id: str) -> None:
        _, picture = self._pictures.pop(picture_id, (0.0, None))
        self._bytes -= len(picture.data) if picture is not None else 0

    async def erase(self, session_id: str) -> None:
        for picture_id, (_, picture) in list(self._pictures.items()):
            if picture.session_id == session_id:
                await self.remove(picture_id)

    async def close(self) -> None:
        self._pictures.clear()
        self._bytes = 0

    def _make_room(self, size: int) -> None:
        # The oldest come first, and expire first.
        for picture_id, (until, picture) in list(self._pictures.items()):
            if until > self._clock() and self._bytes + size <= self._max_bytes:
                return
            del self._pictures[picture_id]
            self._bytes -= len(picture.data)
