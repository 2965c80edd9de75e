"""The service levels (telemetry specification, section 6) and what a run measured of them."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

QUANTILES = ("p50", "p95", "p99")
Times = tuple[float, float, float]
"""Milliseconds at p50, p95, p99."""
Levels = tuple[float | None, float | None, float | None]

SLACK_OF_A_SHORT_RUN = 1.5
"""Some dozen answers tell a quantile no closer; their p99 is the slowest of them and tells nothing."""
BY_DESIGN = {("token emission", "p50"): "tokens are gathered for 10 ms, which halves the CPU they cost"}
"""Levels that are told, but not held to."""


@dataclass(frozen=True)
class Row:
    """One line of the table; a quantile without a level is only told."""

    name: str
    count: int
    measured_ms: Times
    level_ms: Levels
    completed: float = 1.0
    """The share of what was begun that came to its end whole."""

    def misses(self, is_long: bool) -> list[str]:
        """The quantiles above the levels that a run of this length can be held to."""
        slack = 1.0 if is_long else SLACK_OF_A_SHORT_RUN
        pairs = list(zip(QUANTILES, self.measured_ms, self.level_ms, strict=True))
        above = [name for name, value, level in pairs if level is not None and value > level * slack]
        return [name for name in above if (is_long or name != "p99") and (self.name, name) not in BY_DESIGN]

    def to_json(self) -> dict[str, Any]:
        """For the results file."""
        return asdict(self)


_K6 = (
    ("answer, waste", "answer_ms{intent:waste}", (2_000, 5_000, 10_000)),
    ("answer, general", "answer_ms{intent:general}", (1_000, 3_000, 5_000)),
    ("answer, bulk_waste", "answer_ms{intent:bulk_waste}", (None, None, None)),
    ("answer, character", "answer_ms{intent:character}", (None, None, None)),
    ("intent classification", "stage_ms{node:intent}", (100, 300, 500)),
    ("RAG search", "stage_ms{node:waste_rag}", (500, 1_000, 2_000)),
    ("bulk waste look-up", "stage_ms{node:bulk_waste}", (None, 3_000, None)),
    ("character look-up", "stage_ms{node:character}", (None, 200, None)),
)
_PRODUCT = (
    ("first token", "chat_stream_time_to_first_token_seconds", (None, 5_000, None)),
    ("token emission", "chat_stream_token_latency_seconds", (5, 25, 50)),
    ("relay to the viewer", "chat_api_relay_lag_seconds", (None, None, None)),
)


def rows(summary: Mapping[str, Any], product: Mapping[str, tuple[int, Times]]) -> Sequence[Row]:
    """The table, from k6's summary and the product's histograms, without what nobody asked for."""
    metrics: Mapping[str, Any] = summary["metrics"]
    told: list[Row] = []
    for name, metric, levels in _K6:
        values = metrics.get(metric, {}).get("values", {})
        if values.get("count"):
            times = (values["p(50)"], values["p(95)"], values["p(99)"])
            told.append(Row(name, values["count"], times, levels, _completed(metrics, metric)))
    for name, metric, levels in _PRODUCT:
        count, times = product[metric]
        if count:
            told.append(Row(name, count, times, levels))
    return told


def _completed(metrics: Mapping[str, Any], metric: str) -> float:
    if not metric.startswith("answer_ms"):
        return 1.0
    tag = metric.removeprefix("answer_ms")
    asked, answered = (metrics[f"{name}{tag}"]["values"]["count"] for name in ("asked", "answered"))
    return answered / asked
