"""Where a question is about: the point or district that it names, or else where the user is."""

import re

from eco2_bus.job import Location

from chat_worker.domain import Turn
from chat_worker.errors import NoData
from chat_worker.ports import Tools
from chat_worker.ports.places import District

_DISTRICT = re.compile(r"(?:(\S+?(?:시|도))\s+)?(\S+?(?:시|군|구)(?:\s+\S+구)?)")


def named_place(turn: Turn) -> str:
    """The place that the question names, empty for none."""
    return " ".join(part for part in (turn.asked.district, turn.asked.place) if part)


async def point_of(turn: Turn, tools: Tools) -> Location | None:
    """The point; None when nothing says where. May raise a VendorError."""
    name = named_place(turn)
    if name and tools.places is not None:
        try:
            return await tools.places.locate(name)
        except NoData:
            return turn.location
    return turn.location


async def district_of(turn: Turn, tools: Tools) -> District | None:
    """The district; None when nothing says where. May raise a VendorError."""
    if tools.places is not None:
        point = await point_of(turn, tools)
        if point is not None:
            return await tools.places.district_at(point)
    return _district_in(turn.asked.district or turn.asked.place or "")


def _district_in(text: str) -> District | None:
    """Without a map, a district must be written out ("서울시 강남구")."""
    match = _DISTRICT.fullmatch(text.strip())
    return District(province=match[1] or "", city=match[2]) if match else None
