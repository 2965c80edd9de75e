"""Chat Worker Token Streaming, by section 5 of the telemetry specification."""

from observability.panels import Dashboard, Panel, Query, Row
from observability.promql import WITH_INTENT, mean, quantile, rate, share, total

_FIGURES = Row(
    "Now",
    (
        Panel(
            "Active Streams",
            "short",
            "Answers being streamed. The alert TooManyActiveStreams fires above 100 a worker.",
            [Query(total("chat_stream_active"), "streams")],
            kind="stat",
            width=6,
            height=5,
            warn_above=100,
        ),
        Panel(
            "Tokens per Second",
            "cps",
            "Tokens that reached the event log, by node. Only the answer's are shown to users.",
            [Query(rate("chat_stream_tokens_total", "node"), "{{node}}")],
            kind="stat",
            width=6,
            height=5,
        ),
        Panel(
            "Token Latency P95",
            "s",
            "From the model's chunk to the acknowledged write. Objective: 25 ms; alert above 50 ms.",
            [Query(quantile(0.95, "chat_stream_token_latency_seconds"), "p95")],
            kind="stat",
            width=6,
            height=5,
            warn_above=0.05,
        ),
        Panel(
            "Stream Duration P95",
            "s",
            "From an attempt's start to its end, whatever the end is. Alert above 30 s.",
            [Query(quantile(0.95, "chat_stream_duration_seconds"), "p95")],
            kind="stat",
            width=6,
            height=5,
            warn_above=30,
        ),
    ),
)
_TOKENS = Row(
    "Tokens",
    (
        Panel(
            "Token Emission Rate by Node",
            "cps",
            "Tokens a second by node. A drop with active streams unchanged is a slow model or a slow log.",
            [Query(rate("chat_stream_tokens_total", "node"), "{{node}}")],
        ),
        Panel(
            "Stream Duration Distribution",
            "s",
            "How many streams took how long. A dot is one stream; it opens the trace.",
            [Query(rate("chat_stream_duration_seconds_bucket", "le"), "{{le}}")],
            kind="heatmap",
            has_traces=True,
        ),
        Panel(
            "Tokens per Stream",
            "short",
            "Median and mean length of an answer in tokens.",
            [
                Query(quantile(0.5, "chat_stream_token_count"), "median"),
                Query(mean("chat_stream_token_count"), "mean"),
            ],
        ),
        Panel(
            "Recovery Rate by Type",
            "reqps",
            "catch_up: events after a Last-Event-ID. snapshot: the log is gone, its answer is kept.",
            [Query(rate("chat_stream_recovery_total", "type", "status"), "{{type}} {{status}}")],
        ),
    ),
)
_WAITS = Row(
    "Where the time goes",
    (
        Panel(
            "Time to First Token",
            "s",
            "From the attempt's start to the first chunk: the look-ups, then the model. A dot opens a trace.",
            [
                Query(
                    quantile(0.5, "chat_stream_time_to_first_token_seconds", "provider"), "{{provider}} p50"
                ),
                Query(
                    quantile(0.95, "chat_stream_time_to_first_token_seconds", "provider"), "{{provider}} p95"
                ),
            ],
            has_traces=True,
        ),
        Panel(
            "Gap between Chunks",
            "s",
            "Between two chunks of the model. Wide gaps with a low token latency are the vendor's.",
            [
                Query(quantile(0.5, "chat_stream_token_interval_seconds", "provider"), "{{provider}} p50"),
                Query(quantile(0.95, "chat_stream_token_interval_seconds", "provider"), "{{provider}} p95"),
            ],
        ),
        Panel(
            "Token Latency by Node",
            "s",
            "From the model's chunk to the acknowledged write: the worker, the log and the network.",
            [
                Query(quantile(0.5, "chat_stream_token_latency_seconds", "node"), "{{node}} p50"),
                Query(quantile(0.95, "chat_stream_token_latency_seconds", "node"), "{{node}} p95"),
            ],
            warn_above=0.05,
        ),
        Panel(
            "Stream Duration P95 by Node and End",
            "s",
            "By how the stream ended. A dot opens the trace of one.",
            [Query(quantile(0.95, "chat_stream_duration_seconds", "node", "status"), "{{node}} {{status}}")],
            has_traces=True,
        ),
    ),
)
_ENDS = Row(
    "How it ends",
    (
        Panel(
            "Streams by End",
            "reqps",
            "success, error, cancelled by the user, recovered on a later attempt.",
            [Query(rate("chat_stream_requests_total", "status"), "{{status}}")],
        ),
        Panel(
            "Share of Failed Streams",
            "percentunit",
            "Of all streams. The error budget is 1 %.",
            [Query(share("chat_stream_requests_total", 'status="error"'), "failed")],
            warn_above=0.01,
        ),
        Panel(
            "Whole Answer P95 by Intent",
            "s",
            "From the question to its end. Objectives: waste 5 s, general 3 s. A dot opens the trace.",
            [
                Query(
                    quantile(0.95, "chat_request_duration_seconds", "intent", where=WITH_INTENT), "{{intent}}"
                )
            ],
            has_traces=True,
        ),
        Panel(
            "Model Tokens",
            "cps",
            "What the vendor charges for, by model and direction.",
            [Query(rate("chat_token_usage_total", "model", "type"), "{{model}} {{type}}")],
        ),
    ),
)
BOARD = Dashboard(
    "chat-worker-streaming",
    "Chat Worker Token Streaming",
    "The token path: from the model's chunks to the event log.",
    (_FIGURES, _TOKENS, _WAITS, _ENDS),
    instances_of="chat_stream_active",
)
