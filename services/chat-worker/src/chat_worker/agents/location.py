"""Places on the map: a second-hand shop, a zero-waste shop, the nearest community centre."""

from chat_worker.agents.findings import found, not_found, passage, together, told
from chat_worker.agents.where import point_of
from chat_worker.domain import Finding, Language, Passage, Turn
from chat_worker.ports import Tools
from chat_worker.ports.places import Place

_NONE: dict[Language, str] = {
    "ko": "'{query}'에 맞는 곳을 찾지 못했어요.",
    "en": "No place was found for '{query}'.",
}


async def location(turn: Turn, tools: Tools) -> Finding:
    """Places by what the question looks for, around where it is about; raises a VendorError."""
    assert tools.places is not None
    query = (turn.asked.item or turn.asked.place or turn.question)[:80]
    near = await point_of(turn, tools) if turn.asked.item else turn.location
    places = await tools.places.search(query, near)
    if not places:
        return not_found("location", told(turn, _NONE, query=query))
    return found("location", [_passage(place) for place in places])


def _passage(place: Place) -> Passage:
    distance = f"{place.distance_m:,} m" if place.distance_m is not None else ""
    text = together(place.address, place.phone or "", distance)
    return passage(place.name, text, "카카오맵", section=place.category, url=place.url)
