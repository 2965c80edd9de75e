"""Panels, rows and dashboards, and their Grafana JSON."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

SCHEMA_VERSION = 38
"""Grafana 10; newer ones upgrade it when they load it."""
PROMETHEUS = {"type": "prometheus", "uid": "prometheus"}
GRID_WIDTH = 24

Kind = Literal["stat", "timeseries", "heatmap"]
Json = dict[str, Any]


@dataclass(frozen=True)
class Query:
    """A PromQL expression and how its series are called."""

    expr: str
    legend: str = ""


@dataclass(frozen=True)
class Panel:
    """One picture; `has_traces` says that the histogram behind it carries exemplars."""

    title: str
    unit: str
    description: str
    queries: Sequence[Query]
    kind: Kind = "timeseries"
    width: int = 12
    height: int = 8
    has_traces: bool = False
    warn_above: float | None = None

    def to_json(self, number: int, x: int, y: int) -> Json:
        """The panel at its place in the grid."""
        return {
            "id": number,
            "type": self.kind,
            "title": self.title,
            "description": self.description,
            "datasource": PROMETHEUS,
            "gridPos": {"h": self.height, "w": self.width, "x": x, "y": y},
            "targets": [
                self._target(query, letter) for query, letter in zip(self.queries, "ABCDEF", strict=False)
            ],
            "fieldConfig": {"defaults": self._defaults(), "overrides": []},
            "options": _OPTIONS[self.kind],
        }

    def _target(self, query: Query, letter: str) -> Json:
        return {
            "refId": letter,
            "datasource": PROMETHEUS,
            "expr": query.expr,
            "legendFormat": query.legend or "__auto",
            "exemplar": self.has_traces,
            "format": "heatmap" if self.kind == "heatmap" else "time_series",
            "range": self.kind != "stat",
            "instant": self.kind == "stat",
        }

    def _defaults(self) -> Json:
        steps: list[Json] = [{"color": "green", "value": None}]
        if self.warn_above is not None:
            steps.append({"color": "red", "value": self.warn_above})
        return {"unit": self.unit, "min": 0, "thresholds": {"mode": "absolute", "steps": steps}}


@dataclass(frozen=True)
class Row:
    """Panels under a heading, laid out from left to right."""

    title: str
    panels: Sequence[Panel]


@dataclass(frozen=True)
class Dashboard:
    """Rows of panels with the variables that all dashboards share."""

    uid: str
    title: str
    description: str
    rows: Sequence[Row]
    instances_of: str
    """A metric of the processes among which `instance` chooses."""

    @property
    def panels(self) -> Iterator[Panel]:
        """All panels, in order."""
        return (panel for row in self.rows for panel in row.panels)

    def to_json(self) -> Json:
        """What Grafana provisions."""
        return {
            "uid": self.uid,
            "title": self.title,
            "description": self.description,
            "tags": ["eco2-chat"],
            "schemaVersion": SCHEMA_VERSION,
            "version": 1,
            "editable": False,
            "refresh": "30s",
            "time": {"from": "now-1h", "to": "now"},
            "templating": {"list": self._variables()},
            "links": _LINKS,
            "panels": list(_laid_out(self.rows)),
        }

    def _variables(self) -> list[Json]:
        chosen = f'{self.instances_of}{{namespace=~"$namespace"}}'
        return [
            _variable("namespace", f"label_values({self.instances_of}, namespace)"),
            _variable("instance", f"label_values({chosen}, instance)"),
            _variable("intent", "label_values(chat_intent_distribution_total, intent)"),
        ]


def _laid_out(rows: Sequence[Row]) -> Iterator[Json]:
    number, y = 1, 0
    for row in rows:
        yield {
            "id": number,
            "type": "row",
            "title": row.title,
            "collapsed": False,
            "gridPos": {"h": 1, "w": GRID_WIDTH, "x": 0, "y": y},
            "panels": [],
        }
        number, y, x, line_height = number + 1, y + 1, 0, 0
        for panel in row.panels:
            if x + panel.width > GRID_WIDTH:
                x, y, line_height = 0, y + line_height, 0
            yield panel.to_json(number, x, y)
            number, x, line_height = number + 1, x + panel.width, max(line_height, panel.height)
        y += line_height


def _variable(name: str, query: str) -> Json:
    return {
        "name": name,
        "type": "query",
        "datasource": PROMETHEUS,
        "definition": query,
        "query": {"query": query, "refId": name},
        "refresh": 2,
        "sort": 1,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "current": {"selected": True, "text": ["All"], "value": ["$__all"]},
    }


_LINKS: list[Json] = [
    {
        "type": "dashboards",
        "title": "Eco² Chat",
        "tags": ["eco2-chat"],
        "asDropdown": True,
        "includeVars": True,
        "keepTime": True,
    }
]
_OPTIONS: dict[Kind, Json] = {
    "stat": {"reduceOptions": {"calcs": ["lastNotNull"]}, "colorMode": "value", "graphMode": "none"},
    "timeseries": {
        "legend": {"displayMode": "table", "placement": "bottom", "calcs": ["lastNotNull", "max"]}
    },
    "heatmap": {"calculate": False, "yAxis": {"unit": "s"}, "exemplars": {"color": "rgba(255,0,255,0.7)"}},
}
