"""KMA's short-range forecast (data.go.kr 15084084)."""

import asyncio
import logging
from collections.abc import Awaitable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeVar

from eco2_bus.job import Location
from opentelemetry.trace import Tracer
from pydantic import SecretStr

from chat_worker.adapters.data_go_kr import KST, Clock, DataGoKr, utc_now
from chat_worker.adapters.kma_grid import Cell, cell_of
from chat_worker.adapters.kma_weather_issues import CELLS_KEPT, NOWCAST, ULTRA_SHORT, VILLAGE, NewestIssue
from chat_worker.adapters.kma_weather_reply import (
    FORECAST_ROWS,
    NOWCAST_ROWS,
    Hours,
    Observation,
    hours_of,
    merged,
    observation_of,
)
from chat_worker.adapters.kma_weather_shared import SharedCalls
from chat_worker.adapters.vendor_http import HttpLimits
from chat_worker.adapters.vendor_recent import Recent
from chat_worker.errors import NoData, VendorError
from chat_worker.ports.weather import WeatherReport

BASE_URL = "https://apis.data.go.kr/1360000/VilageFcstInfoService_2.0"
LIMITS = HttpLimits(read_s=3, budget_s=5)
"""Short, because weather is an extra in most answers."""
STALE_MAX = timedelta(hours=3)

_log = logging.getLogger(__name__)
T = TypeVar("T")


class KmaWeather:
    """The Weather port: nowcast and both forecasts, whichever answer; else the last report, up to 3 h old."""

    def __init__(
        self,
        key: SecretStr,
        tracer: Tracer,
        *,
        base_url: str = BASE_URL,
        limits: HttpLimits = LIMITS,
        clock: Clock = utc_now,
    ) -> None:
        self._clock = clock
        self._portal = portal = DataGoKr(
            "kma", base_url, key, tracer, switch={"dataType": "JSON"}, limits=limits, clock=clock
        )
        self._nowcast = NewestIssue(portal, NOWCAST, NOWCAST_ROWS, observation_of, clock)
        self._ultra_short = NewestIssue(portal, ULTRA_SHORT, FORECAST_ROWS, hours_of, clock)
        self._village = NewestIssue(portal, VILLAGE, FORECAST_ROWS, hours_of, clock)
        self._shared: SharedCalls[Cell, WeatherReport] = SharedCalls()
        self._reports: Recent[Cell, tuple[datetime, WeatherReport]] = Recent(CELLS_KEPT)

    async def at(self, location: Location) -> WeatherReport:
        cell = cell_of(location)
        return await self._shared(cell, lambda: self._report(cell))

    async def close(self) -> None:
        """Closes all connections."""
        await self._portal.close()

    async def _report(self, cell: Cell) -> WeatherReport:
        async with asyncio.TaskGroup() as group:
            nowcast = group.create_task(_or_error(self._nowcast(cell)))
            ultra_short = group.create_task(_or_error(self._ultra_short(cell)))
            village = group.create_task(_or_error(self._village(cell)))
        answers = nowcast.result(), ultra_short.result(), village.result()
        errors = [answer for answer in answers if isinstance(answer, VendorError)]
        for error in errors:
            _log.warning("part of the weather is missing: %s: %s", type(error).__name__, error)
        now = self._clock()
        if len(errors) == len(answers):
            return self._last_report(cell, now, errors)
        report = _combined(*answers)
        self._reports.put(cell, (now, report))
        return _from(now, report)

    def _last_report(self, cell: Cell, now: datetime, errors: Sequence[VendorError]) -> WeatherReport:
        known = self._reports.get(cell)
        if known is None or now - known[0] > STALE_MAX:
            raise next((error for error in errors if not isinstance(error, NoData)), errors[0])
        return replace(_from(now, known[1]), is_stale=True)


async def _or_error(answer: Awaitable[T]) -> T | VendorError:
    try:
        return await answer
    except VendorError as error:
        return error


def _combined(
    nowcast: Observation | VendorError, ultra_short: Hours | VendorError, village: Hours | VendorError
) -> WeatherReport:
    measured = None if isinstance(nowcast, VendorError) else nowcast
    near: Hours = {} if isinstance(ultra_short, VendorError) else ultra_short
    far: Hours = {} if isinstance(village, VendorError) else village
    return WeatherReport(
        observed_at=measured and measured.at,
        temperature_c=measured and measured.temperature_c,
        humidity_pct=measured and measured.humidity_pct,
        precipitation=measured and measured.precipitation,
        rain_mm=measured and measured.rain_mm,
        hours=tuple(merged(near, far)),
    )


def _from(now: datetime, report: WeatherReport) -> WeatherReport:
    """The report without the hours that are over."""
    this_hour = now.astimezone(KST).replace(minute=0, second=0, microsecond=0)
    return replace(report, hours=tuple(hour for hour in report.hours if hour.at >= this_hour))
