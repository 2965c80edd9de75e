"""Names and arguments of the exchange and queues, declared alike by every service."""

from typing import Any

EXCHANGE = "chat"
JOBS = "chat.jobs"
BURST = "chat.jobs.burst"
"""Jobs of those who have many under way already: a share of a worker's slots, and what is free."""
LANES = (JOBS, BURST)
"""The queues that workers take jobs from."""
DEAD = "chat.jobs.dead"
WAITING = "chat.jobs.waiting"
LATER = "chat.jobs.later"
DELIVERY_LIMIT = 10
"""Only the backstop: poison is decided by the failed attempts in the job's log."""

WAITING_MAX_LENGTH = 10_000
WAITING_S = 120.0
"""How long a question to the user stays open, unless the settings say otherwise."""

LATER_S = 5.0
"""How long a job that this version cannot read stays away before it is offered again."""

HANDED_BACK_HEADER = "x-eco2-handed-back"
POSTPONED_HEADER = "x-eco2-postponed"
"""How often the job was sent away, for a newer worker to take it."""
DEAD_LETTER_HEADERS = "x-first-death-"
"""How the names begin of the headers by which RabbitMQ tells where a message has been."""


def burst_share(prefetch: int) -> int:
    """Deliveries of `chat.jobs.burst` that a consumer of `prefetch` may have whatever else it has."""
    return max(1, prefetch // 4)


def burst_room(prefetch: int, main: int) -> int:
    """Deliveries of `chat.jobs.burst` that a consumer may have beside `main` ones of the main lane."""
    return max(burst_share(prefetch), prefetch - main)


def jobs_arguments(max_length: int) -> dict[str, Any]:
    """Arguments of the quorum queues `chat.jobs` and `chat.jobs.burst`."""
    return {
        "x-queue-type": "quorum",
        "x-max-length": max_length,
        "x-overflow": "reject-publish",
        "x-dead-letter-exchange": "",
        "x-dead-letter-routing-key": DEAD,
        "x-dead-letter-strategy": "at-least-once",
        "x-delivery-limit": DELIVERY_LIMIT,
    }


def waiting_arguments(waiting_s: float) -> dict[str, Any]:
    """Arguments of `chat.jobs.waiting` and `chat.jobs.later`, quorum queues which nobody consumes.

    What expires goes back to `chat.jobs`.
    """
    return {
        "x-queue-type": "quorum",
        "x-message-ttl": round(waiting_s * 1000),
        "x-max-length": WAITING_MAX_LENGTH,
        "x-overflow": "reject-publish",
        "x-dead-letter-exchange": EXCHANGE,
        "x-dead-letter-routing-key": JOBS,
        # At-most-once would overfill `chat.jobs`, and lose what expires while that has no leader.
        "x-dead-letter-strategy": "at-least-once",
    }
