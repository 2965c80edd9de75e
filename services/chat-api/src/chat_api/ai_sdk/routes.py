"""The AI SDK's UI message stream: `useChat` with `api: ".../api/v1/ai-sdk/chat"`, resume included.

Left out of our OpenAPI document: the protocol is another's, and what of it holds is in
`docs/guides/use-the-api.md`.
"""

from eco2_bus.log import LogGone, LogSummary
from fastapi import APIRouter, Request, Response

from chat_api import errors, facade, sessions
from chat_api.ai_sdk.chunks import UiChunks
from chat_api.ai_sdk.requests import UiChatRequest
from chat_api.auth.route import GuardedRoute
from chat_api.chat import IdempotencyKey
from chat_api.deps import Addresses, Deps, Services
from chat_api.limits.streams import Streaming
from chat_api.limits.submits import Admitting
from chat_api.session_claims import is_eraser

router = APIRouter(prefix="/api/v1/ai-sdk/chat", include_in_schema=False, route_class=GuardedRoute)

HEADERS = {"x-vercel-ai-ui-message-stream": "v1"}


@router.post("", dependencies=[Streaming])
async def chat(
    body: UiChatRequest,
    request: Request,
    services: Deps,
    links: Addresses,
    admission: Admitting,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Answers the last message of the user; the chat's id is the session."""
    queued = await facade.ask(services, links.caller.owner, admission, body.fields(), idempotency_key)
    chunks = UiChunks(queued.job_id, queued.session_id, _base_url(request))
    headers = {**HEADERS, "Location": queued.status_url, **admission.headers}
    return facade.retell(services, links, queued.job_id, chunks, headers)


@router.get("/{chat_id}/stream", dependencies=[Streaming])
async def resume(chat_id: str, request: Request, services: Deps, links: Addresses) -> Response:
    """Tells the answer under way from its beginning, or `204` when there is none."""
    owner = await sessions.owner_of(services, chat_id)
    if owner is None:
        return Response(status_code=204)
    if owner != links.caller.owner:
        raise errors.unknown_session()
    job = await _under_way(services, chat_id)
    if job is None:
        return Response(status_code=204)
    job_id, known = job
    chunks = UiChunks(job_id, chat_id, _base_url(request), past=known.last.id)
    return facade.retell(services, links, job_id, chunks, HEADERS)


async def _under_way(services: Services, session_id: str) -> tuple[str, LogSummary] | None:
    """The job that the session works on."""
    holder = await services.claims.session_holder(session_id)
    if holder is None or is_eraser(holder):
        return None
    try:
        known = await services.log.summary(holder)
    except LogGone:
        return None
    return None if known.last.ends_job else (holder, known)


def _base_url(request: Request) -> str:
    return str(request.base_url).rstrip("/")
