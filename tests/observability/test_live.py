"""A real Prometheus beside a loaded product: every figure moves, every panel and every rule has data."""

import re
import time
from typing import Any

import pytest
import yaml

from observability.dashboards import DASHBOARDS
from observability.made import ROOT
from tests.observability.conftest import Watched

INTENTS = (
    "waste",
    "bulk_waste",
    "character",
    "location",
    "collection_point",
    "recyclable_price",
    "weather",
    "web_search",
    "image_generation",
    "general",
)
MOVES: dict[str, list[str]] = {
    "chat_requests_total": [
        *(f'intent="{intent}",status="success",provider="openai"' for intent in INTENTS),
        'status="error"',
        'status="cancelled"',
    ],
    "chat_request_duration_seconds_count": [f'intent="{intent}",provider="openai"' for intent in INTENTS],
    "chat_errors_total": ['intent="waste",error_type=~".+"'],
    "chat_intent_distribution_total": [f'intent="{intent}"' for intent in INTENTS],
    "chat_subagent_calls_total": [
        'subagent="waste_rag",status="success"',
        'subagent="feedback",status="success"',
        'subagent="weather",status="error"',
    ],
    "chat_subagent_duration_seconds_count": [
        'subagent="waste_rag"',
        'subagent="character"',
        'subagent="weather"',
    ],
    "chat_stream_tokens_total": ['node="answer",status="success"', 'node="feedback",status="success"'],
    "chat_stream_requests_total": [
        f'status="{status}"' for status in ("success", "error", "cancelled", "recovered")
    ],
    "chat_stream_token_latency_seconds_count": ['node="answer"'],
    "chat_stream_token_interval_seconds_count": ['provider="openai"'],
    "chat_stream_time_to_first_token_seconds_count": ['provider="openai"'],
    "chat_stream_duration_seconds_count": [
        f'node="answer",status="{status}"' for status in ("success", "error", "cancelled", "recovered")
    ],
    "chat_stream_token_count_count": ['node="answer"'],
    "chat_stream_recovery_total": [
        'type="catch_up",status="success"',
        'type="catch_up",status="error"',
        'type="snapshot",status="success"',
    ],
    "chat_token_usage_total": [
        f'provider="openai",model="eco2-sandbox",type="{kind}"' for kind in ("input", "output")
    ],
    "chat_api_resumes_total": [f'result="{result}"' for result in ("ok", "gap", "gone")],
    "chat_api_rejections_total": ['reason="session_busy"', 'reason="body_too_large"'],
    "chat_api_relay_lag_seconds_count": [""],
}
MOVED = [pytest.param(name, labels, id=f"{name}{{{labels}}}") for name in MOVES for labels in MOVES[name]]
QUERIES = [
    pytest.param(query.expr, id=f"{board.uid}: {panel.title} {query.legend}")
    for board in DASHBOARDS
    for panel in board.panels
    for query in panel.queries
]
SELECTOR = re.compile(r"\b((?:chat|rabbitmq)_\w+|chat:\w+(?::\w+)?|up)\b(\{[^}]*\})?")


def rules() -> list[Any]:
    files = sorted((ROOT / "observability/prometheus/rules").glob("*.yml"))
    groups = (group for path in files for group in yaml.safe_load(path.read_text())["groups"])
    return [rule for group in groups for rule in group["rules"]]


@pytest.mark.parametrize(("name", "labels"), MOVED)
def test_every_metric_moves(watched: Watched, name: str, labels: str) -> None:
    assert sum(watched.prometheus.values(f"{name}{{{labels}}}")) > 0


def test_the_gauges_are_back_at_zero_and_were_not_always(watched: Watched) -> None:
    for gauge in ("chat_stream_active", "chat_api_open_streams"):
        assert watched.prometheus.values(f"max_over_time({gauge}[10m])")[0] > 0
        watched.prometheus.until(f"{gauge} == 0")


@pytest.mark.parametrize("expr", QUERIES)
def test_every_panel_has_data(watched: Watched, expr: str) -> None:
    chosen = re.sub(r"\$\w+", ".*", expr)
    assert watched.prometheus.values(chosen), f"no data: {chosen}"


@pytest.mark.parametrize("metric", sorted({board.instances_of for board in DASHBOARDS}))
def test_every_variable_has_something_to_choose(watched: Watched, metric: str) -> None:
    now = {"start": time.time() - 600, "end": time.time()}
    for label in ("namespace", "instance"):
        assert watched.prometheus.get(f"label/{label}/values", **{"match[]": metric}, **now)
    assert len(watched.prometheus.get("label/intent/values", **now)) >= len(INTENTS)


def test_every_rule_is_evaluated_without_a_fault(watched: Watched) -> None:
    groups = watched.prometheus.get("rules")["groups"]
    states = {
        rule["name"]: (rule["health"], rule.get("lastError", "")) for g in groups for rule in g["rules"]
    }
    assert set(states.values()) == {("ok", "")}
    assert set(states) == {rule.get("record") or rule["alert"] for rule in rules()}


@pytest.mark.parametrize("rule", [rule for rule in rules() if "record" in rule], ids=lambda r: r["record"])
def test_every_recorded_series_has_data(watched: Watched, rule: Any) -> None:
    assert watched.prometheus.values(rule["expr"])
    labels = ",".join(f'{name}="{value}"' for name, value in rule.get("labels", {}).items())
    assert watched.prometheus.values(f"{rule['record']}{{{labels}}}")


@pytest.mark.parametrize("rule", [rule for rule in rules() if "alert" in rule], ids=lambda r: r["alert"])
def test_everything_that_an_alert_looks_at_is_there(watched: Watched, rule: Any) -> None:
    looked_at = ["".join(found) for found in SELECTOR.findall(rule["expr"])]
    assert looked_at
    for selector in looked_at:
        # A comparison that does not hold has no result; what is compared must have one.
        assert watched.prometheus.values(selector), f"nothing there: {selector}"


@pytest.mark.parametrize(
    "histogram",
    [
        "chat_stream_duration_seconds_bucket",
        "chat_stream_time_to_first_token_seconds_bucket",
        "chat_request_duration_seconds_bucket",
        "chat_subagent_duration_seconds_bucket",
    ],
)
def test_dots_lead_to_the_traces_of_questions_that_were_asked(watched: Watched, histogram: str) -> None:
    now = {"start": time.time() - 600, "end": time.time()}
    series = watched.prometheus.get("query_exemplars", query=histogram, **now)
    told = {exemplar["labels"]["trace_id"] for one in series for exemplar in one["exemplars"]}
    assert told
    assert told <= watched.trace_ids
