"""Drop-off boxes and collection points."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from eco2_bus.job import Location

from chat_worker.ports.places import District


class Collected(StrEnum):
    """What a point takes."""

    ELECTRONICS = "electronics"
    LAMPS_AND_BATTERIES = "lamps_and_batteries"
    MEDICINE = "medicine"
    CLOTHES = "clothes"


@dataclass(frozen=True, slots=True)
class CollectionPoint:
    """A place that takes things; without coordinates there is no distance."""

    takes: Collected
    name: str
    address: str
    detail: str = ""
    accepts: str = ""
    location: Location | None = None
    distance_m: int | None = None
    institution: str = ""
    revised: str | None = None


class CollectionPoints(Protocol):
    """The registered points; registration is voluntary, so the list is never complete."""

    async def near(
        self, takes: Collected, district: District, location: Location | None = None, *, limit: int = 5
    ) -> list[CollectionPoint]:
        """Points of a district, nearest first where coordinates are known; raises a VendorError."""
        ...
