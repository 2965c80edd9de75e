"""Names and arguments of the exchange and queues, declared alike by every service."""

from typing import Any

from aio_pika import ExchangeType
from aio_pika.abc import AbstractChannel, AbstractExchange, AbstractQueue

EXCHANGE = "chat"
JOBS = "chat.jobs"
DEAD = "chat.jobs.dead"
DELIVERY_LIMIT = 10
"""Only the backstop: poison is decided by the failed attempts in the job's log."""

HANDED_BACK_HEADER = "x-eco2-handed-back"


def jobs_arguments(max_length: int) -> dict[str, Any]:
    """Arguments of the quorum queue `chat.jobs`."""
    return {
        "x-queue-type": "quorum",
        "x-max-length": max_length,
        "x-overflow": "reject-publish",
        "x-dead-letter-exchange": "",
        "x-dead-letter-routing-key": DEAD,
        "x-dead-letter-strategy": "at-least-once",
        "x-delivery-limit": DELIVERY_LIMIT,
    }


async def declare(channel: AbstractChannel, max_length: int) -> tuple[AbstractExchange, AbstractQueue]:
    """Declares everything; raises ChannelPreconditionFailed when it exists with other arguments."""
    exchange = await channel.declare_exchange(EXCHANGE, ExchangeType.DIRECT, durable=True)
    await channel.declare_queue(DEAD, durable=True, arguments={"x-queue-type": "quorum"})
    jobs = await channel.declare_queue(JOBS, durable=True, arguments=jobs_arguments(max_length))
    await jobs.bind(exchange, JOBS)
    return exchange, jobs
