"""One run of one scenario over one chain, and the medians of several."""

import dataclasses
import statistics
import time
from dataclasses import dataclass

import uvloop

from bench import load_client, system
from bench.chain import Chain
from bench.http_stream import BadReply
from bench.load_client import LoadResult
from bench.scenarios import WARM_UP, Scenario

FAULTS = ("lost", "doubled", "reordered", "foreign")


@dataclass(frozen=True)
class Measurement:
    """Delays and first tokens in ms, CPU in seconds per 1000 tokens by process."""

    tokens_per_s: float
    cpu: dict[str, float]
    delay_p50: float
    delay_p95: float
    first_token_p50: float
    first_token_p95: float
    understanding_p50: float
    client_cpu: float
    simulator_cpu: float
    lost: int
    doubled: int
    reordered: int
    foreign: int


def warm_up(chain: Chain) -> None:
    """Have every code path and connection used once; the worker may still be starting."""
    deadline = time.monotonic() + load_client.ANSWER_TIMEOUT_S
    while True:
        try:
            uvloop.run(load_client.run_load(chain.target, WARM_UP, 20))
            return
        except (BadReply, OSError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)


def measure(chain: Chain, scenario: Scenario, simulator_pid: int) -> Measurement:
    """Run a scenario once."""
    run = load_client.run_singly if scenario.is_one_by_one else load_client.run_load
    before, simulator_before = chain.cpu_seconds(), system.cpu_seconds(simulator_pid)
    result = uvloop.run(run(chain.target, scenario.pace, scenario.streams))
    after, simulator_after = chain.cpu_seconds(), system.cpu_seconds(simulator_pid)
    per_thousand = 1000 / max(result.tokens, 1)
    cpu = {name: (after[name] - before[name]) * per_thousand for name in after}
    cpu["total"] = sum(cpu.values())
    return _noted(result, cpu, (simulator_after - simulator_before) * per_thousand)


def _noted(result: LoadResult, cpu: dict[str, float], simulator_cpu: float) -> Measurement:
    delays = sorted(delay / 1e6 for verdict in result.verdicts for delay in verdict.delays_ns)
    first = sorted(result.first_tokens_ms)
    return Measurement(
        tokens_per_s=result.tokens / result.wall_s,
        cpu=cpu,
        delay_p50=quantile(delays, 0.5),
        delay_p95=quantile(delays, 0.95),
        first_token_p50=quantile(first, 0.5),
        first_token_p95=quantile(first, 0.95),
        understanding_p50=quantile(sorted(result.understanding_ms), 0.5),
        client_cpu=result.client_cpu_s * 1000 / max(result.tokens, 1),
        simulator_cpu=simulator_cpu,
        **{fault: sum(getattr(verdict, fault) for verdict in result.verdicts) for fault in FAULTS},
    )


def quantile(ordered: list[float], share: float) -> float:
    """The value below which that share of an ascending list lies."""
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)] if ordered else float("nan")


def median_of(runs: list[Measurement]) -> Measurement:
    """Medians of every figure; faults are added up, because one in any run counts."""
    figures = {
        field.name: [getattr(run, field.name) for run in runs] for field in dataclasses.fields(Measurement)
    }
    cpu = {name: statistics.median(run.cpu[name] for run in runs) for name in runs[0].cpu}
    return Measurement(
        cpu=cpu,
        **{name: sum(values) for name, values in figures.items() if name in FAULTS},
        **{name: statistics.median(v) for name, v in figures.items() if name not in (*FAULTS, "cpu")},
    )
