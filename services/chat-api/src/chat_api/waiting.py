"""The user's answer to a job that waits for it."""

from eco2_bus import topology
from eco2_bus.events import INPUT_REQUIRED
from eco2_bus.job import ChatJob, Location, Resume
from eco2_bus.log import LogSummary
from eco2_telemetry.messaging import publish_span
from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict

from chat_api import errors
from chat_api.auth.route import GuardedRoute
from chat_api.chat import JobStatus, status_of
from chat_api.deps import Addresses, Deps
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
    resume = Resume(after=str(known.last.id), location=body.location)
    job = ChatJob.from_body(parked).model_copy(update={"resume": resume})
    tracer = services.telemetry.tracer
    with publish_span(
        tracer,
        services.messaging_system,
        topology.JOBS,
        job_id,
        exchange=topology.EXCHANGE,
        goes_on=known.head.traceparent,
    ) as headers:
        await services.queue.publish(job, headers)
    return await status_of(services, links, job_id)
