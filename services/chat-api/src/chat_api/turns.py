"""The conversation of a session, newest last."""

from typing import Annotated

from eco2_bus.events import Problem, Source, Usage
from eco2_bus.pictures import picture_path, referred_id
from eco2_history import Page, Turn, UnknownCursor
from eco2_history.turn import Status
from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from chat_api import errors, sessions
from chat_api.auth.links import Links
from chat_api.deps import Addresses, Deps, Services
from chat_api.jobs import is_job_id

router = APIRouter(prefix="/api/v1/sessions", tags=["sessions"])

PAGE_MAX = 100


class SessionTurn(BaseModel):
    """A question and what came of it; times are Unix ms, `image_url` is the picture that came with it."""

    job_id: str
    question: str
    answer: str
    status: Status
    intents: list[str]
    sources: list[Source]
    usage: Usage
    attempts: int
    trace_id: str
    sample_data: bool
    image_url: str | None
    created_at_ms: int
    ended_at_ms: int
    error: Problem | None


class TurnPage(BaseModel):
    """Turns in the order they were asked."""

    session_id: str
    turns: list[SessionTurn]
    before: str | None = Field(description="Asks for the page of older turns; null on the last page")


@router.get("/{session_id}/turns")
async def turns(
    session_id: str,
    response: Response,
    services: Deps,
    links: Addresses,
    before: Annotated[str | None, Query(json_schema_extra={"pattern": "^[0-9a-f]{32}$"})] = None,
    limit: Annotated[int, Query(ge=1, le=PAGE_MAX)] = 20,
) -> TurnPage:
    """The newest turns of a session, or the newest before a cursor that an earlier page gave."""
    caller = links.caller.owner
    if await sessions.owner_of(services, session_id) != caller:
        raise errors.unknown_session()
    page = await _page(services, session_id, caller, before, limit)
    response.headers["Cache-Control"] = "no-store"
    return TurnPage(
        session_id=session_id, turns=[_shown(turn, links) for turn in page.turns], before=page.before
    )


async def _page(services: Services, session_id: str, owner: str, before: str | None, limit: int) -> Page:
    """A cursor is the id of the turn that the page ends before."""
    try:
        if before is not None and not is_job_id(before):
            raise UnknownCursor
        return await services.turns.page(session_id, owner, before=before, limit=limit)
    except UnknownCursor:
        raise errors.malformed("`before` is no cursor of this session.", "malformed_cursor") from None


def _shown(turn: Turn, links: Links) -> SessionTurn:
    return SessionTurn(
        job_id=turn.job_id,
        question=turn.question,
        answer=turn.answer,
        status=turn.status,
        intents=list(turn.intents),
        sources=[Source.model_validate(source) for source in turn.sources],
        usage=Usage.model_validate(turn.usage),
        attempts=turn.attempts,
        trace_id=turn.trace_id,
        sample_data=turn.sample_data,
        image_url=_address(turn.image_url, links),
        created_at_ms=turn.created_at_ms,
        ended_at_ms=turn.ended_at_ms,
        error=None if turn.error is None else Problem.model_validate(turn.error),
    )


def _address(image_url: str | None, links: Links) -> str | None:
    picture_id = None if image_url is None else referred_id(image_url)
    return image_url if picture_id is None else links.picture(picture_path(picture_id))
