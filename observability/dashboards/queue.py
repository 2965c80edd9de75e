"""The job queue, from RabbitMQ's own Prometheus plugin."""

from observability.panels import Dashboard, Panel, Query, Row
from observability.promql import HERE, rate, total

JOBS = f'{HERE}, queue="chat.jobs"'
LANES = f'{HERE}, queue=~"chat[.]jobs([.]burst)?"'
OURS = f'{HERE}, queue=~"chat\\\\..*"'
DEAD = f'{HERE}, queue="chat.jobs.dead"'
QUORUM = f'{HERE}, queue_type="rabbit_quorum_queue"'
INTAKE = 'namespace=~"$namespace", intent=~"$intent"'
_ACKED = rate("rabbitmq_global_messages_acknowledged_total", where=QUORUM)

_DEPTH = Row(
    "Depth",
    (
        Panel(
            "Jobs Waiting and under Way",
            "short",
            "ready: nobody has taken them. unacked: a worker has them.",
            [
                Query(total("rabbitmq_queue_messages_ready", "queue", where=OURS), "{{queue}} ready"),
                Query(total("rabbitmq_queue_messages_unacked", "queue", where=OURS), "{{queue}} unacked"),
            ],
        ),
        Panel(
            "Expected Wait",
            "s",
            "Age of the oldest job if the queue drains on like this: depth by acknowledgements a second. "
            "Quorum queues tell no message's age.",
            [
                Query(
                    f"{total('rabbitmq_queue_messages_ready', where=LANES)} / clamp_min({_ACKED}, 0.001)",
                    "wait",
                )
            ],
            warn_above=30,
        ),
        Panel(
            "Dead Letters",
            "short",
            "Jobs that were given up. Each needs a person: see the runbook.",
            [Query(total("rabbitmq_queue_messages", where=DEAD), "dead")],
            warn_above=1,
        ),
        Panel(
            "Workers Listening",
            "short",
            "Consumers of the job queue; none means that nothing is answered.",
            [Query(total("rabbitmq_queue_consumers", where=JOBS), "consumers")],
        ),
    ),
)
_FLOW = Row(
    "Flow",
    (
        Panel(
            "Published and Acknowledged",
            "reqps",
            "Into the broker, and done.",
            [
                Query(rate("rabbitmq_global_messages_received_total"), "published"),
                Query(_ACKED, "acknowledged"),
            ],
        ),
        Panel(
            "Redeliveries",
            "reqps",
            "Jobs given out again: a worker died, lost its connection or failed.",
            [Query(rate("rabbitmq_global_messages_redelivered_total", where=QUORUM), "redelivered")],
        ),
        Panel(
            "Dead-lettered by Reason",
            "reqps",
            "rejected: given up. delivery_limit: delivered too often. expired: its user gave no place, or it "
            "is of a later version.",
            [
                Query(rate("rabbitmq_global_messages_dead_lettered_rejected_total"), "rejected"),
                Query(rate("rabbitmq_global_messages_dead_lettered_delivery_limit_total"), "delivery_limit"),
                Query(rate("rabbitmq_global_messages_dead_lettered_expired_total"), "expired"),
            ],
        ),
        Panel(
            "Intake by Intent",
            "reqps",
            "What the workers take off the queue, once they have understood it.",
            [Query(rate("chat_intent_distribution_total", "intent", where=INTAKE), "{{intent}}")],
        ),
    ),
)
BOARD = Dashboard(
    "chat-queue",
    "Chat Queue",
    "Depth, redeliveries and dead letters of the job queue.",
    (_DEPTH, _FLOW),
    instances_of="rabbitmq_queue_messages_ready",
)
