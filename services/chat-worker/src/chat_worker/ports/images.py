"""Pictures that are made."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class MadeImage:
    """A picture: bytes, their media type, and what the model made of the wish."""

    media_type: str
    data: bytes
    description: str


class ImageMaker(Protocol):
    """A model that draws."""

    async def make(self, wish: str) -> MadeImage:
        """Draws; raises AnswerRefused, or a VendorError."""
        ...
