"""The user's answer to a job that waits for it."""

import math

from eco2_bus import topology
from eco2_bus.events import INPUT_REQUIRED
from eco2_bus.job import ChatJob, Location, Resume
from eco2_bus.log import JobHead, LogSummary
from eco2_telemetry.messaging import publish_span
from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict

from chat_api import claims, errors
from chat_api.auth.route import GuardedRoute
from chat_api.chat import JobStatus, status_of
from chat_api.deps import Addresses, Deps, Services
from chat_api.jobs import find_job

router = APIRouter(prefix="/api/v1/chat", tags=["chat"], route_class=GuardedRoute)


class JobInput(BaseModel):
    """Where the user is."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    location: Location


@router.post("/{job_id}/input", status_code=202, response_model_exclude_none=True)
async def give_input(job_id: str, body: JobInput, services: Deps, links: Addresses) -> JobStatus:
    """Lets a job go on that asked for a place; answers once the broker has confirmed it."""
    known = await find_job(services, job_id, links.caller.owner)
    if not isinstance(known, LogSummary) or known.last.event != INPUT_REQUIRED:
        raise errors.not_waiting()
    parked = await services.log.parked_job(job_id)
    if parked is None:
        raise errors.not_waiting()
    name = claims.fingerprint(f"input\0{job_id}\0{known.last.id}".encode())
    claimed = await services.claims.claim_key(name, "")
    # What is repeated before a worker has the first would do nothing but fill the lane of all.
    if claimed is None or claimed.answer is None:
        resume = Resume(after=str(known.last.id), location=body.location)
        await _publish(services, ChatJob.from_body(parked).model_copy(update={"resume": resume}), known.head)
        await services.claims.answer_key(name, "", "", math.ceil(services.settings.input_wait_s))
    return await status_of(services, links, job_id)


async def _publish(services: Services, job: ChatJob, head: JobHead) -> None:
    with publish_span(
        services.telemetry.tracer,
        services.messaging_system,
        topology.JOBS,
        job.job_id,
        exchange=topology.EXCHANGE,
        goes_on=head.traceparent,
    ) as headers:
        await services.queue.publish(job, headers)
