"""`POST /v1/chat/completions` and `GET /v1/models`, for clients that speak the OpenAI API.

Left out of our OpenAPI document: the protocol is another's, and what of it holds is in
`docs/guides/use-the-api.md`.
"""

from typing import Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse

from chat_api import facade, sessions
from chat_api.auth.route import GuardedRoute
from chat_api.chat import IdempotencyKey
from chat_api.deps import Addresses, Deps, Services, caller
from chat_api.limits.streams import Streaming
from chat_api.limits.submits import Admitting
from chat_api.openai_api import models
from chat_api.openai_api.answer import Envelope
from chat_api.openai_api.chunks import Chunks
from chat_api.openai_api.completion import complete
from chat_api.openai_api.earlier import with_earlier
from chat_api.openai_api.requests import CompletionRequest

router = APIRouter(prefix="/v1", include_in_schema=False, route_class=GuardedRoute)

# Clients ask for the models to see whether their key is good.
_KNOWN = [Depends(caller)]


@router.post("/chat/completions", dependencies=[Streaming])
async def chat_completions(
    body: CompletionRequest,
    request: Request,
    services: Deps,
    links: Addresses,
    admission: Admitting,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Answers the last message of the user."""
    models.check_known(body.model)
    fields = await _fields(services, body, links.caller.owner)
    queued = await facade.ask(services, links.caller.owner, admission, fields, idempotency_key)
    envelope = Envelope(links.queued(queued), str(request.base_url).rstrip("/"))
    headers = {"Location": queued.status_url, "X-Request-Id": queued.job_id, **admission.headers}
    if body.stream:
        options = body.stream_options
        chunks = Chunks(envelope, includes_usage=options is not None and bool(options.include_usage))
        return facade.retell(services, links, queued.job_id, chunks, headers)
    return JSONResponse(await complete(services, links, envelope), headers=headers)


@router.get("/models", dependencies=_KNOWN)
async def model_list() -> dict[str, Any]:
    """The one model there is."""
    return {"object": "list", "data": [models.described()]}


@router.get("/models/{name}", dependencies=_KNOWN)
async def model(name: str) -> dict[str, Any]:
    """That one."""
    models.check_known(name)
    return models.described()


async def _fields(services: Services, body: CompletionRequest, owner: str) -> dict[str, Any]:
    fields = body.fields(owner)
    session_id: str | None = fields["session_id"]
    is_remembered = session_id is not None and await sessions.owner_of(services, session_id) is not None
    if not is_remembered and fields["message"]:
        fields["message"] = with_earlier(fields["message"], body.earlier)
    return fields
