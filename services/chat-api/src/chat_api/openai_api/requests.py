"""The body of a chat completion; what it says beyond our means is either harmless or refused."""

import hashlib
from typing import Any, Literal

from eco2_bus.job import Location, SessionId
from pydantic import BaseModel, ConfigDict, Field, field_validator

from chat_api.facade import PICTURE_ONLY
from chat_api.openai_api.earlier import Said
from chat_api.openai_api.models import MODEL

MESSAGES_MAX = 1_000
PARTS_MAX = 100


class _Tolerant(BaseModel):
    """Clients send much that only other models can heed: temperature, tools, seed."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class ImageUrl(_Tolerant):
    """Where a picture is: a data URL or an https address."""

    url: str


class Part(_Tolerant):
    """A piece of a message."""

    type: str
    text: str = ""
    image_url: ImageUrl | None = None


class Message(_Tolerant):
    """What somebody said in the conversation."""

    role: str = Field(max_length=40)
    content: str | list[Part] | None = None

    @field_validator("content")
    @classmethod
    def _has_few_parts(cls, content: str | list[Part] | None) -> str | list[Part] | None:
        if isinstance(content, list) and len(content) > PARTS_MAX:
            raise ValueError(f"must not have more than {PARTS_MAX} parts")
        return content

    @property
    def text(self) -> str:
        """All its text."""
        if isinstance(self.content, str):
            return self.content
        return "\n".join(part.text for part in self.content or () if part.type == "text").strip()

    @property
    def pictures(self) -> list[str]:
        """The addresses of its pictures."""
        parts = self.content if isinstance(self.content, list) else ()
        return [part.image_url.url for part in parts if part.image_url is not None]


class StreamOptions(_Tolerant):
    """What else a stream should carry."""

    include_usage: bool | None = None


class Conversation(_Tolerant):
    """A conversation by its id."""

    id: SessionId


class Metadata(_Tolerant):
    """The caller's own notes; one of them names the session."""

    session_id: SessionId | None = None


class TextFormat(_Tolerant):
    """Anything but text would be promised in vain."""

    type: Literal["text"]


class CompletionRequest(_Tolerant):
    """A chat completion that is asked for."""

    model: str = MODEL
    messages: list[Message] = Field(min_length=1, max_length=MESSAGES_MAX)
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    n: Literal[1] | None = None
    response_format: TextFormat | None = None
    user: str | None = Field(default=None, max_length=512)
    conversation: SessionId | Conversation | None = None
    metadata: Metadata | None = None
    location: Location | None = None

    @field_validator("messages")
    @classmethod
    def _asks_one_thing(cls, messages: list[Message]) -> list[Message]:
        last = next((message for message in reversed(messages) if message.role == "user"), None)
        if last is None:
            raise ValueError("must have a message of the user")
        if len(last.pictures) > 1:
            raise ValueError("must not have more than one picture in the question")
        return messages

    def session_id(self, owner: str) -> str | None:
        """The session that the caller names, in the order of how plainly it does."""
        if self.conversation is not None:
            named = self.conversation
            return named.id if isinstance(named, Conversation) else named
        if self.metadata is not None and self.metadata.session_id is not None:
            return self.metadata.session_id
        if self.user:
            # Somebody's address or account: neither fits as an id, nor has it to be readable as one. Two
            # callers may each have a user 1.
            name = f"{owner}\0{self.user}"
            return f"user-{hashlib.sha256(name.encode()).hexdigest()[:32]}"
        return None

    @property
    def question(self) -> Message:
        """The user's last message."""
        return self.messages[self._asked_at()]

    @property
    def earlier(self) -> list[Said]:
        """What was said before the question; instructions to a model are not part of it."""
        said = self.messages[: self._asked_at()]
        return [Said(one.role, one.text) for one in said if one.role in ("user", "assistant") and one.text]

    def fields(self, owner: str) -> dict[str, Any]:
        """The question in the words of `POST /api/v1/chat`."""
        return {
            "message": self.question.text or (PICTURE_ONLY if self.question.pictures else ""),
            "image_url": next(iter(self.question.pictures), None),
            "session_id": self.session_id(owner),
            "location": self.location,
        }

    def _asked_at(self) -> int:
        return max(place for place, message in enumerate(self.messages) if message.role == "user")
