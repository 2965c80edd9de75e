"""chat-api: HTTP in, job out; events in, SSE out."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Set
from contextlib import asynccontextmanager

from eco2_history import HistoryUnavailable, TurnStore
from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from prometheus_client import CollectorRegistry

from chat_api import (
    chat,
    erasing,
    errors,
    events,
    feedback,
    health,
    images,
    metrics,
    openapi,
    page_routes,
    probe,
    turns,
    waiting,
)
from chat_api.ai_sdk import routes as ai_sdk
from chat_api.auth.access import open_access
from chat_api.body_limit import BodyLimit
from chat_api.deps import Services
from chat_api.job_events import StreamsUnderWay
from chat_api.known_hosts import KnownHosts
from chat_api.limits import headers as limit_headers
from chat_api.limits.fairness import Fairness
from chat_api.limits.streams import OpenStreams
from chat_api.limits.submits import Gate, SubmitLimits
from chat_api.openai_api import routes as openai_api
from chat_api.openai_api.errors import OpenAiErrors
from chat_api.queue_depth import QueueDepth
from chat_api.safe_headers import SafeHeaders

_log = logging.getLogger(__name__)


def create_app(
    services: Services, *, registry: CollectorRegistry | None = None, hosts: Set[str] | None = None
) -> FastAPI:
    """Makes the application, which answers to these names or to any; closing it closes the services.

    Raises UnusableSettings.
    """
    access, depth = open_access(services.settings), QueueDepth(services.queue)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        opening = asyncio.create_task(_open_turns(services.turns), name="chat_api:open_turns")
        async with feedback.sending(app, services.settings):
            yield
        opening.cancel()
        await asyncio.wait({opening})
        for part in (depth, services.queue, services.log, services.claims, services.turns, services.pictures):
            await part.close()
        await access.close()
        services.telemetry.shut_down()

    app = FastAPI(
        title="Eco² Chat",
        version="0.1.0",
        summary="A Korean recycling assistant whose answers stream exactly once.",
        lifespan=lifespan,
        telemetry={"tracing": False},
        redirect_slashes=False,
        # Their pages run scripts of a third party, at the address of the chat.
        docs_url=None,
        redoc_url=None,
    )
    app.state.services, app.state.access = services, access
    errors.install(app)
    openapi.install(app)
    for subject in (chat, waiting, events, feedback, turns, erasing, images, health, page_routes):
        app.include_router(subject.router)
    for beside in (openai_api, ai_sdk, probe):
        app.include_router(beside.router)
    told = services.settings, services.limits, services.log
    app.state.gate = Gate(SubmitLimits(*told), Fairness(*told), depth)
    app.state.open_streams = OpenStreams(
        services.settings.limit_open_streams, services.settings.limit_open_streams_per_user
    )
    app.state.streams = StreamsUnderWay()
    metrics.install(app, registry or CollectorRegistry())
    app.add_middleware(BodyLimit, max_bytes=services.settings.body_max_bytes)
    if hosts is not None:
        app.add_middleware(KnownHosts, names=hosts)
    app.add_middleware(OpenAiErrors)
    app.add_middleware(
        CORSMiddleware,
        allow_origins=services.settings.cors_origins,
        allow_methods=["GET", "POST", "DELETE"],
        allow_headers=["Authorization", "Content-Type", "Idempotency-Key", "Last-Event-ID", "traceparent"],
        expose_headers=["Location", "Retry-After", "Server-Timing", "WWW-Authenticate", *limit_headers.NAMES],
    )
    app.add_middleware(SafeHeaders)
    FastAPIInstrumentor.instrument_app(
        app,
        tracer_provider=services.telemetry.provider,
        exclude_spans=["send", "receive"],
        excluded_urls="^[a-z]+://[^/]+/(livez|readyz|metrics)$",
    )
    return app


async def _open_turns(turns: TurnStore) -> None:
    """Before the first who needs them; the process serves meanwhile."""
    try:
        await turns.check()
    except HistoryUnavailable as error:
        _log.warning("no turns yet: %s", error)
