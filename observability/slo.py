"""Service levels of section 6 as recording rules, and their multi-window, multi-burn-rate alerts."""

from dataclasses import dataclass
from typing import Any

from observability.promql import rate

RUNBOOK = "docs/runbook.md"
WINDOWS = ("5m", "30m", "1h", "2h", "6h", "1d", "3d")
Json = dict[str, Any]


@dataclass(frozen=True)
class Objective:
    """A share of events that may be bad, and how bad events are told."""

    name: str
    budget: float
    bad: str
    """PromQL for the share of bad events over `{window}`."""
    alert: str
    what: str


@dataclass(frozen=True)
class Burn:
    """An alert when the budget burns this many times too fast in both windows."""

    factor: float
    long: str
    short: str
    lasts: str
    severity: str
    speed: str


@dataclass(frozen=True)
class Level:
    """A row of section 6: a histogram with what its quantiles should be, in seconds."""

    feature: str
    histogram: str
    where: str
    targets: tuple[float, float, float]


_STREAMS = "chat_stream_requests_total"
_FIRST = "chat_stream_time_to_first_token_seconds"
FIRST_TOKEN_S = 5


def _of_all(part: str, whole: str) -> str:
    return f"{part} / clamp_min({whole}, 1e-9)"


# A user's cancel is nobody's fault and nobody's success.
_SUCCESS = Objective(
    "answers",
    0.01,
    _of_all(
        rate(_STREAMS, where='status="error"', over="{window}"),
        rate(_STREAMS, where='status=~"success|error|recovered"', over="{window}"),
    ),
    "ChatAnswersErrorBudgetBurn",
    "failed answers",
)
_IN_TIME = rate(f"{_FIRST}_bucket", where=f'le="{FIRST_TOKEN_S}.0"', over="{window}")
_FIRST_TOKEN = Objective(
    "first_token",
    0.05,
    f"1 - {_IN_TIME} / ({rate(f'{_FIRST}_count', where='', over='{window}')} > 0)",
    "ChatFirstTokenErrorBudgetBurn",
    f"first tokens later than {FIRST_TOKEN_S} s",
)
OBJECTIVES = (_SUCCESS, _FIRST_TOKEN)
# 2 % of a 30-day budget in 1 h, 5 % in 6 h, 10 % in 1 d and in 3 d.
BURNS = (
    Burn(14.4, "1h", "5m", "2m", "critical", "Fast"),
    Burn(6, "6h", "30m", "15m", "critical", "Steady"),
    Burn(3, "1d", "2h", "1h", "warning", "Slow"),
    Burn(1, "3d", "6h", "3h", "warning", "Creeping"),
)
LEVELS = (
    Level("rag_search", "chat_subagent_duration_seconds", 'subagent="waste_rag"', (0.5, 1, 2)),
    Level("answer_waste", "chat_request_duration_seconds", 'intent="waste"', (2, 5, 10)),
    Level("answer_general", "chat_request_duration_seconds", 'intent="general"', (1, 3, 5)),
    Level("token_emission", "chat_stream_token_latency_seconds", "", (0.005, 0.025, 0.05)),
)
QUANTILES = (0.5, 0.95, 0.99)


def rule_file() -> Json:
    """The whole rule file."""
    ratios = [_ratio(objective, window) for objective in OBJECTIVES for window in WINDOWS]
    alerts = [_alert(objective, burn) for objective in OBJECTIVES for burn in BURNS]
    levels = [rule for level in LEVELS for rule in _level(level)]
    return {
        "groups": [
            {"name": "chat_slo_ratios", "rules": ratios},
            {"name": "chat_slo_burn", "rules": alerts},
            {"name": "chat_service_levels", "rules": levels},
        ]
    }


def _recorded(objective: Objective, window: str) -> str:
    return f"chat:{objective.name}_bad:ratio_rate{window}"


def _ratio(objective: Objective, window: str) -> Json:
    return {"record": _recorded(objective, window), "expr": objective.bad.replace("{window}", window)}


def _alert(objective: Objective, burn: Burn) -> Json:
    limit = f"{burn.factor:g} * {objective.budget:g}"
    spent = f"{burn.factor:g} times as fast as the budget of {objective.budget:.0%} allows"
    name = f"{objective.alert}{burn.speed}"
    measured = f"{{{{ $value | humanizePercentage }}}} over {burn.long}, and over {burn.short} too."
    burning = [f"{_recorded(objective, window)} > ({limit})" for window in (burn.long, burn.short)]
    return {
        "alert": name,
        "expr": " and ".join(burning),
        "for": burn.lasts,
        "labels": {"severity": burn.severity, "slo": objective.name},
        "annotations": {
            "summary": f"{objective.what.capitalize()}: {spent}",
            "description": measured,
            "runbook_url": f"{RUNBOOK}#{name.lower()}",
        },
    }


def _level(level: Level) -> list[Json]:
    buckets = rate(f"{level.histogram}_bucket", "le", where=level.where)
    rules: list[Json] = []
    for share, target in zip(QUANTILES, level.targets, strict=True):
        labels = {"feature": level.feature, "quantile": f"{share:g}"}
        measured = f"histogram_quantile({share:g}, {buckets})"
        rules.append({"record": "chat:level:seconds", "expr": measured, "labels": labels})
        rules.append({"record": "chat:level_target:seconds", "expr": f"vector({target:g})", "labels": labels})
    return rules
