"""What users think of an answer: counted, and told to LangSmith where the runs are."""

import hashlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, cast
from uuid import UUID

import orjson
from eco2_bus.log import KeptAnswer, LogSummary
from fastapi import APIRouter, FastAPI, Request
from pydantic import BaseModel, ConfigDict, Field, field_validator

from chat_api import errors
from chat_api.auth.route import GuardedRoute
from chat_api.deps import Deps, Owner
from chat_api.jobs import find_job
from chat_api.langsmith_feedback import LangSmithFeedback
from chat_api.metrics import Metrics
from chat_api.settings import ApiSettings

router = APIRouter(prefix="/api/v1/chat", tags=["chat"], route_class=GuardedRoute)

COMMENT_MAX_CHARS = 1_000
_VERSION = 0xF << 76
_VARIANT = 0x3 << 62


class Feedback(BaseModel):
    """1 for a good answer, 0 for a bad one."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    score: int = Field(ge=0, le=1, strict=True)
    comment: str | None = Field(default=None, max_length=COMMENT_MAX_CHARS)

    @field_validator("score", mode="before")
    @classmethod
    def _is_whole(cls, score: object) -> object:
        # In JSON 1.0 is an integer too.
        return int(score) if isinstance(score, float) and score.is_integer() else score

    @field_validator("comment")
    @classmethod
    def _is_text(cls, comment: str | None) -> str | None:
        if comment is not None and any("\ud800" <= character <= "\udfff" for character in comment):
            raise ValueError("must be valid Unicode")
        return comment


@router.post("/{job_id}/feedback", status_code=204)
async def give_feedback(
    job_id: str, body: Feedback, request: Request, services: Deps, caller: Owner, metrics: Metrics
) -> None:
    """Takes what the user thinks of an answer, once the job has ended."""
    known = await find_job(services, job_id, caller)
    if isinstance(known, LogSummary) and not known.last.ends_job:
        raise errors.not_ended()
    # A change of mind, and the words that follow a thumb, are not one more answer.
    if await services.claims.claim_rating(_session_id(known), job_id):
        metrics.rated(body.score)
    sender = cast(LangSmithFeedback | None, request.app.state.feedback)
    if sender is not None and (attempt := _attempt(known)):
        sender.send(run_id_of(job_id, attempt), body.score, body.comment)


@asynccontextmanager
async def sending(app: FastAPI, settings: ApiSettings) -> AsyncGenerator[None]:
    """Lets feedback go to LangSmith while the app lives, if the settings say so."""
    sender = app.state.feedback = LangSmithFeedback.of(settings)
    yield
    if sender is not None:
        await sender.close()


def run_id_of(job_id: str, attempt: int) -> UUID:
    """The id of the run that answered; chat-worker names its runs by the same rule."""
    number = int.from_bytes(hashlib.sha256(f"{job_id}:{attempt}".encode()).digest()[:16], "big")
    return UUID(int=number & ~_VERSION & ~_VARIANT | 0x7 << 76 | 0x2 << 62)


def _session_id(known: LogSummary | KeptAnswer) -> str:
    return known.head.session_id if isinstance(known, LogSummary) else known.session_id


def _attempt(known: LogSummary | KeptAnswer) -> int:
    """The attempt that ended the job; 0 for a job that was cancelled before anybody had it."""
    if isinstance(known, LogSummary):
        event, data, attempt = known.last.event, known.last.data, known.last.id.attempt
    else:
        event, data, attempt = known.event, known.data, 1
    fields: dict[str, Any] = {} if event == "error" else orjson.loads(data)
    return int(fields.get("attempts", attempt))
