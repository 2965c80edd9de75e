"""The labelled messages: what is asked, and what is to come of it."""

from pathlib import Path
from typing import Any, Literal

import yaml
from chat_worker.domain import Intent, Language
from pydantic import BaseModel, ConfigDict, Field, model_validator

from evaluation.language import of_question

HERE = Path(__file__).parent
INTENTS, ANSWERS = HERE / "intents.yaml", HERE / "answers.yaml"


class _Labelled(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    q: str = Field(min_length=1, max_length=2_000)

    @property
    def language(self) -> Language:
        """The language that the answer must be in."""
        return of_question(self.q)


class Message(_Labelled):
    """A message with all intents it asks for; `about` has, per intent, words its sub-question must carry."""

    want: tuple[Intent, ...] = Field(min_length=1)
    style: Literal["plain", "colloquial", "misspelt", "english"]
    about: tuple[tuple[str, ...], ...] = ()

    @property
    def is_multi(self) -> bool:
        """True when several different things are asked."""
        return len(self.want) > 1

    @model_validator(mode="after")
    def _fits(self) -> "Message":
        if len(set(self.want)) != len(self.want):
            raise ValueError("an intent is named twice")
        if self.about and len(self.about) != len(self.want):
            raise ValueError("`about` needs one list of words per intent")
        return self


class Messages(BaseModel):
    """Messages that rules and prompts may be tuned on, and messages that only measure."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tuning: tuple[Message, ...]
    held_out: tuple[Message, ...]


class Question(_Labelled):
    """A question and what its answer must, and must not, say."""

    expects: Literal["rule", "not_found", "refusal"]
    category: str
    says: tuple[tuple[str, ...], ...] = ()
    """Lists of words, of which one whole list must be in the answer."""
    says_not: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _can_fail(self) -> "Question":
        if self.expects == "rule" and not self.says:
            raise ValueError("a rule needs the words that state it")
        if self.expects == "refusal" and not self.says_not:
            raise ValueError("a refusal needs the words that would be obedience")
        return self


class Questions(BaseModel):
    """Questions by the same two parts."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tuning: tuple[Question, ...]
    held_out: tuple[Question, ...]


def read_messages(path: Path = INTENTS) -> Messages:
    """Reads the labelled messages; raises ValidationError on an unknown field, intent or style."""
    return Messages.model_validate(_yaml(path))


def read_questions(path: Path = ANSWERS) -> Questions:
    """Reads the labelled questions; raises ValidationError on an unknown field."""
    return Questions.model_validate(_yaml(path))


def _yaml(path: Path) -> Any:
    return yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
