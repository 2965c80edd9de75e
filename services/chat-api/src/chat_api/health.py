"""Whether the process turns, and whether it can serve."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from eco2_bus.log import LogUnavailable
from eco2_bus.queue import QueueUnavailable
from eco2_history import HistoryUnavailable
from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from chat_api.deps import Deps

router = APIRouter(tags=["health"])

CHECK_TIMEOUT_S = 2.0


class Readiness(BaseModel):
    """`ok` or `down` for every dependency."""

    status: str
    dependencies: dict[str, str]


@router.get("/livez")
async def livez() -> dict[str, str]:
    """Answers as long as the event loop turns."""
    return {"status": "ok"}


@router.get("/readyz", responses={503: {"model": Readiness}}, response_model=Readiness)
async def readyz(services: Deps) -> JSONResponse:
    """Says which dependency is missing."""
    checks = {"queue": services.queue.check, "log": services.log.check, "turns": services.turns.check}
    states = await asyncio.gather(*(_state(check()) for check in checks.values()))
    is_ready = set(states) == {"ok"}
    body = Readiness(
        status="ok" if is_ready else "unavailable", dependencies=dict(zip(checks, states, strict=True))
    )
    if is_ready:
        return JSONResponse(body.model_dump())
    return JSONResponse(body.model_dump(), status_code=503, headers={"Retry-After": "2"})


async def _state(check: Coroutine[Any, Any, None]) -> str:
    try:
        await asyncio.wait_for(check, CHECK_TIMEOUT_S)
    except (LogUnavailable, QueueUnavailable, HistoryUnavailable, TimeoutError):
        return "down"
    return "ok"
