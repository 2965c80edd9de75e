"""Names and arguments of the exchange and queues, declared alike by every service."""

from typing import Any

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
