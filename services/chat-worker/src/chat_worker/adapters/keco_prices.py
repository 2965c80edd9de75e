"""Recyclers' prices, served from a cache: the survey is too slow for a question to wait for it."""

import asyncio
import logging
from collections.abc import Iterable
from contextvars import Context
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from opentelemetry.trace import Tracer
from pydantic import SecretStr

from chat_worker.adapters.data_go_kr import Clock, utc_now
from chat_worker.adapters.keco_prices_names import NATION, REGIONS, ItemName, asked_names, region_of
from chat_worker.adapters.keco_prices_snapshot import snapshot
from chat_worker.adapters.keco_prices_survey import BASE_URL, LIMITS, KecoSurvey
from chat_worker.adapters.vendor_http import HttpLimits
from chat_worker.errors import NoData, Transient, VendorError
from chat_worker.ports.prices import RecyclablePrice

_log = logging.getLogger(__name__)

PATIENCE_S = 3.0
KEPT_FOR = timedelta(hours=12)
TRIED_AGAIN_AFTER = timedelta(minutes=10)
ITEM_MAX_CHARS = 100
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
        self._survey = KecoSurvey(key, tracer, base_url=base_url, limits=limits, clock=clock)
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
        await self._survey.close()

    def _refresh_if_due(self, name: str) -> asyncio.Task[None] | None:
        known = self._regions[name]
        if known.refresh is None and self._clock() >= known.due:
            # Not the asker's to cancel, nor part of their trace: it outlives the question.
            known.refresh = asyncio.create_task(
                self._refresh(name, known), name=f"prices {name}", context=Context()
            )
        return known.refresh

    async def _refresh(self, name: str, known: _Region) -> None:
        try:
            known.prices = await self._survey.newest(name)
            known.error = None
            known.due = self._clock() + KEPT_FOR
        except VendorError as error:
            _log.warning("prices of a region cannot be refreshed: %s", error)
            known.error = error
            known.due = self._clock() + TRIED_AGAIN_AFTER
        finally:
            known.refresh = None

    def _from_snapshot(
        self, asked: list[ItemName], region: str, error: VendorError | None
    ) -> list[RecyclablePrice]:
        for name in (region, NATION):
            fitting = [price for price in snapshot() if price.region == name and _fits(price, asked)]
            if fitting:
                return fitting
        # Raised anew: one exception shared by many questions would gather all their tracebacks.
        raise type(error)(*error.args) if error else Transient("recyclable prices: still being fetched")


def _fitting(prices: Iterable[RecyclablePrice], asked: list[ItemName]) -> list[RecyclablePrice]:
    found = [price for price in prices if _fits(price, asked)]
    if not found:
        raise NoData("recyclable prices: nothing of this name is surveyed")
    return found


def _fits(price: RecyclablePrice, asked: list[ItemName]) -> bool:
    name = ItemName.of(price.item)
    return any(name.fits(one) for one in asked)
