"""Names and arguments of the exchange and queues, declared alike by every service."""

from typing import Any

EXCHANGE = "chat"
JOBS = "chat.jobs"
DEAD = "chat.jobs.dead"
WAITING = "chat.jobs.waiting"
DELIVERY_LIMIT = 10
"""Only the backstop: poison is decided by the failed attempts in the job's log."""

WAITING_MAX_LENGTH = 10_000
WAITING_S = 120.0
"""How long a question to the user stays open, unless the settings say otherwise."""

HANDED_BACK_HEADER = "x-eco2-handed-back"
DEAD_LETTER_HEADERS = "x-first-death-"
"""How the names begin of the headers by which RabbitMQ tells where a message has been."""


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


def waiting_arguments(waiting_s: float) -> dict[str, Any]:
    """Arguments of the quorum queue `chat.jobs.waiting`, which nobody consumes: what expires goes back."""
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
