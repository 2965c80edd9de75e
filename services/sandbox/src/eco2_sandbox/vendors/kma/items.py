"""The rows of the three forecasts, in the vendor's codes and texts."""

from collections.abc import Iterator
from datetime import datetime

from eco2_sandbox.vendors.kma.climate import Air, air_at, chance_pct
from eco2_sandbox.vendors.kma.issues import ultra_hours, village_hours

Item = dict[str, str | int]

# At sea there is no thermometer: the vendor sends a number that stands for "missing".
MISSING = "-998.9"
_SEA_WEST_OF_NX = 20


def nowcast(base: datetime, nx: int, ny: int) -> list[Item]:
    """Return the eight observations of an hour; there is none of the sky."""
    air = air_at(base, nx, ny)
    values = {
        "PTY": str(_kind_observed(air)),
        "REH": str(air.humidity_pct),
        "RN1": f"{air.rain_mm:g}",
        "T1H": MISSING if nx < _SEA_WEST_OF_NX else f"{air.temperature_c:g}",
        "UUU": f"{air.east_m_s:g}",
        "VEC": str(air.wind_to_deg),
        "VVV": f"{air.north_m_s:g}",
        "WSD": f"{air.wind_m_s:g}",
    }
    stamp = _stamp(base)
    return [
        {**stamp, "category": category, "nx": nx, "ny": ny, "obsrValue": value}
        for category, value in values.items()
    ]


def ultra_forecast(base: datetime, nx: int, ny: int) -> list[Item]:
    """Return six hours, category by category."""
    hours = ultra_hours(base)
    told = {at: _ultra_values(air_at(at, nx, ny)) for at in hours}
    return [
        _forecast(base, at, category, told[at][category], nx, ny)
        for category in told[hours[0]]
        for at in hours
    ]


def village_forecast(base: datetime, nx: int, ny: int) -> list[Item]:
    """Return the days to come, hour by hour; far days tell rain, snow and wind by class."""
    return [
        _forecast(base, at, category, value, nx, ny)
        for at, is_far in village_hours(base)
        for category, value in _village_values(at, nx, ny, is_far=is_far)
    ]


def rain_text(mm: float) -> str:
    """Return an amount of rain as the forecast writes it."""
    if not mm:
        return "강수없음"
    if mm < 1:
        return "1mm 미만"
    if mm < 30:
        return f"{mm:.1f}mm"
    return "30.0~50.0mm" if mm < 50 else "50.0mm 이상"


def snow_text(cm: float) -> str:
    """Return an amount of new snow as the forecast writes it."""
    if not cm:
        return "적설없음"
    if cm < 0.5:
        return "0.5cm 미만"
    return f"{cm:.1f}cm" if cm < 5 else "5.0cm 이상"


def _ultra_values(air: Air) -> dict[str, str]:
    return {
        "LGT": "0",
        "PTY": str(_kind_observed(air)),
        "RN1": rain_text(air.rain_mm),
        "SKY": str(air.cloud),
        "T1H": f"{air.temperature_c:.0f}",
        "REH": str(air.humidity_pct),
        "UUU": f"{air.east_m_s:g}",
        "VVV": f"{air.north_m_s:g}",
        "VEC": str(air.wind_to_deg),
        "WSD": f"{air.wind_m_s:.0f}",
    }


def _village_values(at: datetime, nx: int, ny: int, *, is_far: bool) -> Iterator[tuple[str, str]]:
    air = air_at(at, nx, ny)
    snow_cm = air.rain_mm if air.snows else 0.0
    yield "TMP", f"{air.temperature_c:.0f}"
    yield "UUU", f"{air.east_m_s:g}"
    yield "VVV", f"{air.north_m_s:g}"
    yield "VEC", str(air.wind_to_deg)
    yield "WSD", _wind_class(air.wind_m_s) if is_far else f"{air.wind_m_s:g}"
    yield "SKY", str(air.cloud)
    yield "PTY", str(_kind_forecast(air))
    yield "POP", str(chance_pct(at, nx, ny))
    yield "WAV", "0"
    yield "PCP", _amount_class(air.rain_mm) if is_far else rain_text(air.rain_mm)
    yield "REH", str(air.humidity_pct)
    yield "SNO", _amount_class(snow_cm) if is_far else snow_text(snow_cm)
    if at.hour in (6, 15):
        day = [air_at(at.replace(hour=hour), nx, ny).temperature_c for hour in range(24)]
        yield ("TMN", f"{min(day):.1f}") if at.hour == 6 else ("TMX", f"{max(day):.1f}")


def _kind_observed(air: Air) -> int:
    if not air.rain_mm:
        return 0
    light = air.rain_mm < 1
    if air.snows:
        return 7 if light else 3
    if air.is_mixed:
        return 6 if light else 2
    return 5 if light else 1


def _kind_forecast(air: Air) -> int:
    if not air.rain_mm:
        return 0
    if air.snows:
        return 3
    if air.is_mixed:
        return 2
    return 4 if air.rain_mm >= 20 else 1


def _amount_class(amount: float) -> str:
    return "0" if not amount else "1" if amount < 3 else "2" if amount < 15 else "3"


def _wind_class(m_s: float) -> str:
    return "1" if m_s < 4 else "2" if m_s < 9 else "3"


def _stamp(base: datetime) -> Item:
    return {"baseDate": f"{base:%Y%m%d}", "baseTime": f"{base:%H%M}"}


def _forecast(base: datetime, at: datetime, category: str, value: str, nx: int, ny: int) -> Item:
    when: Item = {"category": category, "fcstDate": f"{at:%Y%m%d}", "fcstTime": f"{at:%H%M}"}
    return {**_stamp(base), **when, "fcstValue": value, "nx": nx, "ny": ny}
