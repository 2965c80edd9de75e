"""The answer's stream in figures; names, labels and buckets are fixed by existing dashboards."""

from time import perf_counter
from types import TracebackType
from typing import Self

from eco2_bus.log import TakeOverResult
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from chat_worker.metrics.exemplars import current_exemplar

STATUSES = ("success", "error", "cancelled", "recovered")
NODES = ("answer", "summarize", "feedback")
"""Whose tokens are counted; only the answer's reach the event log."""
ANSWER = "answer"
NOT_RUN = (TakeOverResult.GONE, TakeOverResult.RUNNING)


class StreamMetrics:
    """The metrics of one process; label children are made once, a look-up costs more than an observation."""

    def __init__(self, registry: CollectorRegistry, provider: str) -> None:
        tokens = Counter(
            "chat_stream_tokens", "Tokens by node and status.", ["node", "status"], registry=registry
        )
        requests = Counter(
            "chat_stream_requests", "Streams by how they ended.", ["status"], registry=registry
        )
        latency = Histogram(
            "chat_stream_token_latency_seconds",
            "From the model's chunk to the acknowledged write.",
            ["node"],
            buckets=(0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25),
            registry=registry,
        )
        interval = Histogram(
            "chat_stream_token_interval_seconds",
            "Between two chunks of the model.",
            ["provider"],
            buckets=(0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1),
            registry=registry,
        )
        first = Histogram(
            "chat_stream_time_to_first_token_seconds",
            "From the attempt's start to the first chunk.",
            ["provider"],
            buckets=(0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10),
            registry=registry,
        )
        duration = Histogram(
            "chat_stream_duration_seconds",
            "An attempt, from its start to its end.",
            ["node", "status"],
            buckets=(0.5, 1, 2, 5, 10, 20, 30, 60, 120, 180),
            registry=registry,
        )
        count = Histogram(
            "chat_stream_token_count",
            "Tokens of a stream.",
            ["node"],
            buckets=(10, 50, 100, 200, 500, 1000, 2000),
            registry=registry,
        )
        self._usage = Counter(
            "chat_token_usage",
            "Tokens that the model's vendor charges for.",
            ["provider", "model", "type"],
            registry=registry,
        )
        dropped = Counter(
            "chat_worker_jobs_dropped",
            "Messages whose jobs were not run: no log is there, or the job is somebody else's.",
            ["reason"],
            registry=registry,
        )
        self._provider = provider
        self.active = Gauge("chat_stream_active", "Streams under way.", registry=registry)
        # Every combination from the start: a ratio with an absent series is no data, not 0.
        self.requests = {status: requests.labels(status) for status in STATUSES}
        self.tokens = {node: tokens.labels(node, "success") for node in NODES}
        self.latency = {node: latency.labels(node) for node in NODES}
        self.duration = {status: duration.labels(ANSWER, status) for status in STATUSES}
        self.interval = interval.labels(provider)
        self.first = first.labels(provider)
        self.dropped = {result: dropped.labels(result.value) for result in NOT_RUN}
        self.count = count.labels(ANSWER)

    def track_stream_token(self, node: str = ANSWER, count: int = 1, latency: float | None = None) -> None:
        """Tokens outside a tracker: those of a model call that no viewer is shown."""
        self.tokens[node].inc(count)
        if latency is not None:
            self.latency[node].observe(latency)

    def used(self, model: str, input_tokens: int, output_tokens: int) -> None:
        """A job has cost so many tokens; without a model there was no call."""
        if model:
            self._usage.labels(self._provider, model, "input").inc(input_tokens)
            self._usage.labels(self._provider, model, "output").inc(output_tokens)


class StreamMetricsTracker:
    """The one owner of a stream's metrics; as a context manager it brings the gauge down whatever happens.

    A stream that ends with one of `passed_on` has no end of its own: its job goes on or has ended elsewhere.
    """

    def __init__(self, metrics: StreamMetrics, *, passed_on: tuple[type[BaseException], ...] = ()) -> None:
        self._metrics = metrics
        self._passed_on = passed_on
        self._answer_tokens = metrics.tokens[ANSWER]
        self._answer_latency = metrics.latency[ANSWER]
        self._began = 0.0
        self._heard_at = 0.0
        self._tokens = 0
        self._status: str | None = None
        self._exemplar: dict[str, str] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._metrics.active.dec()
        if isinstance(error, self._passed_on):
            return
        status = self._status or ("success" if error is None else "error")
        self._metrics.requests[status].inc()
        self._metrics.duration[status].observe(perf_counter() - self._began, self._exemplar)
        self._metrics.count.observe(self._tokens)

    def start(self) -> None:
        """A stream is under way; `with` calls this, and makes sure of the end."""
        self._began = perf_counter()
        self._exemplar = current_exemplar()
        self._metrics.active.inc()

    def heard(self) -> None:
        """A chunk of the model has come."""
        now = perf_counter()
        if self._heard_at:
            self._metrics.interval.observe(now - self._heard_at)
        else:
            self._metrics.first.observe(now - self._began, self._exemplar)
        self._heard_at = now

    def record_token(self, latency: float) -> None:
        """A token is in the log, so many seconds after the model's chunk."""
        self.record_tokens(1, latency)

    def record_tokens(self, count: int, latency: float) -> None:
        """So many tokens are in the log by one write, the oldest of them after `latency` seconds."""
        self._tokens += count
        self._answer_tokens.inc(count)
        self._answer_latency.observe(latency)

    def overheard(self, node: str, count: int) -> None:
        """A node has had the model say so many tokens that no viewer is shown."""
        self._metrics.track_stream_token(node, count)

    def finish(self, status: str) -> None:
        """How the stream ended: success, error, cancelled or recovered."""
        self._status = status
