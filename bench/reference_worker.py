"""The reference pipeline's worker side: a job in, the model read raw, its tokens written gathered."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import aio_pika
import openai
import orjson
from aio_pika.abc import AbstractIncomingMessage
from redis.asyncio import Redis

from bench.model_stream import ContentReader
from bench.reference_api import QUEUE_ARGUMENTS, key_of

GATHER_S = 0.010
CONCURRENCY = 250


@dataclass
class JobLog:
    """What one job still has to write."""

    key: bytes
    writer: "GatheredWriter"
    texts: list[str] = field(default_factory=list)
    answer: list[str] = field(default_factory=list)
    is_done: bool = False
    landed: asyncio.Event = field(default_factory=asyncio.Event)

    def write(self, texts: list[str]) -> None:
        """Leave tokens to the next write."""
        self.texts += texts
        self.answer += texts
        self.writer.mark(self)

    async def end(self) -> None:
        """Write what is left and the terminal event; returns when Redis has them."""
        self.is_done = True
        self.writer.mark(self)
        await self.landed.wait()


class GatheredWriter:
    """One pipelined write in flight for all jobs; what comes meanwhile or within 10 ms rides in the next."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._dirty: dict[bytes, JobLog] = {}
        self._wake = asyncio.Event()

    def mark(self, log: JobLog) -> None:
        """Have a job's tokens written."""
        self._dirty[log.key] = log
        self._wake.set()

    async def run(self) -> None:
        """Write for ever."""
        while True:
            await self._wake.wait()
            await asyncio.sleep(GATHER_S)
            self._wake.clear()
            dirty, self._dirty = self._dirty, {}
            await self._write(list(dirty.values()))

    async def _write(self, logs: list[JobLog]) -> None:
        async with self._redis.pipeline(transaction=False) as pipeline:
            for log in logs:
                if log.texts:
                    data = orjson.dumps({"text": "".join(log.texts), "node": "answer"})
                    pipeline.xadd(log.key, {b"event": b"token", b"data": data})
                    log.texts = []
                if log.is_done:
                    answer = orjson.dumps({"answer": "".join(log.answer)})
                    pipeline.xadd(log.key, {b"event": b"done", b"data": answer})
            ending = [log for log in logs if log.is_done]
            await pipeline.execute()
        for log in ending:
            log.landed.set()


Answer = Callable[[openai.AsyncOpenAI, str, JobLog], Awaitable[None]]


async def stream_answer(model: openai.AsyncOpenAI, question: str, log: JobLog) -> None:
    """Hand the model's tokens straight to the log."""
    reader = ContentReader()
    async with model.chat.completions.with_streaming_response.create(
        model="sim",
        messages=[{"role": "user", "content": question}],
        stream=True,
        stream_options={"include_usage": True},
    ) as response:
        async for data in response.iter_bytes():
            if texts := reader.feed(data):
                log.write(texts)


async def run_worker(
    chain: str, redis_url: str, amqp_url: str, model: openai.AsyncOpenAI, answer: Answer
) -> None:
    """Take jobs until cancelled."""
    redis = Redis.from_url(redis_url)
    writer = GatheredWriter(redis)
    connection = await aio_pika.connect_robust(amqp_url)

    async def run_job(message: AbstractIncomingMessage) -> None:
        async with message.process():
            job = orjson.loads(message.body)
            log = JobLog(key_of(chain, job["job_id"]), writer)
            await answer(model, job["message"], log)
            await log.end()

    async with redis, model, connection:
        channel = await connection.channel()
        await channel.set_qos(prefetch_count=CONCURRENCY)
        queue = await channel.declare_queue(chain, durable=True, arguments=QUEUE_ARGUMENTS)
        await queue.consume(run_job)
        await writer.run()
