"""Kakao Local: places, addresses and districts of Korea."""

from collections.abc import Mapping
from typing import TypeVar

from eco2_bus.job import Location
from opentelemetry.trace import Tracer
from pydantic import SecretStr, TypeAdapter

from chat_worker.adapters.kakao_local_reply import FOUND, REGIONS, SPOTS, refusal
from chat_worker.adapters.vendor_http import DEFAULT_LIMITS, HttpLimits, VendorHttp
from chat_worker.adapters.vendor_recent import Recent
from chat_worker.errors import AuthError, NoData
from chat_worker.ports.places import District, Place, PlaceCategory

BASE_URL = "https://dapi.kakao.com/v2/local"
QUERY_MAX_CHARS = 100
RADIUS_MAX_M = 20_000
PLACES_MAX = 15
DISTRICTS_KEPT = 4_096
_KOREA = (33.0, 38.7), (124.5, 132.0)

T = TypeVar("T")


class KakaoLocal:
    """The Places port."""

    def __init__(
        self,
        key: SecretStr,
        tracer: Tracer,
        *,
        base_url: str = BASE_URL,
        limits: HttpLimits = DEFAULT_LIMITS,
    ) -> None:
        self._has_key = bool(key.get_secret_value().strip())
        self._http = VendorHttp(
            "kakao_local",
            base_url,
            tracer,
            headers={"Authorization": f"KakaoAK {key.get_secret_value().strip()}"},
            limits=limits,
            refusal=refusal,
        )
        self._districts: Recent[tuple[int, int], District] = Recent(DISTRICTS_KEPT)

    async def search(
        self, query: str, near: Location | None = None, *, radius_m: int = 5_000, limit: int = 5
    ) -> list[Place]:
        asked = {"query": query[:QUERY_MAX_CHARS], **_around(near, radius_m), "size": _size(limit)}
        found = await self._ask("/search/keyword.json", asked, FOUND)
        return [document.place() for document in found.documents]

    async def nearby(
        self, category: PlaceCategory, near: Location, *, radius_m: int = 5_000, limit: int = 5
    ) -> list[Place]:
        asked = {"category_group_code": category.value, **_around(near, radius_m), "size": _size(limit)}
        found = await self._ask("/search/category.json", asked, FOUND)
        return [document.place() for document in found.documents]

    async def district_at(self, location: Location) -> District:
        if not _is_in_korea(location):
            raise NoData("kakao_local: a point outside Korea")
        cell = round(location.latitude * 1_000), round(location.longitude * 1_000)
        return self._districts.get(cell) or self._districts.put(cell, await self._district(location))

    async def locate(self, name: str) -> Location:
        asked = {"query": name[:QUERY_MAX_CHARS], "size": 1}
        for path in ("/search/address.json", "/search/keyword.json"):
            if spots := (await self._ask(path, asked, SPOTS)).documents:
                return spots[0].location
        raise NoData("kakao_local: no such place")

    async def close(self) -> None:
        """Closes all connections."""
        await self._http.close()

    async def _district(self, location: Location) -> District:
        regions = await self._ask("/geo/coord2regioncode.json", _point(location), REGIONS)
        if not regions.documents:
            raise NoData("kakao_local: no district there")
        # Municipalities organise collection by administrative neighbourhoods (H), not by legal ones (B).
        return min(regions.documents, key=lambda region: region.region_type != "H").district()

    async def _ask(self, path: str, params: Mapping[str, str | int], shape: TypeAdapter[T]) -> T:
        if not self._has_key:
            raise AuthError("kakao_local: no key is set")
        return self._http.shaped(shape, await self._http.get_json(path, params))


def _point(location: Location) -> dict[str, str]:
    """Kakao's x is the longitude."""
    return {"x": f"{location.longitude:.6f}", "y": f"{location.latitude:.6f}"}


def _around(near: Location | None, radius_m: int) -> dict[str, str | int]:
    if near is None:
        return {}
    return {**_point(near), "radius": max(0, min(radius_m, RADIUS_MAX_M)), "sort": "distance"}


def _size(limit: int) -> int:
    return max(1, min(limit, PLACES_MAX))


def _is_in_korea(location: Location) -> bool:
    (south, north), (west, east) = _KOREA
    return south <= location.latitude <= north and west <= location.longitude <= east
