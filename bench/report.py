"""Prints a run as a table and keeps it as JSON."""

import dataclasses
import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any

import orjson

from bench import system
from bench.measure import Measurement
from bench.product import TELEMETRY, TELEMETRY_OFF
from bench.scenarios import SCENARIOS
from bench.targets import DIRECT, Results, Verdict, judge

JSON_PATH = Path("out/bench.json")

_PACKAGES = (
    "fastapi starlette sse-starlette uvicorn uvloop redis aio-pika langgraph openai httpx2 aiohttp orjson"
)
_COLUMNS = (
    f"{'':15}{'tokens/s':>9}  {'CPU s per 1000 tokens':^44}  {'ms p50':>7}{'p95':>8}{'added':>8}{'p95':>8}"
    f"  {'first':>7}{'p95':>8}  {'lost':>4}{'dbl':>4}{'ord':>4}  {'client':>7}{'sim':>7}"
)
_CPU = ("api", "worker", "redis", "rabbitmq", "total")


def surroundings() -> dict[str, Any]:
    """What the figures depend on: cores, load, versions."""
    return {
        "cores": os.cpu_count(),
        "system_core": system.SYSTEM_CORE,
        "load_core": system.LOAD_CORE,
        "load_average": os.getloadavg(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "redis-server": _first_line("redis-server", "--version"),
        **{name: version(name) for name in _PACKAGES.split()},
    }


def _first_line(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[0]


def show(results: Results, before: dict[str, Any], repeats: int) -> list[Verdict]:
    """Print everything, keep it in out/bench.json, and return what became of the targets."""
    verdicts = judge(results)
    _show_surroundings(before, repeats)
    _show_scenarios(results)
    _show_telemetry(results)
    _show_held(results)
    _show_targets(verdicts)
    _keep(results, before, verdicts)
    return verdicts


def _show_surroundings(before: dict[str, Any], repeats: int) -> None:
    print(f"system under test on core {system.SYSTEM_CORE}, client and simulator on core {system.LOAD_CORE}")
    print(f"{before['cores']} cores, load average {before['load_average']} before, {os.getloadavg()} after")
    print(", ".join(f"{name} {before[name]}" for name in ("python", *_PACKAGES.split())))
    print(f"medians of {repeats}; delays in ms behind the simulator's clock; `added` against direct")


def _show_scenarios(results: Results) -> None:
    for scenario in SCENARIOS:
        runs = {
            chain: runs[scenario.name] for chain, runs in results.medians.items() if scenario.name in runs
        }
        if not runs:
            continue
        print(f"\n{scenario.title}\n{_COLUMNS}")
        print(f"{'':26}" + "".join(f"{name:>9}" for name in _CPU))
        for chain, run in runs.items():
            print(_row(chain, run, runs.get(DIRECT)))


def _row(chain: str, run: Measurement, direct: Measurement | None) -> str:
    cpu = "".join(f"{run.cpu[name]:9.3f}" if name in run.cpu else f"{'-':>9}" for name in _CPU)
    return (
        f"{chain:15}{run.tokens_per_s:9,.0f}  {cpu}  {run.delay_p50:7.1f}{run.delay_p95:8.1f}"
        f"{_added(run, direct)}"
        f"  {run.first_token_p50:7.1f}{run.first_token_p95:8.1f}"
        f"  {run.lost:4}{run.doubled:4}{run.reordered:4}  {run.client_cpu:7.3f}{run.simulator_cpu:7.3f}"
    )


def _added(run: Measurement, direct: Measurement | None) -> str:
    if direct is None:
        return f"{'-':>8}{'-':>8}"
    return f"{run.delay_p50 - direct.delay_p50:8.1f}{run.delay_p95 - direct.delay_p95:8.1f}"


def _show_telemetry(results: Results) -> None:
    """What it costs that the product tells of itself, as ratios to the same without."""
    for scenario in SCENARIOS:
        bare = results.of(TELEMETRY_OFF, scenario.name)
        for chain in TELEMETRY if bare else ():
            if bare and chain != TELEMETRY_OFF and (run := results.of(chain, scenario.name)):
                speed, cpu = run.tokens_per_s / bare.tokens_per_s, run.cpu["total"] / bare.cpu["total"]
                print(f"{scenario.title}: {chain}: {speed:.2f} x the tokens/s, {cpu:.2f} x the CPU")


def _show_held(results: Results) -> None:
    if results.connections:
        print("\nconnections to Redis and RabbitMQ")
    for chain, counted in results.connections.items():
        print(f"{chain:15} at rest {counted.at_rest}, with 200 streams {counted.at_full_load}")
    for idle in results.idle:
        kilobytes = idle.bytes_per_stream / 1024
        print(
            f"product: {idle.streams:,} idle streams, {kilobytes:.1f} KB each, API holds {idle.connections}"
        )


def _show_targets(verdicts: list[Verdict]) -> None:
    if verdicts:
        print("\ntargets of the product")
    for verdict in verdicts:
        print(f"{'reached' if verdict.is_reached else 'NOT REACHED':12} {verdict.target}: {verdict.seen}")


def _keep(results: Results, before: dict[str, Any], verdicts: list[Verdict]) -> None:
    JSON_PATH.parent.mkdir(exist_ok=True)
    everything = {
        "surroundings": before,
        "results": dataclasses.asdict(results),
        "targets": [dataclasses.asdict(verdict) for verdict in verdicts],
    }
    JSON_PATH.write_bytes(orjson.dumps(everything, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS))
    print(f"\nkept in {JSON_PATH}")
