"""The figures of a load run: quantiles of what came in between, levels, and a picture of both."""

import xml.etree.ElementTree as ElementTree
from collections import Counter
from math import inf, isnan
from typing import Any

import pytest

from load.__main__ import seconds, table
from load.histograms import quantiles_ms
from load.levels import Row, rows
from load.plot import svg

WASTE = Row("answer, waste", 40, (1_500, 6_000, 11_000), (2_000, 5_000, 10_000))
TREND = {"values": {"count": 40, "p(50)": 1_500, "p(95)": 6_000, "p(99)": 11_000}}


def counted(values: int) -> dict[str, Any]:
    return {"values": {"count": values}}


def test_only_what_came_during_the_run_counts() -> None:
    before = Counter({0.1: 1_000.0, 1.0: 1_000.0, inf: 1_000.0})
    after = Counter({0.1: 1_050.0, 1.0: 1_100.0, inf: 1_100.0})
    assert quantiles_ms(before, after, (0.5, 0.75)) == (100, [pytest.approx(100), pytest.approx(550)])


def test_a_quantile_beyond_the_last_bound_is_the_last_bound_and_of_nothing_there_is_none() -> None:
    nothing: Counter[float] = Counter()
    assert quantiles_ms(nothing, Counter({1.0: 0.0, inf: 10.0}), (0.5,)) == (10, [1_000])
    count, (quantile,) = quantiles_ms(nothing, Counter({1.0: 0.0, inf: 0.0}), (0.5,))
    assert count == 0
    assert isnan(quantile)


def test_a_short_run_is_held_to_less_than_a_long_one() -> None:
    assert WASTE.misses(is_long=True) == ["p95", "p99"]
    assert WASTE.misses(is_long=False) == []


def test_the_table_tells_what_was_asked_for_and_how_much_of_it_was_answered_whole() -> None:
    metrics = {
        "answer_ms{intent:waste}": TREND,
        "answer_ms{intent:general}": counted(0),
        "asked{intent:waste}": counted(50),
        "answered{intent:waste}": counted(40),
    }
    none = (0, (0.0, 0.0, 0.0))
    names = ("time_to_first_token_seconds", "duration_seconds")
    product = {f"chat_stream_{name}": none for name in names}
    product |= {"chat_stream_token_latency_seconds": (9, (4, 20, 30)), "chat_api_relay_lag_seconds": none}
    told = rows({"metrics": metrics}, product)
    assert [(row.name, row.completed) for row in told] == [("answer, waste", 0.8), ("token emission", 1.0)]
    assert "above its level: p95, p99" in table(told, is_long=True)


def test_the_picture_is_well_formed_and_has_a_bar_for_every_quantile() -> None:
    picture = ElementTree.fromstring(svg([WASTE], "5 < 6 users"))
    bars = [rect for rect in picture.iter("{http://www.w3.org/2000/svg}rect") if rect.get("height") == "8"]
    assert len(bars) == 3
    assert "5 < 6 users" in [text.text for text in picture.iter("{http://www.w3.org/2000/svg}text")]


@pytest.mark.parametrize(("text", "total"), [("7m", 420), ("42s", 42), ("60", 60)])
def test_a_duration_is_read_as_k6_writes_it(text: str, total: int) -> None:
    assert seconds(text) == total
