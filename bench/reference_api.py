"""The reference pipeline's HTTP side: jobs out over RabbitMQ with confirms, one shared reader, events in."""

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator

import aio_pika
import orjson
from fastapi import FastAPI
from pydantic import BaseModel
from redis.asyncio import BlockingConnectionPool, Redis
from sse_starlette.sse import EventSourceResponse

ENDS = frozenset((b"done", b"error"))
QUEUE_ARGUMENTS = {"x-queue-type": "quorum"}
# Below redis-py's own socket time-out of 5 s, which ends an idle reader otherwise.
BLOCK_MS = 2000
_WAKE = b"wake"


class Question(BaseModel):
    """The body of a submit."""

    message: str


def key_of(chain: str, job_id: str) -> bytes:
    """The Redis stream that holds a job's events."""
    return f"{chain}:{job_id}:events".encode()


class SharedReader:
    """One blocking XREAD over the logs of all viewers; a stream of its own wakes it for a new one."""

    def __init__(self, redis: Redis, chain: str) -> None:
        self._redis = redis
        self._wake_key = f"{chain}:wake".encode()
        self._last: dict[bytes, bytes] = {}
        self._viewers: dict[bytes, asyncio.Queue[tuple[bytes, bool]]] = {}

    async def events(self, key: bytes) -> AsyncIterator[bytes]:
        """A job's events from the first to the terminal one, as ready-made SSE bytes."""
        queue = self._viewers[key] = asyncio.Queue()
        self._last[key] = b"0"
        await self._redis.xadd(self._wake_key, {_WAKE: b""}, maxlen=1000)
        try:
            is_last = False
            while not is_last:
                data, is_last = await queue.get()
                yield data
        finally:
            del self._viewers[key]
            self._last.pop(key, None)

    async def run(self) -> None:
        """Read for ever."""
        wake_id = b"0"
        while True:
            reply = await self._redis.xread({self._wake_key: wake_id, **self._last}, block=BLOCK_MS)
            for key, entries in reply:
                if key == self._wake_key:
                    wake_id = entries[-1][0]
                else:
                    self._pass_on(key, entries)

    def _pass_on(self, key: bytes, entries: list[tuple[bytes, dict[bytes, bytes]]]) -> None:
        is_last = entries[-1][1][b"event"] in ENDS
        data = b"".join(
            b"id: %b\nevent: %b\ndata: %b\n\n" % (entry_id, entry[b"event"], entry[b"data"])
            for entry_id, entry in entries
        )
        if viewer := self._viewers.get(key):
            viewer.put_nowait((data, is_last))
        if is_last:
            self._last.pop(key, None)
        elif key in self._last:
            self._last[key] = entries[-1][0]


def create_app(chain: str, redis_url: str, amqp_url: str) -> FastAPI:
    """The two calls of the product that a stream needs, and nothing else."""
    # A pool that waits: the default one refuses the 101st caller.
    redis = Redis(connection_pool=BlockingConnectionPool.from_url(redis_url, protocol=2, max_connections=16))
    reader = SharedReader(redis, chain)

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        connection = await aio_pika.connect_robust(amqp_url)
        channel = await connection.channel(publisher_confirms=True)
        await channel.declare_queue(chain, durable=True, arguments=QUEUE_ARGUMENTS)
        app.state.exchange = channel.default_exchange
        reading = asyncio.create_task(reader.run())
        yield
        reading.cancel()
        await connection.close()
        await redis.aclose()

    app = FastAPI(lifespan=lifespan)

    @app.get("/readyz")
    async def ready() -> dict[str, str]:
        return {"status": "ready"}

    @app.post("/api/v1/chat", status_code=202)
    async def submit(question: Question) -> dict[str, str]:
        job_id = uuid.uuid4().hex
        key = key_of(chain, job_id)
        async with redis.pipeline(transaction=False) as pipeline:
            pipeline.xadd(key, {b"event": b"queued", b"data": orjson.dumps({"job_id": job_id})})
            pipeline.expire(key, 3600)
            await pipeline.execute()
        body = orjson.dumps({"job_id": job_id, "message": question.message})
        message = aio_pika.Message(body, delivery_mode=aio_pika.DeliveryMode.PERSISTENT)
        await app.state.exchange.publish(message, routing_key=chain)
        return {"job_id": job_id, "events_url": f"/api/v1/chat/{job_id}/events"}

    @app.get("/api/v1/chat/{job_id}/events")
    async def events(job_id: str) -> EventSourceResponse:
        return EventSourceResponse(reader.events(key_of(chain, job_id)), ping=15)

    return app
