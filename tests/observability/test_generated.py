"""Dashboards and rules are what the builder makes, whole, and valid for the programs that read them."""

import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from observability.dashboards import DASHBOARDS
from observability.made import ROOT, made_files
from observability.panels import Dashboard, Panel

PROMETHEUS = ROOT / "observability" / "prometheus"
RUNBOOK = ROOT / "docs" / "runbook.md"
WITH_EXEMPLARS = (
    "chat_stream_duration_seconds",
    "chat_stream_time_to_first_token_seconds",
    "chat_request_duration_seconds",
    "chat_subagent_duration_seconds",
)
PANELS = [
    pytest.param(panel, id=f"{board.uid}: {panel.title}") for board in DASHBOARDS for panel in board.panels
]


def alerts() -> dict[str, dict[str, dict[str, str]]]:
    files = (yaml.safe_load(path.read_text()) for path in (PROMETHEUS / "rules").glob("*.yml"))
    rules = (rule for file in files for group in file["groups"] for rule in group["rules"])
    return {rule["alert"]: rule for rule in rules if "alert" in rule}


def passes(*command: str | Path) -> str:
    """Runs a checker; its words are the failure's."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_committed_files_are_what_the_builder_makes() -> None:
    stale = [path.name for path, text in made_files().items() if path.read_text(encoding="utf-8") != text]
    assert stale == [], "run: python -m observability"


@pytest.mark.parametrize("panel", PANELS)
def test_every_panel_says_what_it_shows_in_which_unit_and_leads_to_traces(panel: Panel) -> None:
    assert panel.unit
    assert panel.description.endswith(".")
    shows_exemplars = any(name in query.expr for query in panel.queries for name in WITH_EXEMPLARS)
    assert panel.has_traces == (shows_exemplars and panel.kind != "stat")


@pytest.mark.parametrize("board", DASHBOARDS, ids=lambda board: board.uid)
def test_every_dashboard_fits_its_grid_and_has_the_three_variables(board: Dashboard) -> None:
    made = board.to_json()
    assert [variable["name"] for variable in made["templating"]["list"]] == [
        "namespace",
        "instance",
        "intent",
    ]
    taken: set[tuple[int, int]] = set()
    for panel in made["panels"]:
        at = panel["gridPos"]
        cells = {(at["x"] + dx, at["y"] + dy) for dx in range(at["w"]) for dy in range(at["h"])}
        assert not taken & cells, f"{panel['title']} lies on another panel"
        assert max(x for x, _ in cells) < 24
        taken |= cells
    assert len({panel["id"] for panel in made["panels"]}) == len(made["panels"])


def test_the_streaming_dashboard_has_the_figures_of_the_specification_in_its_first_row() -> None:
    figures = list(DASHBOARDS[0].panels)[:4]
    here = '{namespace=~"$namespace", instance=~"$instance"}'
    assert [query.expr for panel in figures for query in panel.queries] == [
        f"sum(chat_stream_active{here})",
        f"sum by (node) (rate(chat_stream_tokens_total{here}[5m]))",
        f"histogram_quantile(0.95, sum by (le) (rate(chat_stream_token_latency_seconds_bucket{here}[5m])))",
        f"histogram_quantile(0.95, sum by (le) (rate(chat_stream_duration_seconds_bucket{here}[5m])))",
    ]
    titles = [panel.title for panel in DASHBOARDS[0].panels]
    assert {"Token Emission Rate by Node", "Stream Duration Distribution", "Tokens per Stream"} <= set(titles)
    assert DASHBOARDS[0].title == "Chat Worker Token Streaming"


def test_a_dot_of_prometheus_opens_its_trace_in_jaeger() -> None:
    provisioned = yaml.safe_load((ROOT / "grafana/provisioning/datasources/eco2.yml").read_text())
    sources = {source["type"]: source for source in provisioned["datasources"]}
    (destination,) = sources["prometheus"]["jsonData"]["exemplarTraceIdDestinations"]
    assert (destination["name"], destination["datasourceUid"]) == ("trace_id", sources["jaeger"]["uid"])
    used = {
        target["datasource"]["uid"]
        for path in made_files()
        if path.suffix == ".json"
        for panel in json.loads(path.read_text())["panels"]
        for target in panel.get("targets", [])
    }
    assert used == {sources["prometheus"]["uid"]}


def test_the_fixed_alerts_keep_their_words_severities_and_patience() -> None:
    fixed = {
        "HighTokenLatency": ("Token latency P95 > 50ms", "5m", "warning"),
        "StreamDurationTooLong": ("Stream duration P95 > 30s", "5m", "critical"),
        "TooManyActiveStreams": ("Active streams > 100", "1m", "warning"),
    }
    known = alerts()
    for name, told in fixed.items():
        rule = known[name]
        assert (rule["annotations"]["summary"], rule["for"], rule["labels"]["severity"]) == told


def test_every_alert_leads_to_its_entry_in_the_runbook_and_no_entry_is_left_over() -> None:
    entries = re.findall(r"^### (\w+)$", RUNBOOK.read_text(), re.MULTILINE)
    assert sorted(entries) == sorted(alerts())
    for name, rule in alerts().items():
        assert rule["annotations"]["runbook_url"] == f"docs/runbook.md#{name.lower()}"


def test_every_alert_is_made_to_fire_and_to_stay_quiet() -> None:
    files = [yaml.safe_load(path.read_text()) for path in (PROMETHEUS / "tests").glob("*.yml")]
    cases = [case for file in files for test in file["tests"] for case in test.get("alert_rule_test", [])]
    fires = {case["alertname"] for case in cases if case["exp_alerts"]}
    stays_quiet = {case["alertname"] for case in cases if not case["exp_alerts"]}
    assert fires == stays_quiet == set(alerts())


def test_prometheus_finds_configuration_rules_and_their_tests_right() -> None:
    passes("promtool", "check", "config", PROMETHEUS / "prometheus.yml")
    passes("promtool", "test", "rules", *(PROMETHEUS / "tests").glob("*.yml"))


def test_alertmanager_takes_its_configuration_and_wakes_only_for_what_is_critical() -> None:
    config = ROOT / "observability" / "alertmanager" / "alertmanager.yml"
    passes("amtool", "check-config", config)
    route = ("amtool", "config", "routes", "test", "--config.file", config)
    assert passes(*route, "severity=critical").strip() == "on-call"
    assert passes(*route, "severity=warning").strip() == "team"
