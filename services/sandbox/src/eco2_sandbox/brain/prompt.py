"""Reads the worker's prompts: the question, and the findings that were gathered for it."""

import re
from typing import Literal

import orjson
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

Language = Literal["ko", "en"]

_QUESTION = r"<question>\n(?P<question>.*)\n</question>"
_QUESTION_FORM = re.compile(r"(?:<picture>\n(?P<picture>.*)\n</picture>\n)?" + _QUESTION, re.DOTALL)
_ANSWER_FORM = re.compile(r"<findings>\n(?P<findings>.*)\n</findings>\n" + _QUESTION, re.DOTALL)


class Passage(BaseModel):
    """A piece of a source, cited by its number."""

    model_config = ConfigDict(frozen=True)

    n: int
    title: str = ""
    section: str = ""
    text: str


class Finding(BaseModel):
    """What one agent found, or that it failed or found nothing."""

    model_config = ConfigDict(frozen=True)

    agent: str
    status: Literal["ok", "failed", "not_found"]
    passages: list[Passage] = []
    note: str = ""


class AnswerPrompt(BaseModel):
    """A question with its findings."""

    model_config = ConfigDict(frozen=True)

    question: str
    findings: list[Finding]


class Picture(BaseModel):
    """What was seen in a picture that came with a question."""

    model_config = ConfigDict(frozen=True)

    item: str | None = None
    material: str | None = None


_FINDINGS = TypeAdapter(list[Finding])


def read_answer_prompt(text: str) -> AnswerPrompt | None:
    """Return the question and findings, or None when the text is not in that form."""
    form = _ANSWER_FORM.fullmatch(text.strip())
    if form is None:
        return None
    try:
        findings = _FINDINGS.validate_json(form["findings"])
    except ValidationError:
        return None
    question = _json_string(form["question"])
    return None if question is None else AnswerPrompt(question=question, findings=findings)


def question_in(text: str) -> str:
    """Return the question of a user message in any of the worker's forms, or the text as it is."""
    form = _ANSWER_FORM.fullmatch(text.strip()) or _QUESTION_FORM.fullmatch(text.strip())
    question = _json_string(form["question"]) if form else None
    return text if question is None else question


def picture_in(text: str) -> Picture | None:
    """Return what stands beside the question as seen, or None."""
    form = _QUESTION_FORM.fullmatch(text.strip())
    if form is None or form["picture"] is None:
        return None
    try:
        return Picture.model_validate_json(form["picture"])
    except ValidationError:
        return None


def language_of(text: str) -> Language:
    """Return English for a text with Latin letters and no Hangul, otherwise Korean."""
    if re.search(r"[가-힣ㄱ-ㅎㅏ-ㅣ]", text):
        return "ko"
    return "en" if re.search(r"[A-Za-z]", text) else "ko"


def _json_string(text: str) -> str | None:
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return value if isinstance(value, str) else None
