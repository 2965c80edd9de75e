"""The monthly price survey of the Korea Environment Corporation (15156640)."""

import re
from datetime import datetime, timedelta
from typing import Annotated, Any

from opentelemetry.trace import Tracer
from pydantic import BaseModel, BeforeValidator, FiniteFloat, SecretStr, TypeAdapter

from chat_worker.adapters.data_go_kr import KST, Clock, DataGoKr
from chat_worker.adapters.vendor_http import HttpLimits
from chat_worker.adapters.vendor_text import CleanText
from chat_worker.errors import NoData, SchemaDrift
from chat_worker.ports.prices import RecyclablePrice

BASE_URL = "https://apis.data.go.kr/B552584/reutilMrktPrcExmn"
LIMITS = HttpLimits(read_s=90, budget_s=120, tries=2)
"""The vendor is known to take more than a minute."""
PUBLISHED_BY_DAY = 15
PER_PAGE = 100


def _won(value: Any) -> float | None:
    """A price may have commas; none was surveyed where there is no figure."""
    text = str("" if value is None else value).replace(",", "").strip()
    return None if text in {"", "-", "null"} else float(text)


def _month_name(value: Any) -> Any:
    """202606, 2026-06 and 20260601 are one month."""
    found = re.match(r"(\d{4})\D?(\d{2})", str(value))
    return "-".join(found.groups()) if found else value


class _Row(BaseModel):
    exmnYmd: Annotated[str, BeforeValidator(_month_name)]
    stdgNm: CleanText
    itemNm: CleanText
    mrktPrc: Annotated[FiniteFloat | None, BeforeValidator(_won)]


_ROWS = TypeAdapter(list[_Row])


class KecoSurvey:
    """What recyclers paid in the newest month that is published. Every call raises a VendorError."""

    def __init__(
        self, key: SecretStr, tracer: Tracer, *, base_url: str, limits: HttpLimits, clock: Clock
    ) -> None:
        self._portal = DataGoKr(
            "recyclable prices",
            base_url,
            key,
            tracer,
            switch={"returnType": "JSON"},
            limits=limits,
            clock=clock,
        )
        self._clock = clock

    async def newest(self, region: str) -> list[RecyclablePrice]:
        """The prices of a region; one month further back when the newest is not there yet."""
        month = _published(self._clock())
        try:
            return await self._month(region, month)
        except NoData:
            return await self._month(region, _before(month))

    async def close(self) -> None:
        """Closes all connections."""
        await self._portal.close()

    async def _month(self, region: str, month: datetime) -> list[RecyclablePrice]:
        asked = {"exmnYmd": f"{month:%Y%m}", "stdgNm": region}
        rows = await self._portal.rows("/getlist", asked, _ROWS, per_page=PER_PAGE)
        ours = [row for row in rows if row.exmnYmd == f"{month:%Y-%m}" and row.stdgNm == region]
        if not ours:
            raise SchemaDrift("recyclable prices: rows of another month or region than was asked for")
        found = [
            RecyclablePrice(row.itemNm, region, row.mrktPrc, row.exmnYmd)
            for row in ours
            if row.mrktPrc is not None and row.itemNm
        ]
        if not found:
            raise NoData("recyclable prices: no price in this month")
        return found


def _published(now: datetime) -> datetime:
    """The newest month whose survey is out: a month's is, from the 16th on."""
    today = now.astimezone(KST)
    first = today.replace(day=1)
    return first if today.day > PUBLISHED_BY_DAY else _before(first)


def _before(month: datetime) -> datetime:
    return (month.replace(day=1) - timedelta(days=1)).replace(day=1)
