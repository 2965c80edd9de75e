"""Where things are."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from eco2_bus.job import Location


class PlaceCategory(StrEnum):
    """Kinds of places that take things back or sell what disposal needs, by Kakao's codes."""

    MART = "MT1"
    CONVENIENCE_STORE = "CS2"
    PUBLIC_OFFICE = "PO3"
    PHARMACY = "PM9"


@dataclass(frozen=True, slots=True)
class Place:
    """A place of the map; `distance_m` is from the point that was searched around."""

    name: str
    category: str
    address: str
    location: Location
    phone: str | None = None
    url: str | None = None
    distance_m: int | None = None


@dataclass(frozen=True, slots=True)
class District:
    """An administrative district by its Korean names; `city` may have two parts ("수원시 장안구")."""

    province: str
    city: str
    neighbourhood: str = ""

    @property
    def name(self) -> str:
        """As people write it."""
        return f"{self.province} {self.city}".strip()


class Places(Protocol):
    """A map. Every method may raise a VendorError."""

    async def search(
        self, query: str, near: Location | None = None, *, radius_m: int = 5_000, limit: int = 5
    ) -> list[Place]:
        """Places by keyword, the nearest first when `near` is given."""
        ...

    async def nearby(
        self, category: PlaceCategory, near: Location, *, radius_m: int = 5_000, limit: int = 5
    ) -> list[Place]:
        """Places of a category, the nearest first."""
        ...

    async def district_at(self, location: Location) -> District:
        """The district of a point; raises NoData outside the country."""
        ...

    async def locate(self, name: str) -> Location:
        """The point of an address, a district or a place; raises NoData for none."""
        ...
