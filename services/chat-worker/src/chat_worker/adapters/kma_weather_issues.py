"""What KMA issues when: all times are Korea's, wherever the worker runs."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from pydantic import TypeAdapter

from chat_worker.adapters.data_go_kr import KST, Clock, DataGoKr
from chat_worker.adapters.kma_grid import Cell
from chat_worker.adapters.vendor_recent import Recent
from chat_worker.errors import NoData

CELLS_KEPT = 300
ROWS_PER_PAGE = 1_000
"""The vendor's limit; an issue of the village forecast has about as many rows."""

T = TypeVar("T")
Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Product:
    """A kind of report, issued `every` so often from `first` after midnight on, and there `lag` later."""

    path: str
    every: timedelta
    first: timedelta
    lag: timedelta

    def newest(self, now: datetime) -> datetime:
        """The time of the newest issue that should be there by now."""
        since = now.astimezone(KST) - self.lag - self.first
        midnight = since.replace(hour=0, minute=0, second=0, microsecond=0)
        return midnight + (since - midnight) // self.every * self.every + self.first


NOWCAST = Product("/getUltraSrtNcst", timedelta(hours=1), timedelta(), timedelta(minutes=40))
"""Measured on the hour; the guides promise it after 10 minutes, those who use it wait for 40."""
ULTRA_SHORT = Product("/getUltraSrtFcst", timedelta(hours=1), timedelta(minutes=30), timedelta(minutes=15))
"""The next six hours."""
VILLAGE = Product("/getVilageFcst", timedelta(hours=3), timedelta(hours=2), timedelta(minutes=10))
"""The next three days and more."""


class NewestIssue(Generic[T]):
    """The newest issue of a product for a cell. An issue does not change, so none is asked for twice."""

    def __init__(
        self,
        portal: DataGoKr,
        product: Product,
        shape: TypeAdapter[list[Row]],
        read: Callable[[list[Row]], T],
        clock: Clock,
    ) -> None:
        async def fetch(cell: Cell, base: datetime) -> T:
            asked = {
                "base_date": f"{base:%Y%m%d}",
                "base_time": f"{base:%H%M}",
                "nx": cell.nx,
                "ny": cell.ny,
            }
            return read(await portal.rows(product.path, asked, shape, per_page=ROWS_PER_PAGE))

        self._fetch = fetch
        self._product = product
        self._clock = clock
        self._kept: Recent[Cell, tuple[datetime, T]] = Recent(CELLS_KEPT)

    async def __call__(self, cell: Cell) -> T:
        """Raises a VendorError; one that is late is replaced by the one before it."""
        base = self._product.newest(self._clock())
        try:
            return await self._issue(cell, base)
        except NoData:
            return await self._issue(cell, base - self._product.every)

    async def _issue(self, cell: Cell, base: datetime) -> T:
        known = self._kept.get(cell)
        if known is None or known[0] != base:
            known = self._kept.put(cell, (base, await self._fetch(cell, base)))
        return known[1]
