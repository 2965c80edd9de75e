"""The words of the worker: what was asked, what was found, what it cost."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal, NotRequired, TypedDict

from eco2_bus.job import Location
from pydantic import BaseModel, ConfigDict, Field


class Intent(StrEnum):
    """What a question can be about."""

    WASTE = "waste"
    BULK_WASTE = "bulk_waste"
    CHARACTER = "character"
    LOCATION = "location"
    COLLECTION_POINT = "collection_point"
    RECYCLABLE_PRICE = "recyclable_price"
    WEATHER = "weather"
    WEB_SEARCH = "web_search"
    IMAGE_GENERATION = "image_generation"
    GENERAL = "general"


Language = Literal["ko", "en"]


class SubQuestion(BaseModel):
    """One thing that was asked, with what the question says about it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    intent: Intent
    confidence: float = Field(ge=0, le=1)
    question: str = Field(max_length=8_000)
    item: str | None = None
    material: str | None = None
    place: str | None = None
    district: str | None = None
    date: str | None = None
    language: Language = "ko"


class Understanding(BaseModel):
    """The reply of the one structured call: every intent of the message, in order."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    language: Language = "ko"
    intents: list[SubQuestion] = Field(min_length=1, max_length=10)


@dataclass(frozen=True, slots=True)
class Turn:
    """What one branch of the graph works on: its sub-question, where it is asked, and for whom.

    `is_extra` marks a look-up that nobody asked for and that may fail in silence.
    """

    asked: SubQuestion
    location: Location | None = None
    owner: str = ""
    session_id: str = ""
    is_extra: bool = False

    @property
    def question(self) -> str:
        """The sub-question."""
        return self.asked.question

    @property
    def language(self) -> Language:
        """The language of the question, and so of the answer."""
        return self.asked.language


class Sighting(BaseModel):
    """What a picture shows; `item` is None when it shows no thing that one could throw away."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    item: str | None = Field(default=None, max_length=200)
    material: str | None = Field(default=None, max_length=200)
    confidence: float = Field(ge=0, le=1)


class Passage(TypedDict):
    """A piece of evidence; `revised` is an ISO date, or None when its source is undated."""

    title: str
    section: str
    text: str
    document: str
    url: str | None
    revised: str | None


class Image(TypedDict):
    """A picture that was made, by the address where chat-api serves it."""

    url: str
    alt: str


class Finding(TypedDict):
    """What one agent brings to the answer; `note` tells the user, in their language, what is amiss."""

    agent: str
    status: Literal["ok", "not_found", "failed"]
    passages: list[Passage]
    note: str
    image: NotRequired[Image]


class Message(TypedDict):
    """A turn of the conversation, as chat models take it."""

    role: Literal["system", "user", "assistant"]
    content: str


class TokenUsage(TypedDict):
    """Tokens of one model call."""

    input_tokens: int
    output_tokens: int
    model: str
    estimated: NotRequired[bool]


JsonSchema = dict[str, Any]
