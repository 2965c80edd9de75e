"""What the architecture asks of the product, and whether this run shows it."""

from collections.abc import Iterator
from dataclasses import dataclass

from bench.idle import Connections, IdleStreams
from bench.measure import FAULTS, Measurement

PRODUCT, REFERENCE, DIRECT = "product", "reference", "direct"
ONE_CALL = "product, 1 call"
"""The product, asked as curl does; for information."""


@dataclass(frozen=True)
class Results:
    """Everything that a run has measured; medians by chain and scenario."""

    medians: dict[str, dict[str, Measurement]]
    connections: dict[str, Connections]
    idle: list[IdleStreams]

    def of(self, chain: str, scenario: str) -> Measurement | None:
        """One measurement, if the run made it."""
        return self.medians.get(chain, {}).get(scenario)


@dataclass(frozen=True)
class Verdict:
    """One target: what was asked, what was seen."""

    target: str
    seen: str
    is_reached: bool


def judge(results: Results) -> list[Verdict]:
    """Every target that this run has figures for."""
    return [
        *_speed(results),
        *_against_reference(results),
        *_first_token(results),
        *_held(results),
        *_faults(results),
    ]


def _speed(results: Results) -> Iterator[Verdict]:
    """In absolute figures, which hold on the machine that the architecture was measured on."""
    if run := results.of(PRODUCT, "no-delay-50"):
        yield _at_least("no delay, 50 streams: tokens/s", 14_000, run.tokens_per_s)
    if run := results.of(PRODUCT, "paced-200"):
        yield _at_least("200 x 50 tok/s: tokens/s", 8_000, run.tokens_per_s)
        yield _at_most("200 x 50 tok/s: ms p95", 70, run.delay_p95)
    if run := results.of(PRODUCT, "paced-50"):
        yield _at_most("50 x 50 tok/s: CPU s per 1000 tokens", 0.17, run.cpu["total"])
        yield _at_most("50 x 50 tok/s: ms p95", 20, run.delay_p95)


def _against_reference(results: Results) -> Iterator[Verdict]:
    """The same targets as shares of what the reference makes here and now (docs/decisions/0015).

    There the reference made 8,430 tokens/s with a p95 of 69 ms (200 x 50 tok/s), and 0.14 CPU s with a p95 of
    15 ms (50 x 50 tok/s).
    """
    for scenario, share in (("no-delay-50", 80), ("paced-200", 8_000 / 8_430 * 100)):
        mine, theirs = results.of(PRODUCT, scenario), results.of(REFERENCE, scenario)
        if mine and theirs:
            seen = mine.tokens_per_s / theirs.tokens_per_s * 100
            yield _at_least(f"{scenario}: % of the reference's tokens/s", round(share), seen)
    for scenario, share in (("paced-200", 70 / 69 * 100), ("paced-50", 20 / 15 * 100)):
        mine, theirs = results.of(PRODUCT, scenario), results.of(REFERENCE, scenario)
        if mine and theirs:
            seen = mine.delay_p95 / theirs.delay_p95 * 100
            yield _at_most(f"{scenario}: % of the reference's p95", round(share), seen)
    mine, theirs = results.of(PRODUCT, "paced-50"), results.of(REFERENCE, "paced-50")
    if mine and theirs:
        seen = mine.cpu["total"] / theirs.cpu["total"] * 100
        yield _at_most("paced-50: % of the reference's CPU", round(0.17 / 0.14 * 100), seen)


def _first_token(results: Results) -> Iterator[Verdict]:
    mine, direct = results.of(PRODUCT, "first-token"), results.of(DIRECT, "first-token")
    if mine and direct:
        # The model's own calls do not count: the product asks it first what the question means.
        overhead = mine.first_token_p50 - mine.understanding_p50 - direct.first_token_p50
        yield _at_most("first-token overhead, one stream, less the intent call, ms p50", 15, overhead)


def _held(results: Results) -> Iterator[Verdict]:
    for idle in results.idle:
        if idle.streams == 5000:
            yield _at_most("KB per idle open stream at 5,000", 60, idle.bytes_per_stream / 1024)
    if len(results.idle) > 1:
        few, many = results.idle[0], results.idle[-1]
        for server, connections in many.connections.items():
            title = f"{server} connections of the API with {many.streams:,} viewers, as with {few.streams:,}"
            yield _at_most(title, few.connections[server], connections)


def _faults(results: Results) -> Iterator[Verdict]:
    runs = results.medians.get(PRODUCT, {}).values()
    if runs:
        faults = sum(getattr(run, fault) for run in runs for fault in FAULTS)
        yield _at_most("lost, doubled, misordered or foreign tokens", 0, faults)


def _at_least(target: str, wanted: float, seen: float) -> Verdict:
    return Verdict(f"{target} at least {wanted:,g}", f"{seen:,.4g}", seen >= wanted)


def _at_most(target: str, wanted: float, seen: float) -> Verdict:
    return Verdict(f"{target} at most {wanted:,g}", f"{seen:,.4g}", seen <= wanted)
