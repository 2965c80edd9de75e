"""The capacity guide: its table follows from its formula, its numbers are those of the manifests."""

import re

import yaml
from eco2_bus.pictures import MAX_BYTES

from tests.docs.blocks import ROOT

GUIDE = (ROOT / "docs/guides/scale.md").read_text(encoding="utf-8")
SHARE_USED, CPU_S_PER_TOKEN = 0.6, 0.28 / 1000
SECONDS_BETWEEN, TOKENS, ANSWER_S = 60, 200, 6
LOG_KB, ANSWER_KB = 16, 2.5
PICTURES_GB = MAX_BYTES * 1.2 / 1e9


def rows(heading: str) -> list[list[str]]:
    """The cells of the table below a heading, without its head."""
    section = GUIDE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def shares() -> dict[str, float]:
    (cell,) = [row[1] for row in rows("The constants, measured") if row[0] == "of that"]
    return {name: float(share) for name, share in re.findall(r"(\w+) ([\d.]+)", cell)}


def rounded_up(value: float) -> int:
    return int(-(-value // 1))


def test_the_table_of_users_follows_from_the_formula_and_the_constants() -> None:
    share = shares()
    assert abs(sum(share.values()) - 1) < 0.01

    for row in rows("How many for N users"):
        answers = int(row[0].replace(",", "")) / SECONDS_BETWEEN
        streams = answers * ANSWER_S
        cores = answers * TOKENS * CPU_S_PER_TOKEN / SHARE_USED
        memory_gb = answers * (3_600 * LOG_KB + 86_400 * ANSWER_KB) / 1e6 + PICTURES_GB
        workers = rounded_up(max(cores * share["worker"], streams / 64)) + 1
        apis = rounded_up(max(cores * share["API"], streams / 400)) + 1
        by_process = [f"{cores * share[one]:.1f}" for one in ("worker", "API", "Redis")]
        assert row[1:] == [
            f"{answers:.1f}",
            f"{streams:,.0f}",
            f"{answers * TOKENS:,.0f}",
            *by_process,
            str(workers),
            str(apis),
            f"{memory_gb:.1f} GB",
        ]


def test_the_numbers_are_those_of_the_manifests() -> None:
    told = {row[0]: row[1] for row in rows("The numbers in `k8s/`")}
    scaled = ROOT / "k8s/components/autoscale"
    keda = next(yaml.safe_load_all((scaled / "chat-worker.yaml").read_text(encoding="utf-8")))["spec"]
    hpa = yaml.safe_load((scaled / "chat-api.yaml").read_text(encoding="utf-8"))["spec"]
    streams, cpu = hpa["metrics"]
    base = (ROOT / "k8s/base/kustomization.yaml").read_text(encoding="utf-8")
    rules = (ROOT / "observability/prometheus/rules/streaming.yml").read_text(encoding="utf-8")
    capacity = re.search(r"stream_capacity_per_worker\n\s+expr: vector\((\d+)\)", rules)

    assert f"WORKER_CONCURRENCY={told['`WORKER_CONCURRENCY` (`base`)']}\n" in base
    assert capacity is not None
    assert told["`chat:stream_capacity_per_worker`"] == capacity[1]
    assert told["KEDA, messages a worker (`autoscale`)"] == keda["triggers"][0]["metadata"]["value"]
    assert told["KEDA, workers"] == f"{keda['minReplicaCount']} to {keda['maxReplicaCount']}"
    assert told["HPA, open streams an API"] == streams["pods"]["target"]["averageValue"]
    assert told["HPA, CPU an API"] == cpu["resource"]["target"]["averageValue"]
    assert told["HPA, APIs"] == f"{hpa['minReplicas']} to {hpa['maxReplicas']}"
