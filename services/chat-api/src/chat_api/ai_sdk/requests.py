"""What the AI SDK's chat sends: its id, which is a session of ours, and the messages it shows."""

from typing import Any

from eco2_bus.job import Location, SessionId
from pydantic import BaseModel, ConfigDict, Field, model_validator

from chat_api.facade import PICTURE_ONLY

MESSAGES_MAX = 1_000
PARTS_MAX = 200


class _Tolerant(BaseModel):
    """An application may send things of its own along."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Part(_Tolerant):
    """A piece of a message; of all kinds only text and files matter in a question."""

    type: str
    text: str = ""
    url: str | None = None
    mediaType: str = ""


class UiMessage(_Tolerant):
    """A message as the page shows it."""

    role: str
    parts: list[Part] = Field(default_factory=list[Part], max_length=PARTS_MAX)

    @property
    def text(self) -> str:
        """All its text."""
        return "\n".join(part.text for part in self.parts if part.type == "text").strip()

    @property
    def pictures(self) -> list[str]:
        """The addresses of its pictures."""
        return [part.url for part in self.parts if part.type == "file" and part.url is not None]


class UiChatRequest(_Tolerant):
    """A question at the end of `messages`, or alone as `message`."""

    id: SessionId
    messages: list[UiMessage] = Field(default_factory=list[UiMessage], max_length=MESSAGES_MAX)
    message: UiMessage | None = None
    location: Location | None = None

    @model_validator(mode="after")
    def _asks_one_thing(self) -> "UiChatRequest":
        question = self.question
        if question is None:
            raise ValueError("must have a message of the user")
        if len(question.pictures) > 1:
            raise ValueError("must not have more than one picture in the question")
        return self

    @property
    def question(self) -> UiMessage | None:
        """The user's last message."""
        said = self.messages if self.message is None else [self.message]
        return next((message for message in reversed(said) if message.role == "user"), None)

    def fields(self) -> dict[str, Any]:
        """The question in the words of `POST /api/v1/chat`."""
        assert self.question is not None
        pictures = self.question.pictures
        return {
            "message": self.question.text or (PICTURE_ONLY if pictures else ""),
            "image_url": next(iter(pictures), None),
            "session_id": self.id,
            "location": self.location,
        }
