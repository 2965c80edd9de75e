"""The results as a picture, written as plain SVG."""

import math
from collections.abc import Iterator, Sequence
from html import escape

from load.levels import QUANTILES, Row

_LEFT, _WIDTH, _BAR, _GAP, _TOP = 190, 620, 10, 16, 60
_COLOURS = {"p50": "#7fb77e", "p95": "#3f88c5", "p99": "#44546a"}
_FASTEST_MS, _SLOWEST_MS = 0.1, 100_000.0


def svg(rows: Sequence[Row], title: str) -> str:
    """Bars for the quantiles of each row on a logarithmic scale, and a red mark at each level."""
    height = _TOP + len(rows) * (len(QUANTILES) * _BAR + _GAP) + 30
    body = [*_scale(height), *_legend(title)]
    for number, row in enumerate(rows):
        body += _bars(row, _TOP + number * (len(QUANTILES) * _BAR + _GAP))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_LEFT + _WIDTH + 110}" height="{height}" '
        f'font-family="sans-serif" font-size="12"><rect width="100%" height="100%" fill="white"/>'
        f"{''.join(body)}</svg>\n"
    )


def _x(ms: float) -> float:
    inside = min(max(ms, _FASTEST_MS), _SLOWEST_MS)
    return _LEFT + _WIDTH * math.log10(inside / _FASTEST_MS) / math.log10(_SLOWEST_MS / _FASTEST_MS)


def _bars(row: Row, y: float) -> Iterator[str]:
    yield _text(_LEFT - 8, y + 19, f"{row.name} ({row.count})", anchor="end")
    for at, quantile in enumerate(QUANTILES):
        value, level, top = row.measured_ms[at], row.level_ms[at], y + at * _BAR
        width = _x(value) - _LEFT
        colour = _COLOURS[quantile]
        yield f'<rect x="{_LEFT}" y="{top}" width="{width:.1f}" height="{_BAR - 2}" fill="{colour}"/>'
        if level is not None:
            yield f'<rect x="{_x(level):.1f}" y="{top - 1}" width="3" height="{_BAR}" fill="#d7263d"/>'
        end = max(_x(value), _x(level or 0)) + 6
        yield _text(end, top + 8, f"{value:,.1f} ms" if value < 10 else f"{value:,.0f} ms", size=9)


def _scale(height: float) -> Iterator[str]:
    for power in range(-1, 6):
        x = _x(10.0**power)
        yield f'<line x1="{x:.1f}" y1="{_TOP - 8}" x2="{x:.1f}" y2="{height - 24}" stroke="#dddddd"/>'
        yield _text(x, height - 8, f"{10.0**power:g} ms", anchor="middle", size=10)


def _legend(title: str) -> Iterator[str]:
    yield _text(10, 20, title, size=14)
    for at, (quantile, colour) in enumerate([*_COLOURS.items(), ("level", "#d7263d")]):
        yield f'<rect x="{_LEFT + at * 70}" y="32" width="10" height="10" fill="{colour}"/>'
        yield _text(_LEFT + at * 70 + 14, 41, quantile)


def _text(x: float, y: float, words: str, *, anchor: str = "start", size: int = 12) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}">{escape(words)}</text>'
