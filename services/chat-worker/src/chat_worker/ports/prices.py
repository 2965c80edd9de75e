"""What recyclers pay for sorted material."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class RecyclablePrice:
    """A month's survey price; `is_snapshot` when it comes from the file that ships with the product."""

    item: str
    region: str
    won_per_kg: float
    month: str
    is_snapshot: bool = False


class RecyclablePrices(Protocol):
    """The monthly survey."""

    async def prices(self, item: str, region: str = "전국") -> list[RecyclablePrice]:
        """The newest prices of everything whose name fits; raises NoData or another VendorError."""
        ...
