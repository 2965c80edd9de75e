"""A question, and the key that makes it one question however often it is sent."""

import base64
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

PICTURE_MAX_BYTES = 5 * 1024 * 1024
_TYPES = {b"\x89PNG": "png", b"\xff\xd8\xff": "jpeg", b"GIF8": "gif", b"RIFF": "webp"}


@dataclass(frozen=True, slots=True)
class Location:
    """WGS84 coordinates in degrees."""

    latitude: float
    longitude: float

    def body(self) -> dict[str, float]:
        """As the API takes it."""
        return {"latitude": self.latitude, "longitude": self.longitude}


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked. Sent twice, it is still one job: `key` says that it is the same question."""

    message: str
    session_id: str | None = None
    image_url: str | None = None
    location: Location | None = None
    on_busy: Literal["reject", "interrupt"] = "reject"
    key: str = field(default_factory=lambda: uuid.uuid4().hex)

    def body(self) -> dict[str, Any]:
        """As the API takes it."""
        given = {
            "message": self.message,
            "session_id": self.session_id,
            "image_url": self.image_url,
            "location": None if self.location is None else self.location.body(),
            "on_busy": self.on_busy,
        }
        return {name: value for name, value in given.items() if value is not None}


def picture(path: str | Path) -> str:
    """A picture's file as the data URL for `image_url`; raises ValueError and OSError."""
    with Path(path).open("rb") as file:
        data = file.read(PICTURE_MAX_BYTES + 1)
    kind = next((kind for start, kind in _TYPES.items() if data.startswith(start)), None)
    if kind is None or len(data) > PICTURE_MAX_BYTES:
        raise ValueError("must be a PNG, JPEG, WebP or GIF of at most 5 MB")
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
