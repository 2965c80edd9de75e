"""Jobs that are done, given out again and given up, on a real broker."""

import time

from eco2_bus.job import ChatJob
from eco2_bus.rabbitmq import RabbitJobQueue
from eco2_devservers import RabbitServer

JOBS = 12


async def move_the_queue(rabbit: RabbitServer) -> None:
    """Leaves one dead letter, and one job that a worker still has."""
    queue = RabbitJobQueue(rabbit.url, max_length=100, name="test")
    try:
        for number in range(JOBS):
            await queue.publish(_job(number), {})
        taken = 0
        async for delivery in queue.consume(1):
            taken += 1
            if taken == 1:
                await delivery.dead_letter("given up by the test")
            elif taken == 2:
                await delivery.retry()
            elif taken <= JOBS:
                await delivery.ack()
            else:
                break
    finally:
        await queue.close()


def _job(number: int) -> ChatJob:
    return ChatJob(
        job_id=f"{number:032x}",
        session_id="session",
        owner="anonymous",
        message="페트병은?",
        created_at_ms=time.time_ns() // 1_000_000,
    )
