"""When the weather service issues what (KST), and which hours an issue speaks of."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

KST = ZoneInfo("Asia/Seoul")
VILLAGE_HOURS = (2, 5, 8, 11, 14, 17, 20, 23)
KEPT = timedelta(days=1)

_NOWCAST_AFTER = timedelta(minutes=10)
_ULTRA_AFTER = timedelta(minutes=15)
_VILLAGE_AFTER = timedelta(minutes=10)
_ULTRA_HOURS = 6


def is_nowcast(base: datetime, now: datetime) -> bool:
    """Say whether there is a nowcast of this base time: hourly, out ten minutes later."""
    return base.minute == 0 and _is_out(base, _NOWCAST_AFTER, now)


def is_ultra(base: datetime, now: datetime) -> bool:
    """Say whether there is an ultra-short forecast of this base time: at half past, out at :45."""
    return base.minute == 30 and _is_out(base, _ULTRA_AFTER, now)


def is_village(base: datetime, now: datetime) -> bool:
    """Say whether there is a village forecast of this base time: eight a day, out ten minutes later."""
    return base.minute == 0 and base.hour in VILLAGE_HOURS and _is_out(base, _VILLAGE_AFTER, now)


def ultra_hours(base: datetime) -> list[datetime]:
    """Return the six full hours after the base time."""
    first = base.replace(minute=0) + timedelta(hours=1)
    return [first + timedelta(hours=n) for n in range(_ULTRA_HOURS)]


def village_hours(base: datetime) -> Iterator[tuple[datetime, bool]]:
    """Yield the hours of a village forecast; the flag says that one is far, told every three hours."""
    near_until = _midnight(base, 3)
    far_until = _midnight(base, 5 if base.hour >= 17 else 4)
    at = base + timedelta(hours=1)
    while at < near_until:
        yield at, False
        at += timedelta(hours=1)
    while at < far_until:
        yield at, True
        at += timedelta(hours=3)


def _is_out(base: datetime, after: timedelta, now: datetime) -> bool:
    return base + after <= now <= base + KEPT + after


def _midnight(base: datetime, days: int) -> datetime:
    return base.replace(hour=0, minute=0) + timedelta(days=days)
