"""`python -m chat_worker`: one worker process over RabbitMQ and Redis."""

import asyncio
import contextlib
import signal
import sys
from contextlib import AsyncExitStack

import uvloop
from eco2_bus.rabbitmq import RabbitJobQueue
from eco2_bus.redis_pictures import RedisPictures
from eco2_bus.redis_streams import RedisEventLog
from eco2_history import TurnStore
from eco2_telemetry.process import settle
from eco2_telemetry.setup import set_up
from prometheus_client import CollectorRegistry

from chat_worker.bootstrap import open_consumer
from chat_worker.metrics.server import serving
from chat_worker.settings import WorkerSettings


async def work(settings: WorkerSettings) -> None:
    """Works until SIGTERM or Ctrl-C, then finishes or hands back what is under way."""
    leaving = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, leaving.set)
    telemetry = set_up("chat-worker", log_level=settings.log_level)
    redis_url = settings.redis_url.get_secret_value()
    log = RedisEventLog(redis_url, times=settings.log_times)
    turns = TurnStore(settings.database_url.get_secret_value(), upgrades=settings.database_auto_upgrade)
    pictures = RedisPictures(redis_url, kept_s=settings.picture_ttl_s, max_bytes=settings.pictures_max_bytes)
    queue = RabbitJobQueue(
        settings.amqp_url.get_secret_value(),
        max_length=settings.queue_max_length,
        waiting_s=settings.input_wait_s,
        name="chat-worker",
    )
    try:
        async with AsyncExitStack() as stack:
            registry = CollectorRegistry()
            if settings.metrics_port is not None:
                await stack.enter_async_context(
                    serving(settings.metrics_host, settings.metrics_port, registry, queue, log)
                )
            consumer = await stack.enter_async_context(
                open_consumer(settings, queue, log, turns, pictures, telemetry, registry=registry)
            )
            settle()
            consuming = asyncio.create_task(consumer.consume())
            stopped = asyncio.create_task(leaving.wait())
            await asyncio.wait({consuming, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if consuming.done():
                consuming.result()
            consuming.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await consuming
            await consumer.drain(settings.drain_s)
    finally:
        await queue.close()
        await log.close()
        await turns.close()
        await pictures.close()
        telemetry.shut_down()


def main() -> int:
    """Reads the settings and works."""
    settings = WorkerSettings()
    if not settings.openai_api_key.get_secret_value():
        print(
            "chat-worker needs OPENAI_API_KEY (or OPENAI_BASE_URL of a compatible server and any key)",
            file=sys.stderr,
        )
        return 1
    uvloop.run(work(settings))
    return 0


if __name__ == "__main__":
    sys.exit(main())
