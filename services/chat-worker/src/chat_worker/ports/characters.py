"""The assistant's characters, one per kind of material."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Character:
    """A character, in the words of the catalogue."""

    name: str
    material: str
    personality: str
    line: str
    tip: str
    english_name: str = ""
    english_line: str = ""
    english_tip: str = ""


class Characters(Protocol):
    """The character service. Every method may raise a VendorError; NoData for an unknown name or material."""

    async def match(self, material: str) -> Character:
        """The character of a material ("플라스틱")."""
        ...

    async def named(self, name: str) -> Character:
        """A character by its name."""
        ...

    async def all(self) -> list[Character]:
        """The whole catalogue."""
        ...
