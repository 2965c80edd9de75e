"""What a municipality says about putting waste out, and what it charges for bulky things."""

from dataclasses import dataclass
from typing import Protocol

from chat_worker.ports.places import District


@dataclass(frozen=True, slots=True)
class PutOut:
    """When and how one kind of waste is put out; empty where the municipality says nothing."""

    days: str = ""
    begins: str = ""
    ends: str = ""
    how: str = ""


@dataclass(frozen=True, slots=True)
class DisposalRules:
    """The rules of one zone of a district."""

    district: District
    zone: str
    area: str
    place: str
    general: PutOut
    food: PutOut
    recycling: PutOut
    bulky: PutOut
    no_collection: str
    department: str
    phone: str
    revised: str | None


@dataclass(frozen=True, slots=True)
class BulkyFee:
    """What a municipality charges for a thing: a range, because its sizes are often not told apart.

    `sizes` are the ones that are, each with its fee ("90cm 이상 8,000원"); a fee of 0 is none.
    """

    item: str
    category: str
    lowest_won: int
    highest_won: int
    sizes: tuple[str, ...]
    district: District
    institution: str
    revised: str | None


class HouseholdWaste(Protocol):
    """The rules of the municipalities."""

    async def rules(self, district: District) -> list[DisposalRules]:
        """The rules of every zone of a district; raises NoData or another VendorError."""
        ...


class BulkyFees(Protocol):
    """The fees of the municipalities."""

    async def fees(self, district: District, item: str) -> list[BulkyFee]:
        """The fees for a thing in a district, one entry per name; raises NoData or another VendorError."""
        ...
