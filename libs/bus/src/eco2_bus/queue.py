"""The queue of jobs: published only when the broker has confirmed, delivered at least once."""

from collections.abc import AsyncGenerator, Sequence
from typing import Protocol

from eco2_bus import topology
from eco2_bus.job import ChatJob


class QueueUnavailable(Exception):
    """The broker did not confirm: down, too slow, or it refused."""


class QueueFull(QueueUnavailable):
    """The broker refused because the queue is at its length limit."""


class Delivery(Protocol):
    """One message on loan. Exactly one of the five methods settles it."""

    job_id: str
    """The AMQP message_id; known even when the body cannot be read."""
    body: bytes
    headers: dict[str, str]
    queue: str
    """The lane that it came on."""
    deliveries: int
    """How often the broker has delivered this message, this time included."""
    is_redelivered: bool
    is_handed_back: bool
    postponed: int
    """How often it was postponed."""
    has_lease: bool
    """False once it is settled, or the broker has taken the loan back, as when the connection is lost."""

    async def ack(self) -> None:
        """Takes the message off the queue; does nothing when the lease is lost."""
        ...

    async def retry(self) -> None:
        """Has the message delivered again, as a failed attempt."""
        ...

    async def dead_letter(self, reason: str) -> None:
        """Moves the message to `chat.jobs.dead`."""
        ...

    async def hand_back(self) -> None:
        """Publishes the message anew, confirmed, then acknowledges it: no failed attempt."""
        ...

    async def postpone(self) -> None:
        """Has the message come again a little later, confirmed, then acknowledges it.

        What somebody has begun comes as handed back.
        """
        ...


class JobQueue(Protocol):
    """The queue `chat.jobs`, and its second lane `chat.jobs.burst`."""

    async def publish(self, job: ChatJob, headers: dict[str, str], queue: str = topology.JOBS) -> None:
        """Returns once the broker has the job for good; raises QueueUnavailable or QueueFull."""
        ...

    async def park(self, job: ChatJob, headers: dict[str, str]) -> None:
        """Has the job come by itself, as a fresh message, once the queue's waiting time is over.

        Returns once the broker has it for good; raises QueueUnavailable or QueueFull.
        """
        ...

    def consume(self, prefetch: int) -> AsyncGenerator[Delivery, None]:
        """Yields deliveries, at most `prefetch` unsettled ones at a time, across reconnects, for ever.

        That bounds the main lane. `topology.burst_room` says how many of the second one come beside them:
        neither lane ever keeps the other one waiting, and no slot stays empty while there are jobs.
        """
        ...

    async def depth(self, queues: Sequence[str] = topology.LANES) -> int:
        """How many jobs wait in these queues together; raises QueueUnavailable.

        Who is not connected to publish is not connected for this: nobody's publish may depend on a look.
        """
        ...

    async def consumers(self, queue: str) -> int:
        """How many processes take jobs from this queue; as `depth`."""
        ...

    async def check(self) -> None:
        """Returns when the broker is reachable; raises QueueUnavailable."""
        ...

    async def close(self) -> None:
        """Frees all connections; what is unsettled goes back to the queue."""
        ...
