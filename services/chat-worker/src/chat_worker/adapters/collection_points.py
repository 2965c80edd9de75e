"""Collection points of every kind, from the two vendors that know them."""

import asyncio

from eco2_bus.job import Location
from opentelemetry.trace import Tracer
from pydantic import SecretStr

from chat_worker.adapters.collection_boxes import CollectionBoxes
from chat_worker.adapters.keco_ewaste import KecoEwaste
from chat_worker.errors import Transient
from chat_worker.ports.collection import Collected, CollectionPoint
from chat_worker.ports.places import District

BUDGET_S = 12.0
LIMIT_MAX = 20


class RegisteredPoints:
    """The CollectionPoints port; a district may take several calls, which share one budget."""

    def __init__(self, ewaste: KecoEwaste, boxes: CollectionBoxes, *, budget_s: float = BUDGET_S) -> None:
        self._ewaste = ewaste
        self._boxes = boxes
        self._budget_s = budget_s

    async def near(
        self, takes: Collected, district: District, location: Location | None = None, *, limit: int = 5
    ) -> list[CollectionPoint]:
        limit = max(1, min(limit, LIMIT_MAX))
        try:
            async with asyncio.timeout(self._budget_s):
                if takes is Collected.ELECTRONICS:
                    return await self._ewaste.near(district, limit=limit)
                return await self._boxes.near(takes, district, location, limit=limit)
        except TimeoutError:
            raise Transient(f"collection points: no answer within {self._budget_s:g} s") from None

    async def close(self) -> None:
        """Closes both."""
        await self._ewaste.close()
        await self._boxes.close()


def open_collection_points(key: SecretStr, tracer: Tracer) -> RegisteredPoints:
    """Both vendors, which share the public data portal's key."""
    return RegisteredPoints(KecoEwaste(key, tracer), CollectionBoxes(key, tracer))
