"""One question at a time in a session."""

import asyncio
import time
from typing import Literal

from eco2_bus.log import JobHead, LogGone

from chat_api import errors
from chat_api.deps import Services
from chat_api.jobs import cancel_job


async def take_turn(
    services: Services, session_id: str, job_id: str, on_busy: Literal["reject", "interrupt"]
) -> None:
    """Makes the job the one that its session works on; raises `409` while another one is."""
    ended: str | None = None
    deadline = time.monotonic() + services.settings.session_wait_s
    interrupted: str | None = None
    while (holder := await services.claims.take_session(session_id, job_id, ended)) is not None:
        working = await _unless_ended(services, holder)
        if working is None:
            ended = holder
            continue
        if on_busy == "reject" or time.monotonic() >= deadline:
            raise errors.session_busy(holder)
        if interrupted != holder:
            interrupted = holder
            await cancel_job(services, holder, working)
        else:
            await asyncio.sleep(0.05)


async def _unless_ended(services: Services, job_id: str) -> JobHead | None:
    try:
        summary = await services.log.summary(job_id)
    except LogGone:
        return None
    return None if summary.last.ends_job else summary.head
