"""Collection boxes with coordinates: the portal's standard data on lamps and batteries, medicine, clothes."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from math import asin, cos, radians, sin, sqrt

from eco2_bus.job import Location
from opentelemetry.trace import Tracer
from pydantic import SecretStr, TypeAdapter

from chat_worker.adapters.collection_boxes_row import Box
from chat_worker.adapters.data_go_kr import DataGoKr
from chat_worker.adapters.korean_districts import lies_in, official_names, widening
from chat_worker.adapters.vendor_http import HttpLimits
from chat_worker.errors import BadRequest, NoData
from chat_worker.ports.collection import Collected, CollectionPoint
from chat_worker.ports.places import District

BASE_URL = "https://api.data.go.kr/openapi"
LIMITS = HttpLimits(budget_s=7, reply_max_bytes=4_000_000)
PER_PAGE = 1_000
PAGES_MAX = 4
PATHS: Mapping[Collected, str] = {
    Collected.LAMPS_AND_BATTERIES: "/tn_pubr_public_waste_lamp_battery_collection_box_api",
    Collected.MEDICINE: "/tn_pubr_public_lung_medicine_api",
    Collected.CLOTHES: "/tn_pubr_public_clothing_collect_bins_api",
}
EARTH_RADIUS_M = 6_371_008.8
_BOXES = TypeAdapter(list[Box])


class CollectionBoxes:
    """The boxes that municipalities have registered. Every call raises a VendorError."""

    def __init__(
        self, key: SecretStr, tracer: Tracer, *, base_url: str = BASE_URL, limits: HttpLimits = LIMITS
    ) -> None:
        self._portal = DataGoKr(
            "collection boxes", base_url, key, tracer, switch={"type": "json"}, limits=limits
        )

    async def near(
        self, takes: Collected, district: District, location: Location | None = None, *, limit: int = 5
    ) -> list[CollectionPoint]:
        """Boxes of a district, nearest first; those without usable coordinates come last."""
        areas = widening(district)
        for filters in _filters(areas):
            try:
                boxes = await self._portal.rows(
                    PATHS[takes], filters, _BOXES, per_page=PER_PAGE, pages_max=PAGES_MAX
                )
            except NoData:
                continue
            for area in areas:
                found = [_made(takes, box) for box in boxes if _is_in(area, box)]
                if found:
                    return _sorted(found, location, district.neighbourhood)[:limit]
        raise NoData("collection boxes: none is registered in this district")

    async def close(self) -> None:
        """Closes all connections."""
        await self._portal.close()


def distance_m(a: Location, b: Location) -> float:
    """The great-circle distance in metres (haversine, mean radius of the earth)."""
    lat_a, lat_b = radians(a.latitude), radians(b.latitude)
    half = (
        sin((lat_b - lat_a) / 2) ** 2
        + cos(lat_a) * cos(lat_b) * sin(radians(b.longitude - a.longitude) / 2) ** 2
    )
    return 2 * EARTH_RADIUS_M * asin(sqrt(min(1.0, half)))


def _filters(areas: Iterable[District]) -> list[dict[str, str]]:
    """What to ask one after the other: municipalities fill the two fields in different ways."""
    areas = list(areas)
    provinces = official_names(areas[0].province)
    cities = [area.city for area in areas if area.city]
    if not provinces and not cities:
        raise BadRequest("collection boxes: a district is needed")
    return [
        *({"sggNm": city} for city in cities),
        *({"sggNm": f"{province} {city}"} for city in cities for province in provinces),
        *({"ctpvNm": province} for province in provinces),
    ]


def _is_in(area: District, box: Box) -> bool:
    return lies_in(area, [box.province, box.city, box.road, box.lot_address])


def _made(takes: Collected, box: Box) -> CollectionPoint:
    return CollectionPoint(
        takes=takes,
        name=box.name,
        address=box.road or box.lot_address,
        detail=box.detail,
        accepts=box.accepts,
        location=box.location,
        institution=box.institution,
        revised=box.revised,
    )


def _sorted(
    points: list[CollectionPoint], origin: Location | None, neighbourhood: str
) -> list[CollectionPoint]:
    measured = [
        replace(point, distance_m=round(distance_m(origin, point.location)))
        if origin and point.location
        else point
        for point in points
    ]
    return sorted(
        measured,
        key=lambda point: (
            point.location is None,
            point.distance_m or 0,
            neighbourhood not in point.address,
        ),
    )
