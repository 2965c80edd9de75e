"""Chat API: rate, errors, duration, viewers."""

from observability.panels import Dashboard, Panel, Query, Row
from observability.promql import WITH_INTENT, quantile, rate, share, total

_REQUESTS = Row(
    "Requests",
    (
        Panel(
            "Requests by Endpoint",
            "reqps",
            "All HTTP requests except probes and scrapes.",
            [Query(rate("http_requests_total", "method", "handler"), "{{method}} {{handler}}")],
        ),
        Panel(
            "Share of Server Errors",
            "percentunit",
            "Answers with 5xx, of all. Refusals at admission are among them: see the row below.",
            [Query(share("http_requests_total", 'status="5xx"'), "5xx")],
            warn_above=0.01,
        ),
        Panel(
            "Duration by Endpoint",
            "s",
            "Event streams last as long as their answers; look at the POST for the API itself.",
            [
                Query(
                    quantile(0.5, "http_request_duration_seconds", "method", "handler"),
                    "p50 {{method}} {{handler}}",
                ),
                Query(
                    quantile(0.95, "http_request_duration_seconds", "method", "handler"),
                    "p95 {{method}} {{handler}}",
                ),
            ],
        ),
        Panel(
            "Answers by Status",
            "reqps",
            "By class of the status code.",
            [Query(rate("http_requests_total", "status"), "{{status}}")],
        ),
    ),
)
_VIEWERS = Row(
    "Viewers",
    (
        Panel(
            "Open SSE Connections",
            "short",
            "Event streams being served, by process.",
            [Query(total("chat_api_open_streams", "instance"), "{{instance}}")],
        ),
        Panel(
            "Relay Lag",
            "s",
            "From an event's write to its socket write, of events written while they were watched.",
            [
                Query(quantile(0.5, "chat_api_relay_lag_seconds"), "p50"),
                Query(quantile(0.95, "chat_api_relay_lag_seconds"), "p95"),
            ],
        ),
        Panel(
            "Resumes by Result",
            "reqps",
            "ok: went on. gap: the id is not in the log, the text began anew. gone: the log has expired.",
            [Query(rate("chat_api_resumes_total", "result"), "{{result}}")],
        ),
        Panel(
            "Recoveries by Type",
            "reqps",
            "catch_up after a Last-Event-ID, snapshot from the kept answer.",
            [Query(rate("chat_stream_recovery_total", "type", "status"), "{{type}} {{status}}")],
        ),
    ),
)
_ADMISSION = Row(
    "Admission",
    (
        Panel(
            "Questions not let in",
            "reqps",
            "By reason: the queue is full, a store is away, the session is busy, the body is too large.",
            [Query(rate("chat_api_rejections_total", "reason"), "{{reason}}")],
        ),
        Panel(
            "Questions Answered by Intent",
            "reqps",
            "What became of those let in, at the worker's end.",
            [Query(rate("chat_requests_total", "intent", where=WITH_INTENT), "{{intent}}")],
        ),
    ),
)
BOARD = Dashboard(
    "chat-api",
    "Chat API",
    "HTTP in, events out: rate, errors, duration, viewers.",
    (_REQUESTS, _VIEWERS, _ADMISSION),
    instances_of="chat_api_open_streams",
)
