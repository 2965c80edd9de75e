"""The body of a chat request, as far as the sandbox reads it."""

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, Field, JsonValue


def _as_parts(value: object) -> object:
    if value is None:
        return []
    return [{"type": "text", "text": value}] if isinstance(value, str) else value


def _as_list(value: object) -> object:
    if value is None:
        return []
    return [value] if isinstance(value, str) else value


class ImageUrl(BaseModel):
    """The address of a picture, or the picture itself as a data URL."""

    url: str = ""


class Part(BaseModel):
    """One part of a message."""

    type: Literal["text", "image_url", "input_audio", "file", "refusal"]
    text: str = ""
    image_url: ImageUrl | None = None


class Message(BaseModel):
    """One message of the conversation."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: Annotated[list[Part], BeforeValidator(_as_parts)] = Field(default_factory=list[Part])

    @property
    def text(self) -> str:
        """The text parts, one below the other."""
        return "\n".join(part.text for part in self.content if part.type == "text")

    @property
    def pictures(self) -> tuple[str, ...]:
        """The addresses of its pictures."""
        return tuple(part.image_url.url for part in self.content if part.image_url is not None)


class StreamOptions(BaseModel):
    """Whether the stream ends with a chunk that tells the usage."""

    include_usage: bool = False


class JsonSchema(BaseModel):
    """A named schema that the reply is to fit."""

    name: str = Field(min_length=1)
    definition: dict[str, JsonValue] = Field(default_factory=dict[str, JsonValue], alias="schema")


class ResponseFormat(BaseModel):
    """The form that the reply is asked to have."""

    type: Literal["text", "json_object", "json_schema"] = "text"
    json_schema: JsonSchema | None = None


class ChatRequest(BaseModel):
    """The body of a chat completion; fields not named here (tools, temperature) change nothing."""

    model: str = Field(min_length=1)
    messages: list[Message] = Field(min_length=1)
    stream: bool | None = False
    stream_options: StreamOptions | None = None
    response_format: ResponseFormat | None = None
    n: int | None = Field(default=1, ge=1)
    max_tokens: int | None = Field(default=None, ge=1)
    max_completion_tokens: int | None = Field(default=None, ge=1)
    stop: Annotated[list[str], BeforeValidator(_as_list)] = Field(default_factory=list[str], max_length=4)
