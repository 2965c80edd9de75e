"""The body of a request for a response, as far as the sandbox reads it."""

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field

_SIZES = {
    "auto": (1024, 1024),
    "1024x1024": (1024, 1024),
    "1024x1536": (1024, 1536),
    "1536x1024": (1536, 1024),
}
_FREE_SIZE_MODEL = "gpt-image-2"
_MOST_SIDE, _SIDE_STEP, _WIDEST = 3840, 16, 3


def _as_messages(value: object) -> object:
    return [{"role": "user", "content": value}] if isinstance(value, str) else value


def _as_parts(value: object) -> object:
    return [{"type": "input_text", "text": value}] if isinstance(value, str) else value


class InputPart(BaseModel):
    """One part of an input message."""

    type: Literal["input_text", "output_text", "input_image", "input_file"]
    text: str = ""


class InputMessage(BaseModel):
    """One message of the input."""

    role: Literal["user", "assistant", "system", "developer"]
    content: Annotated[list[InputPart], BeforeValidator(_as_parts)]

    @property
    def text(self) -> str:
        """The text parts, one below the other."""
        return "\n".join(part.text for part in self.content if part.text)


class ImageTool(BaseModel):
    """The image tool, or another one that is taken no notice of."""

    type: str
    model: str = "gpt-image-1"
    size: Annotated[str, AfterValidator(lambda size: _checked_size(size))] = "auto"
    quality: Literal["low", "medium", "high", "auto"] = "auto"
    background: Literal["transparent", "opaque", "auto"] = "auto"
    output_format: Literal["png", "webp", "jpeg"] = "png"
    partial_images: int = Field(default=0, ge=0, le=3)

    @property
    def pixels(self) -> tuple[int, int] | None:
        """Width and height, or None for a size that this model cannot draw."""
        if self.size in _SIZES:
            return _SIZES[self.size]
        width, height = map(int, self.size.split("x"))
        fits = (
            self.model.startswith(_FREE_SIZE_MODEL)
            and not (width % _SIDE_STEP or height % _SIDE_STEP)
            and 0 < max(width, height) <= _MOST_SIDE
            and max(width, height) <= _WIDEST * min(width, height)
        )
        return (width, height) if fits else None


def _checked_size(size: str) -> str:
    if size != "auto" and not re.fullmatch(r"[1-9]\d{1,3}x[1-9]\d{1,3}", size):
        raise ValueError("the size is WIDTHxHEIGHT or auto")
    return size


class ResponseRequest(BaseModel):
    """The body of a request; fields not named here change nothing."""

    model: str = Field(min_length=1)
    input: Annotated[list[InputMessage], BeforeValidator(_as_messages)] = Field(min_length=1)
    instructions: str | None = None
    stream: bool | None = False
    tools: list[ImageTool] = Field(default_factory=list[ImageTool])
    tool_choice: Any = "auto"

    @property
    def wish(self) -> str:
        """The last thing the user said."""
        return next((message.text for message in reversed(self.input) if message.role == "user"), "")

    @property
    def image_tool(self) -> ImageTool | None:
        """The image tool, when it is offered and not forbidden."""
        offered = (tool for tool in self.tools if tool.type == "image_generation")
        return None if self.tool_choice == "none" else next(offered, None)
