"""What the product's own histograms have seen between two looks at `/metrics`."""

import math
from collections import Counter
from collections.abc import Sequence

import httpx
from prometheus_client.parser import text_string_to_metric_families

Buckets = dict[str, "Counter[float]"]


def buckets_of(url: str) -> Buckets:
    """All histograms of a process, by name: how much came up to each bound."""
    with httpx.Client(trust_env=False, timeout=10) as client:
        text = client.get(f"{url}/metrics").raise_for_status().text
    found: Buckets = {}
    for family in text_string_to_metric_families(text):
        if family.type == "histogram":
            counted = found[family.name] = Counter()
            for sample in family.samples:
                if sample.name.endswith("_bucket"):
                    counted[float(sample.labels["le"])] += sample.value
    return found


def quantiles_ms(
    before: "Counter[float]", after: "Counter[float]", shares: Sequence[float]
) -> tuple[int, list[float]]:
    """How much came in between, and its quantiles; linear within a bucket, as Prometheus reckons."""
    bounds = sorted(after)
    counts = [after[bound] - before[bound] for bound in bounds]
    total = counts[-1] if counts else 0
    if not total:
        return 0, [math.nan for _ in shares]
    return int(total), [_at(share * total, bounds, counts) * 1000 for share in shares]


def _at(rank: float, bounds: Sequence[float], counts: Sequence[float]) -> float:
    low, below = 0.0, 0.0
    for bound, count in zip(bounds, counts, strict=True):
        if count >= rank:
            if math.isinf(bound):
                return low
            return low + (bound - low) * (rank - below) / max(count - below, 1e-9)
        low, below = bound, count
    return low
