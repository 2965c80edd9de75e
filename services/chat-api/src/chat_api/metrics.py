"""The process's Prometheus metrics on `/metrics`, and what of them is chat-api's own."""

from typing import Annotated, Literal, cast

from fastapi import Depends, FastAPI, Request, Response
from prometheus_client import CollectorRegistry, Counter, Gauge
from prometheus_client.exposition import choose_encoder
from prometheus_fastapi_instrumentator import Instrumentator

from chat_api.relay_lag import RelayLag

Recovery = Literal["catch_up", "snapshot"]
RecoveryStatus = Literal["success", "error"]
Resume = Literal["ok", "gap", "gone"]

REJECTIONS = frozenset(
    {
        *("queue_full", "unavailable", "session_busy", "body_too_large"),
        *("rate_limited", "too_many_jobs", "too_many_streams"),
    }
)
"""Why a question, or a viewer, is not let in; each is the `code` of its problem document."""


class ApiMetrics:
    """Viewers, resumes and refusals; every series is there from the start: a ratio without it is no data."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.open_streams = Gauge("chat_api_open_streams", "Event streams being served.", registry=registry)
        self.relay_lag = RelayLag()
        registry.register(self.relay_lag)
        recoveries = Counter(
            "chat_stream_recovery",
            "Resumes served: events after a Last-Event-ID, or the kept answer of a log that is gone.",
            ["type", "status"],
            registry=registry,
        )
        resumes = Counter(
            "chat_api_resumes", "Resumes by what the viewer was told.", ["result"], registry=registry
        )
        rejections = Counter(
            "chat_api_rejections",
            "Questions and viewers that were not let in.",
            ["reason"],
            registry=registry,
        )
        ratings = Counter(
            "chat_feedback",
            "Answers that users have rated, by what was said first: 1 is good, 0 is bad.",
            ["score"],
            registry=registry,
        )
        kinds: tuple[Recovery, ...] = ("catch_up", "snapshot")
        ends: tuple[RecoveryStatus, ...] = ("success", "error")
        results: tuple[Resume, ...] = ("ok", "gap", "gone")
        self._recoveries = {(kind, end): recoveries.labels(kind, end) for kind in kinds for end in ends}
        self._resumes = {result: resumes.labels(result) for result in results}
        self._ratings = {score: ratings.labels(str(score)) for score in (0, 1)}
        self._rejections = {reason: rejections.labels(reason) for reason in REJECTIONS}

    def track_stream_recovery(self, kind: Recovery, status: RecoveryStatus) -> None:
        """A resume came to this end."""
        self._recoveries[kind, status].inc()

    def resumed(self, result: Resume) -> None:
        """A viewer came back: its events went on, began anew, or are gone while the answer is kept."""
        self._resumes[result].inc()
        # A gap repeats the whole text: the viewer could not be caught up from where it was.
        kind: Recovery = "snapshot" if result == "gone" else "catch_up"
        self.track_stream_recovery(kind, "error" if result == "gap" else "success")

    def rated(self, score: int) -> None:
        """A user has said for the first time what an answer was worth."""
        self._ratings[score].inc()

    def rejected(self, code: str) -> None:
        """A question was refused; other problems than those of admission are not counted here."""
        if code in self._rejections:
            self._rejections[code].inc()


def metrics_of(request: Request) -> ApiMetrics:
    """The metrics of the request's process."""
    return cast(ApiMetrics, request.app.state.metrics)


async def _metrics(request: Request) -> ApiMetrics:
    # A coroutine: FastAPI would send a plain function through a thread.
    return metrics_of(request)


Metrics = Annotated[ApiMetrics, Depends(_metrics)]


def install(app: FastAPI, registry: CollectorRegistry) -> None:
    """Measures every request and serves the registry, with exemplars for those who ask for OpenMetrics."""
    app.state.metrics = ApiMetrics(registry)
    Instrumentator(registry=registry, excluded_handlers=["/metrics", "/livez", "/readyz"]).instrument(app)

    @app.get("/metrics", include_in_schema=False)
    async def metrics(request: Request) -> Response:  # pyright: ignore[reportUnusedFunction]
        encode, content_type = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(registry), media_type=content_type)
