"""The files that are generated, and what is in them."""

import json
from pathlib import Path

import yaml

from observability.dashboards import DASHBOARDS
from observability.slo import rule_file

ROOT = Path(__file__).parent.parent
DASHBOARD_FOLDER = ROOT / "grafana" / "dashboards"
SLO_RULES = ROOT / "observability" / "prometheus" / "rules" / "slo.yml"
_NOTE = "# Written by `python -m observability` from observability/slo.py; change that.\n"


def made_files() -> dict[Path, str]:
    """Every generated file with its text."""
    boards = {
        DASHBOARD_FOLDER / f"{board.uid}.json": json.dumps(board.to_json(), ensure_ascii=False, indent=2)
        + "\n"
        for board in DASHBOARDS
    }
    return {**boards, SLO_RULES: _NOTE + yaml.safe_dump(rule_file(), sort_keys=False, width=1_000)}
