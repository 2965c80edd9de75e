"""Subagents: which look-up is slow or failing."""

from observability.panels import Dashboard, Panel, Query, Row
from observability.promql import WITH_INTENT, quantile, rate, share

_CALLS = Row(
    "Look-ups",
    (
        Panel(
            "Calls by Subagent",
            "reqps",
            "How often each is asked.",
            [Query(rate("chat_subagent_calls_total", "subagent"), "{{subagent}}")],
        ),
        Panel(
            "Share of Failed Calls",
            "percentunit",
            "A failed look-up does not fail the answer: the answer says what is missing.",
            [Query(share("chat_subagent_calls_total", 'status="error"', "subagent"), "{{subagent}}")],
            warn_above=0.05,
        ),
        Panel(
            "P95 by Subagent",
            "s",
            "The highest line is the bottleneck of every answer that waits for it. A dot opens the trace.",
            [Query(quantile(0.95, "chat_subagent_duration_seconds", "subagent"), "{{subagent}}")],
            has_traces=True,
        ),
        Panel(
            "Median by Subagent",
            "s",
            "Slow for everybody, or only at the far end? Compare with the p95.",
            [Query(quantile(0.5, "chat_subagent_duration_seconds", "subagent"), "{{subagent}}")],
            has_traces=True,
        ),
    ),
)
_INTENTS = Row(
    "Intents",
    (
        Panel(
            "Intent Mix",
            "reqps",
            "What is asked for. A message may ask for several things.",
            [Query(rate("chat_intent_distribution_total", "intent", where=WITH_INTENT), "{{intent}}")],
        ),
        Panel(
            "Whole Answer by Intent",
            "s",
            "Median and p95 from the question to its end. A dot opens the trace.",
            [
                Query(
                    quantile(0.5, "chat_request_duration_seconds", "intent", where=WITH_INTENT),
                    "{{intent}} p50",
                ),
                Query(
                    quantile(0.95, "chat_request_duration_seconds", "intent", where=WITH_INTENT),
                    "{{intent}} p95",
                ),
            ],
            has_traces=True,
        ),
        Panel(
            "Questions by End",
            "reqps",
            "By intent and how they ended.",
            [
                Query(
                    rate("chat_requests_total", "intent", "status", where=WITH_INTENT),
                    "{{intent}} {{status}}",
                )
            ],
        ),
        Panel(
            "Errors by Type",
            "reqps",
            "The code that the user was told.",
            [
                Query(
                    rate("chat_errors_total", "intent", "error_type", where=WITH_INTENT),
                    "{{intent}} {{error_type}}",
                )
            ],
        ),
    ),
)
BOARD = Dashboard(
    "chat-subagents",
    "Chat Subagents",
    "Calls, errors and durations by subagent, and the mix of intents.",
    (_CALLS, _INTENTS),
    instances_of="chat_stream_active",
)
