"""The weather where somebody puts something out."""

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Protocol

from eco2_bus.job import Location


class Precipitation(IntEnum):
    """KMA's PTY codes."""

    NONE = 0
    RAIN = 1
    RAIN_AND_SNOW = 2
    SNOW = 3
    SHOWER = 4
    DRIZZLE = 5
    DRIZZLE_AND_FLURRY = 6
    FLURRY = 7


class Sky(IntEnum):
    """KMA's SKY codes."""

    CLEAR = 1
    MOSTLY_CLOUDY = 3
    OVERCAST = 4


@dataclass(frozen=True, slots=True)
class Hour:
    """The forecast for one hour (KST); `amount` is the vendor's own text ("1mm 미만")."""

    at: datetime
    temperature_c: float | None = None
    precipitation: Precipitation | None = None
    probability_pct: int | None = None
    amount: str | None = None
    sky: Sky | None = None


@dataclass(frozen=True, slots=True)
class WeatherReport:
    """What was measured last, and the hours to come; times are KST."""

    observed_at: datetime | None
    temperature_c: float | None
    humidity_pct: float | None
    precipitation: Precipitation | None
    rain_mm: float | None
    hours: tuple[Hour, ...]
    is_stale: bool = False


class Weather(Protocol):
    """A weather service."""

    async def at(self, location: Location) -> WeatherReport:
        """The weather at a point, from whichever source answers; raises a VendorError when none does."""
        ...
