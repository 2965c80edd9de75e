"""Collection boxes with coordinates: the portal's standard data on lamps and batteries, medicine, clothes."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from math import asin, cos, radians, sin, sqrt
from typing import Annotated, Any

from eco2_bus.job import Location
from opentelemetry.trace import Tracer
from pydantic import AliasChoices, BaseModel, BeforeValidator, Field, SecretStr, TypeAdapter

from chat_worker.adapters.data_go_kr import DataGoKr
from chat_worker.adapters.korean_districts import lies_in, official_names, widening
from chat_worker.adapters.vendor_http import HttpLimits
from chat_worker.adapters.vendor_text import CleanText
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
_LATITUDES, _LONGITUDES = (33.0, 39.0), (124.0, 132.0)


def _degrees(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _iso(value: Any) -> str | None:
    found = re.fullmatch(r"(\d{4})\D?(\d{2})\D?(\d{2})", str(value).strip())
    return "-".join(found.groups()) if found else None


_Degrees = Annotated[float | None, BeforeValidator(_degrees)]


class _Box(BaseModel):
    """A row of any of the three; `lot` is the vendor's word for longitude."""

    name: CleanText = Field(alias="instlPlcNm")
    province: CleanText = Field(default="", alias="ctpvNm")
    city: CleanText = Field(default="", alias="sggNm")
    road: CleanText = Field(default="", validation_alias=AliasChoices("lctnRoadNmAddr", "lctnRoadNm"))
    lot_address: CleanText = Field(default="", alias="lctnLotnoAddr")
    detail: CleanText = Field(default="", validation_alias=AliasChoices("dtlPstnCn", "actlPstn", "dtlPstn"))
    accepts: CleanText = Field(default="", alias="cltItemNm")
    institution: CleanText = Field(default="", alias="mngInstNm")
    latitude: _Degrees = Field(alias="lat")
    longitude: _Degrees = Field(alias="lot")
    revised: Annotated[str | None, BeforeValidator(_iso)] = Field(
        default=None, validation_alias=AliasChoices("dataCrtrYmd", "crtrYmd")
    )

    @property
    def location(self) -> Location | None:
        """Where it is; None for what cannot be in Korea, as zeros and swapped figures cannot."""
        if self.latitude is None or self.longitude is None:
            return None
        is_in_korea = (
            _LATITUDES[0] <= self.latitude <= _LATITUDES[1]
            and _LONGITUDES[0] <= self.longitude <= _LONGITUDES[1]
        )
        return Location(latitude=self.latitude, longitude=self.longitude) if is_in_korea else None


_BOXES = TypeAdapter(list[_Box])


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


def _is_in(area: District, box: _Box) -> bool:
    return lies_in(area, [box.province, box.city, box.road, box.lot_address])


def _made(takes: Collected, box: _Box) -> CollectionPoint:
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
