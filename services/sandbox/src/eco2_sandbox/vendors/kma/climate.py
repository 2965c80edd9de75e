"""Made-up weather, the same for a grid cell and an hour whichever forecast speaks of it."""

import math
import zlib
from dataclasses import dataclass
from datetime import datetime, timedelta

# Monthly means of a place in the middle of the country, rounded; the rest is drawn from the date.
_MEAN_C = (-2, 0, 6, 12, 18, 22, 25, 26, 21, 15, 7, 0)
_NORTHERN_NY = 127
_C_PER_CELL_SOUTHWARD = 0.06
_DAILY_SWING_C = 5.0
_WET_DAYS_OF_100 = 35
_DRIZZLE_MM = 0.5
# Weather comes over a region, not over one cell.
_REGION_CELLS = 12


@dataclass(frozen=True)
class Air:
    """The weather of one hour."""

    temperature_c: float
    humidity_pct: int
    rain_mm: float
    cloud: int
    wind_to_deg: int
    wind_m_s: float

    @property
    def snows(self) -> bool:
        """Whether what falls is snow."""
        return self.temperature_c < 0

    @property
    def is_mixed(self) -> bool:
        """Whether rain and snow fall together."""
        return 0 <= self.temperature_c < 2

    @property
    def east_m_s(self) -> float:
        """The eastward part of the wind."""
        return round(self.wind_m_s * math.sin(math.radians(self.wind_to_deg)), 1)

    @property
    def north_m_s(self) -> float:
        """The northward part of the wind."""
        return round(self.wind_m_s * math.cos(math.radians(self.wind_to_deg)), 1)


def air_at(at: datetime, nx: int, ny: int) -> Air:
    """Return the weather of a cell in the hour that begins at `at`, KST."""
    region = f"{nx // _REGION_CELLS}:{ny // _REGION_CELLS}"
    day = f"{at:%Y%m%d}"
    rain = _rain_mm(at, region)
    mean = (
        _MEAN_C[at.month - 1] + (_NORTHERN_NY - ny) * _C_PER_CELL_SOUTHWARD + _draw(day, region, "t") % 7 - 3
    )
    swing = _DAILY_SWING_C * math.sin((at.hour - 9) / 24 * 2 * math.pi) * (0.4 if rain else 1)
    return Air(
        temperature_c=round(mean + swing + (_draw(day, f"{nx}:{ny}", "cell") % 10) / 10, 1),
        humidity_pct=min(
            98, (85 if rain else 45) + _draw(day, region, "h") % 20 + (0 if 9 <= at.hour < 18 else 8)
        ),
        rain_mm=rain,
        cloud=4 if rain else (1, 1, 3, 4)[_draw(day, str(at.hour // 6), region) % 4],
        wind_to_deg=_draw(day, str(at.hour // 3), region) % 360,
        wind_m_s=0.5 + _draw(day, str(at.hour), region) % 45 / 10,
    )


def chance_pct(at: datetime, nx: int, ny: int) -> int:
    """Return the chance of rain: high in wet hours, middling beside them."""
    hours = [air_at(at + timedelta(hours=n), nx, ny).rain_mm for n in (-1, 0, 1)]
    return 80 if hours[1] else 60 if any(hours) else (0, 10, 20, 30)[air_at(at, nx, ny).cloud - 1]


def _rain_mm(at: datetime, region: str) -> float:
    day = f"{at:%Y%m%d}"
    if _draw(day, region, "wet") % 100 >= _WET_DAYS_OF_100:
        return 0.0
    begins, lasts = _draw(day, region, "begins") % 20, 2 + _draw(day, region, "lasts") % 8
    if not begins <= at.hour < begins + lasts:
        return 0.0
    amount = _draw(day, str(at.hour), region, "mm") % 80
    return _DRIZZLE_MM if amount < 20 else round((amount / 10) ** 2, 1)


def _draw(*words: str) -> int:
    return zlib.crc32("|".join(words).encode()) >> 8
