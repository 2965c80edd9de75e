"""What KMA answers: one row for each figure."""

import math
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, TypeVar

from pydantic import BaseModel, StringConstraints, TypeAdapter

from chat_worker.adapters.data_go_kr import KST
from chat_worker.adapters.vendor_text import CleanText
from chat_worker.errors import SchemaDrift
from chat_worker.ports.weather import Hour, Precipitation, Sky

_MISSING_FROM = 900.0
_NO_RAIN = "강수없음"
_AMOUNT = re.compile(r"\d.*(mm|cm)")

_Day = Annotated[str, StringConstraints(pattern=r"^\d{8}$")]
_Time = Annotated[str, StringConstraints(pattern=r"^\d{4}$")]
Figures = Mapping[str, str]
Code = TypeVar("Code", Precipitation, Sky)
Hours = Mapping[datetime, Hour]


class NowcastRow(BaseModel):
    """A measured figure."""

    baseDate: _Day
    baseTime: _Time
    category: str
    obsrValue: CleanText


class ForecastRow(BaseModel):
    """A forecast figure."""

    category: str
    fcstDate: _Day
    fcstTime: _Time
    fcstValue: CleanText


NOWCAST_ROWS = TypeAdapter(list[NowcastRow])
FORECAST_ROWS = TypeAdapter(list[ForecastRow])


@dataclass(frozen=True, slots=True)
class Observation:
    """What was measured on an hour."""

    at: datetime
    temperature_c: float | None
    humidity_pct: float | None
    precipitation: Precipitation | None
    rain_mm: float | None


def observation_of(rows: Sequence[NowcastRow]) -> Observation:
    """The figures of a nowcast; raises SchemaDrift."""
    figures = {row.category: row.obsrValue for row in rows}
    return Observation(
        at=_time(rows[0].baseDate, rows[0].baseTime),
        temperature_c=_number(figures, "T1H"),
        humidity_pct=_number(figures, "REH"),
        precipitation=_precipitation(figures),
        rain_mm=0.0 if figures.get("RN1") == _NO_RAIN else _number(figures, "RN1"),
    )


def hours_of(rows: Sequence[ForecastRow]) -> Hours:
    """The hours of a forecast of either kind; raises SchemaDrift."""
    hours: defaultdict[datetime, dict[str, str]] = defaultdict(dict)
    for row in rows:
        hours[_time(row.fcstDate, row.fcstTime)][row.category] = row.fcstValue
    return {at: _hour(at, figures) for at, figures in hours.items()}


def merged(near: Hours, far: Hours) -> list[Hour]:
    """All hours in order; the nearer forecast is the newer one, but only the farther knows probabilities."""
    both = {
        at: replace(hour, probability_pct=far[at].probability_pct) if at in far else hour
        for at, hour in near.items()
    }
    return [hour for _, hour in sorted({**far, **both}.items())]


def _hour(at: datetime, figures: Figures) -> Hour:
    temperature = _number(figures, "T1H")
    probability = _number(figures, "POP")
    sky = _number(figures, "SKY")
    return Hour(
        at=at,
        temperature_c=_number(figures, "TMP") if temperature is None else temperature,
        precipitation=_precipitation(figures),
        probability_pct=None if probability is None else int(probability),
        amount=_amount(figures),
        sky=None if sky is None else _member(Sky, sky),
    )


def _amount(figures: Figures) -> str | None:
    """The vendor's words; the codes of the far days, which are no amounts, are left out."""
    texts = [figures.get(category, "") for category in ("RN1", "PCP", "SNO")]
    return ", ".join(text for text in texts if _AMOUNT.search(text)) or None


def _precipitation(figures: Figures) -> Precipitation | None:
    code = _number(figures, "PTY")
    return None if code is None else _member(Precipitation, code)


def _member(kind: type[Code], code: float) -> Code:
    try:
        return kind(code)
    except ValueError:
        raise SchemaDrift(f"kma: {code:g} is no {kind.__name__}") from None


def _number(figures: Figures, category: str) -> float | None:
    """None for what is not there, and for the figures around 900 and beyond that say so."""
    text = figures.get(category, "")
    if not text:
        return None
    try:
        number = float(text)
    except ValueError:
        raise SchemaDrift(f"kma: {category} is no number") from None
    return number if math.fabs(number) < _MISSING_FROM else None


def _time(day: str, time: str) -> datetime:
    try:
        return datetime.strptime(day + time, "%Y%m%d%H%M").replace(tzinfo=KST)
    except ValueError:
        raise SchemaDrift("kma: a time that is none") from None
