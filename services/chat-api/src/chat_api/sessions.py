"""One question at a time in a session."""

import asyncio
import time
from typing import Literal

from eco2_bus.log import LogGone

from chat_api import errors
from chat_api.deps import Services


async def take_turn(
    services: Services, session_id: str, job_id: str, on_busy: Literal["reject", "interrupt"]
) -> None:
    """Makes the job the one that its session works on; raises `409` while another one is."""
    ended: str | None = None
    deadline = time.monotonic() + services.settings.session_wait_s
    interrupted: str | None = None
    while (holder := await services.claims.take_session(session_id, job_id, ended)) is not None:
        if await _has_ended(services, holder):
            ended = holder
            continue
        if on_busy == "reject" or time.monotonic() >= deadline:
            raise errors.session_busy(holder)
        if interrupted != holder:
            await services.log.request_cancel(holder)
            interrupted = holder
        await asyncio.sleep(0.05)


async def _has_ended(services: Services, job_id: str) -> bool:
    try:
        return (await services.log.summary(job_id)).last.ends_job
    except LogGone:
        return True
