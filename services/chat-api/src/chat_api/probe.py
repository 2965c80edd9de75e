"""Timed chunks on request, by which `eco2 doctor` sees what lies between a caller and us."""

import asyncio
import time
from collections.abc import AsyncGenerator
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Query, Request, Response

from chat_api.deps import Deps, caller
from chat_api.job_events import JobEvents
from chat_api.limits.streams import Streaming

router = APIRouter(prefix="/api/v1", include_in_schema=False)

LOOKED_FOR = ("last-event-id", "idempotency-key")


# Known callers only: each probe holds a connection for a minute or more.
@router.get("/probe", dependencies=[Depends(caller), Streaming])
async def probe(
    request: Request,
    services: Deps,
    chunks: Annotated[int, Query(ge=1, le=100)] = 20,
    every_ms: Annotated[int, Query(ge=10, le=1_000)] = 100,
    idle_s: Annotated[float, Query(ge=0, le=90)] = 0,
) -> Response:
    """So many chunks so far apart, each with our time; then heartbeats only; then the end."""
    heartbeat_s = services.settings.heartbeat_s
    heard = [name for name in LOOKED_FOR if name in request.headers]
    hello = {"heartbeat_s": heartbeat_s, "heard": heard}
    return JobEvents(_chunks(hello, chunks, every_ms / 1000, idle_s), services.settings)


async def _chunks(hello: dict[str, Any], chunks: int, every_s: float, idle_s: float) -> AsyncGenerator[bytes]:
    yield _event("hello", hello)
    for number in range(1, chunks + 1):
        await asyncio.sleep(every_s)
        yield _event("chunk", {"n": number, "now_ms": time.time() * 1000})
    await asyncio.sleep(idle_s)
    yield _event("end", {})


def _event(name: str, data: dict[str, Any]) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (name.encode(), orjson.dumps(data))
