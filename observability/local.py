"""Prometheus's configuration beside processes on this machine: the same rules, other targets."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

_SOURCE = Path(__file__).parent / "prometheus"


@dataclass(frozen=True)
class Target:
    """A process to scrape, by `host:port`."""

    job: str
    address: str
    metrics_path: str = "/metrics"


def write_config(folder: Path, targets: Sequence[Target], interval_s: int) -> Path:
    """Puts a configuration with its rules and targets into a folder; gives the file to start with."""
    shutil.copytree(_SOURCE / "rules", folder / "rules", dirs_exist_ok=True)
    (folder / "targets").mkdir(exist_ok=True)
    (folder / "targets" / "local.yml").write_text(yaml.safe_dump([_group(target) for target in targets]))
    config: dict[str, Any] = yaml.safe_load((_SOURCE / "prometheus.yml").read_text())
    every = {"scrape_interval": f"{interval_s}s", "evaluation_interval": f"{interval_s}s"}
    path = folder / "prometheus.yml"
    path.write_text(yaml.safe_dump(config | {"global": every}))
    return path


def _group(target: Target) -> dict[str, Any]:
    labels = {"job": target.job, "namespace": "local", "__metrics_path__": target.metrics_path}
    return {"targets": [target.address], "labels": labels}
