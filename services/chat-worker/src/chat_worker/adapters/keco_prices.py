"""The monthly price survey of the Korea Environment Corporation (15156640), served from a cache."""

import asyncio
import logging
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from opentelemetry.trace import Tracer
from pydantic import BaseModel, BeforeValidator, SecretStr, TypeAdapter

from chat_worker.adapters.data_go_kr import KST, Clock, DataGoKr, utc_now
from chat_worker.adapters.keco_prices_names import NATION, REGIONS, ItemName, asked_names, region_of
from chat_worker.adapters.keco_prices_snapshot import snapshot
from chat_worker.adapters.vendor_http import HttpLimits
from chat_worker.adapters.vendor_text import CleanText
from chat_worker.errors import NoData, SchemaDrift, Transient, VendorError
from chat_worker.ports.prices import RecyclablePrice

_log = logging.getLogger(__name__)

BASE_URL = "https://apis.data.go.kr/B552584/reutilMrktPrcExmn"
LIMITS = HttpLimits(read_s=90, budget_s=120, tries=2)
"""The vendor is known to take more than a minute, so nobody waits for it."""
PATIENCE_S = 3.0
KEPT_FOR = timedelta(hours=12)
TRIED_AGAIN_AFTER = timedelta(minutes=10)
PUBLISHED_BY_DAY = 15
PER_PAGE = 100
ITEM_MAX_CHARS = 100


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
    mrktPrc: Annotated[float | None, BeforeValidator(_won)]


_ROWS = TypeAdapter(list[_Row])


_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass
class _Region:
    """What is known of one region; `error` is why the last refresh brought nothing."""

    prices: list[RecyclablePrice] = field(default_factory=list[RecyclablePrice])
    due: datetime = _LONG_AGO
    error: VendorError | None = None
    refresh: asyncio.Task[None] | None = None


class KecoPrices:
    """The RecyclablePrices port.

    A question starts the refresh that is due and waits for it a moment only; then comes what the cache has,
    then the snapshot.
    """

    def __init__(
        self,
        key: SecretStr,
        tracer: Tracer,
        *,
        base_url: str = BASE_URL,
        limits: HttpLimits = LIMITS,
        patience_s: float = PATIENCE_S,
        clock: Clock = utc_now,
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
        self._patience_s = patience_s
        self._clock = clock
        self._regions = {name: _Region() for name in REGIONS}

    async def prices(self, item: str, region: str = NATION) -> list[RecyclablePrice]:
        asked = asked_names(item[:ITEM_MAX_CHARS])
        name = region_of(region)
        known = self._regions[name]
        refresh = self._refresh_if_due(name)
        if refresh and not known.prices:
            await asyncio.wait({refresh}, timeout=self._patience_s)
        if known.prices:
            return _fitting(known.prices, asked)
        return self._from_snapshot(asked, name, known.error)

    def warm(self) -> None:
        """Begins to fetch the nation's prices, so that the first question finds them."""
        self._refresh_if_due(NATION)

    async def close(self) -> None:
        """Ends the refreshes and closes all connections."""
        running = [known.refresh for known in self._regions.values() if known.refresh]
        for refresh in running:
            refresh.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await self._portal.close()

    def _refresh_if_due(self, name: str) -> asyncio.Task[None] | None:
        known = self._regions[name]
        if known.refresh is None and self._clock() >= known.due:
            # Not the caller's to cancel: others may wait for it, and the next question needs it.
            known.refresh = asyncio.create_task(self._refresh(name, known), name=f"prices {name}")
        return known.refresh

    async def _refresh(self, name: str, known: _Region) -> None:
        try:
            known.prices = await self._newest(name)
            known.error = None
            known.due = self._clock() + KEPT_FOR
        except VendorError as error:
            _log.warning("prices of a region cannot be refreshed: %s", error)
            known.error = error
            known.due = self._clock() + TRIED_AGAIN_AFTER
        finally:
            known.refresh = None

    async def _newest(self, region: str) -> list[RecyclablePrice]:
        month = _published(self._clock())
        try:
            return await self._month(region, month)
        except NoData:
            return await self._month(region, _before(month))

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

    def _from_snapshot(
        self, asked: list[ItemName], region: str, error: VendorError | None
    ) -> list[RecyclablePrice]:
        for name in (region, NATION):
            fitting = [price for price in snapshot() if price.region == name and _fits(price, asked)]
            if fitting:
                return fitting
        # Raised anew: one exception shared by many questions would gather all their tracebacks.
        raise type(error)(*error.args) if error else Transient("recyclable prices: still being fetched")


def _published(now: datetime) -> datetime:
    """The newest month whose survey is out: a month's is, from the 16th on."""
    today = now.astimezone(KST)
    first = today.replace(day=1)
    return first if today.day > PUBLISHED_BY_DAY else _before(first)


def _before(month: datetime) -> datetime:
    return (month.replace(day=1) - timedelta(days=1)).replace(day=1)


def _fitting(prices: Iterable[RecyclablePrice], asked: list[ItemName]) -> list[RecyclablePrice]:
    found = [price for price in prices if _fits(price, asked)]
    if not found:
        raise NoData("recyclable prices: nothing of this name is surveyed")
    return found


def _fits(price: RecyclablePrice, asked: list[ItemName]) -> bool:
    name = ItemName.of(price.item)
    return any(name.fits(one) for one in asked)
