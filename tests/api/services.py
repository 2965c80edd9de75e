"""The outside world of chat-api, in memory and for real, and what only its operator can see."""

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator
from typing import Any, Protocol

import aio_pika
import redis
from aio_pika.exceptions import ChannelNotFoundEntity
from chat_api.claims import MemoryClaims
from chat_api.deps import Services, turn_store
from chat_api.limits.stores import in_redis
from chat_api.redis_claims import RedisClaims
from chat_api.settings import ApiSettings
from eco2_bus import topology
from eco2_bus.dead_letters import MemoryDeadLetters
from eco2_bus.events import to_json
from eco2_bus.job import ChatJob
from eco2_bus.log import EventLog, JobHead
from eco2_bus.memory import MemoryEventLog, MemoryJobQueue
from eco2_bus.pictures import MemoryPictures
from eco2_bus.rabbit_dead_letters import RabbitDeadLetters
from eco2_bus.rabbitmq import RabbitJobQueue
from eco2_bus.redis_pictures import RedisPictures
from eco2_bus.redis_streams import RedisEventLog
from eco2_devservers import RabbitServer, RedisServer
from eco2_telemetry.setup import Telemetry
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from pydantic import BaseModel


def new_id() -> str:
    return uuid.uuid4().hex


def settings(**changes: Any) -> ApiSettings:
    quick = {"session_wait_s": 2.0, "idempotency_wait_s": 0.5, "database_url": "memory:"}
    return ApiSettings(_env_file=None, **{**quick, **changes})  # type: ignore[call-arg]


def telemetry() -> Telemetry:
    return Telemetry(TracerProvider(sampler=ALWAYS_OFF, shutdown_on_exit=False))


def memory_services(**changes: Any) -> Services:
    chosen = settings(**changes)
    log = MemoryEventLog(times=chosen.log_times)
    queue = MemoryJobQueue(max_length=chosen.queue_max_length)
    return Services(
        chosen,
        queue,
        log,
        MemoryClaims(),
        telemetry(),
        turn_store(chosen),
        MemoryPictures(kept_s=chosen.picture_ttl_s, max_bytes=chosen.pictures_max_bytes),
        MemoryDeadLetters(queue),
        "memory",
    )


class World(Protocol):
    """Where the jobs, logs and claims live."""

    log: EventLog
    """The worker's own view of the logs."""
    made: Services
    """What the last API process was given."""

    def services(self, **changes: Any) -> Services:
        """What one API process is given."""
        ...

    async def waiting_jobs(self) -> list[ChatJob]:
        """Takes every job off the queue."""
        ...

    def keys(self) -> set[str]:
        """Names of all that is kept: logs, cancels, answers and claims."""
        ...


class MemoryWorld:
    def __init__(self) -> None:
        self.made = memory_services()
        self.log = self.made.log

    def services(self, **changes: Any) -> Services:
        self.made = memory_services(**changes)
        self.log = self.made.log
        return self.made

    async def waiting_jobs(self) -> list[ChatJob]:
        queue = self.made.queue
        jobs: list[ChatJob] = []
        async with contextlib.aclosing(queue.consume(10_000)) as deliveries:
            while await queue.depth():
                delivery = await anext(deliveries)
                await delivery.ack()
                jobs.append(ChatJob.from_body(delivery.body))
        return jobs

    def keys(self) -> set[str]:
        log, claims = vars(self.made.log), vars(self.made.claims)
        kept = {name: log[name] for name in ("_logs", "_answers", "_cancelled")}
        kept |= {name: claims[name] for name in ("_keys", "_sessions", "_erased")}
        kept |= {"picture": vars(self.made.pictures)["_pictures"]}
        return {f"{kind}:{name}" for kind, names in kept.items() for name in names}

    async def close(self) -> None:
        await self.log.close()


class RealWorld:
    """RabbitMQ and Redis, by the addresses given or by the servers' own."""

    def __init__(
        self,
        rabbit: RabbitServer,
        redis_server: RedisServer,
        *,
        amqp_url: str | None = None,
        redis_url: str | None = None,
        database_url: str = "memory:",
    ) -> None:
        self._database_url = database_url
        self._own_amqp_url = rabbit.url
        self.amqp_url = amqp_url or rabbit.url
        self.redis_url = redis_url or redis_server.url
        self.log = RedisEventLog(redis_server.url)
        self.admin = redis.Redis(port=redis_server.port, decode_responses=True)

    def services(self, **changes: Any) -> Services:
        urls = {"redis_url": self.redis_url, "amqp_url": self.amqp_url, "database_url": self._database_url}
        chosen = settings(**{**urls, "database_auto_upgrade": True, **changes})
        claims = RedisClaims(self.redis_url)
        self.made = Services(
            chosen,
            RabbitJobQueue(self.amqp_url, max_length=chosen.queue_max_length, name="chat-api"),
            RedisEventLog(self.redis_url, times=chosen.log_times),
            claims,
            telemetry(),
            turn_store(chosen),
            RedisPictures(self.redis_url, kept_s=chosen.picture_ttl_s, max_bytes=chosen.pictures_max_bytes),
            RabbitDeadLetters(self.amqp_url),
            limits=in_redis(claims.link),
        )
        return self.made

    async def waiting_jobs(self) -> list[ChatJob]:
        jobs: list[ChatJob] = []
        async with self._channel() as channel:
            try:
                queues = [await channel.get_queue(lane) for lane in topology.LANES]
            except ChannelNotFoundEntity:
                return []
            for queue in queues:
                while (message := await queue.get(fail=False, no_ack=True)) is not None:
                    jobs.append(ChatJob.from_body(message.body))
        return jobs

    async def remove_queue(self) -> None:
        """So that the next who comes declares it with a limit of his own."""
        async with self._channel() as channel:
            for lane in topology.LANES:
                await channel.queue_delete(lane)

    def keys(self) -> set[str]:
        return set(self.admin.keys("*")) - {"chat:copied"}

    @contextlib.asynccontextmanager
    async def _channel(self) -> AsyncIterator[Any]:
        async with await aio_pika.connect(self._own_amqp_url) as connection:
            yield await connection.channel()

    async def close(self) -> None:
        await self.log.close()
        self.admin.close()


class _Nothing(BaseModel):
    """Stands for the body of a job that nobody submitted."""


async def begin_log(log: EventLog, owner: str = "anonymous") -> str:
    """A queued job that is in the log only."""
    job_id = new_id()
    await log.create(job_id, JobHead(owner, new_id(), "", to_json(_Nothing()), 1_700_000_000_000))
    return job_id


async def settle() -> None:
    """Lets everything run that can run now."""
    for _ in range(5):
        await asyncio.sleep(0)
