"""`python -m bench`: the whole chain over real RabbitMQ and Redis, beside its ceiling and its reference."""

import argparse
import contextlib
import dataclasses
import signal
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from eco2_devservers import RabbitServer, RedisServer

from bench import report, system
from bench.chain import Chain, Servers
from bench.chains import CHAINS, USUAL
from bench.idle import count_connections, measure_idle
from bench.measure import FAULTS, Measurement, measure, median_of, warm_up
from bench.product import TELEMETRY
from bench.scenarios import IDLE, SCENARIOS, Scenario
from bench.targets import DIRECT, ONE_CALL, PRODUCT, Results


@dataclass(frozen=True)
class Plan:
    """What to run."""

    chains: Sequence[str]
    scenarios: Sequence[Scenario]
    repeats: int
    idle_sizes: Sequence[int]

    @property
    def groups(self) -> list[Sequence[str]]:
        """Chains that run side by side; two forms of the product would take each other's jobs."""
        together = [name for name in self.chains if name not in TELEMETRY]
        forms = [name for name in self.chains if name in TELEMETRY]
        return (
            [[*together, *forms]]
            if len(forms) < 2
            else [*([together] if together else []), *([f] for f in forms)]
        )

    @classmethod
    def from_command_line(cls) -> "Plan":
        """Read the options."""
        parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
        names = [*CHAINS, *(scenario.name for scenario in SCENARIOS), IDLE]
        parser.add_argument("--quick", action="store_true", help="once each, idle with 500 streams only")
        parser.add_argument("--repeat", type=int, default=3, metavar="N", help="medians of N runs (3)")
        parser.add_argument(
            "--only", action="append", choices=names, help="a chain or a scenario; repeatable"
        )
        parser.add_argument(
            "--telemetry", action="store_true", help="what traces and LangSmith cost, beside none of it"
        )
        options = parser.parse_args()
        only: list[str] = options.only or []
        if options.telemetry:
            only += [*TELEMETRY, "no-delay-50", "paced-50"]
        return cls.of(only, 1 if options.quick else options.repeat, options.quick)

    @classmethod
    def of(cls, only: list[str], repeats: int, is_quick: bool) -> "Plan":
        """Naming no chain means all chains, naming no scenario all scenarios."""
        chains = [name for name in CHAINS if name in only] or list(USUAL)
        scenarios = [scenario for scenario in SCENARIOS if scenario.name in only]
        has_idle = PRODUCT in chains and (IDLE in only or not scenarios)
        if not scenarios and IDLE not in only:
            scenarios = list(SCENARIOS)
        sizes = (500,) if is_quick else (500, 5000)
        return cls(chains, scenarios, repeats, sizes if has_idle else ())


@contextlib.contextmanager
def _running(names: Sequence[str]) -> Iterator[tuple[list[Chain], int]]:
    """The chains, warm, and the simulator's pid."""
    with contextlib.ExitStack() as stack:
        with system.on_core(system.SYSTEM_CORE):
            redis, rabbitmq = stack.enter_context(RedisServer()), stack.enter_context(RabbitServer())
        simulator, model_url = stack.enter_context(system.simulator())
        stack.enter_context(system.on_core(system.LOAD_CORE))
        servers = Servers(redis, rabbitmq, model_url)
        chains = [stack.enter_context(CHAINS[name](servers)) for name in names]
        for chain in chains:
            warm_up(chain)
        yield chains, simulator.pid


def _run(plan: Plan) -> Results:
    parts = [_run_group(dataclasses.replace(plan, chains=names)) for names in plan.groups]
    return Results(
        {chain: runs for part in parts for chain, runs in part.medians.items()},
        {chain: counted for part in parts for chain, counted in part.connections.items()},
        [idle for part in parts for idle in part.idle],
    )


def _run_group(plan: Plan) -> Results:
    runs: dict[str, dict[str, list[Measurement]]] = defaultdict(lambda: defaultdict(list))
    with _running(plan.chains) as (chains, simulator_pid):
        connections = {chain.name: count_connections(chain) for chain in chains if chain.name != DIRECT}
        product = [chain for chain in chains if chain.name == PRODUCT]
        chains += [chain.asked_in_one_call(ONE_CALL) for chain in product]
        for turn in range(plan.repeats):
            for scenario in plan.scenarios:
                # Side by side in time, so that a busy moment of the machine meets all chains.
                for chain in chains:
                    _say(f"{turn + 1}/{plan.repeats} {scenario.title}: {chain.name}")
                    runs[chain.name][scenario.name].append(measure(chain, scenario, simulator_pid))
        idle = measure_idle(product[0], plan.idle_sizes) if product and plan.idle_sizes else []
    medians = {chain: {name: median_of(them) for name, them in by.items()} for chain, by in runs.items()}
    return Results(medians, connections, idle)


def _say(progress: str) -> None:
    print(progress, file=sys.stderr, flush=True)


def main() -> int:
    """Run the plan; the exit code tells whether any token was lost, doubled or misplaced."""
    plan = Plan.from_command_line()
    # As Ctrl-C does: every `with` ends, and so every process that was started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    system.allow_many_files()
    before = report.surroundings()
    results = _run(plan)
    report.show(results, before, plan.repeats)
    runs = [run for by_scenario in results.medians.values() for run in by_scenario.values()]
    return int(any(getattr(run, fault) for run in runs for fault in FAULTS))


if __name__ == "__main__":
    sys.exit(main())
