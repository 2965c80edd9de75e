"""E-waste collection points of the Korea Environment Corporation (15106385), without coordinates."""

import asyncio
import logging
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from opentelemetry.trace import Tracer
from pydantic import BaseModel, Field, SecretStr, TypeAdapter

from chat_worker.adapters.keco_ewaste_reply import Moved, newest_path, read_error
from chat_worker.adapters.korean_districts import lies_in, stems, widening
from chat_worker.adapters.vendor_http import HttpLimits, VendorHttp
from chat_worker.adapters.vendor_text import CleanText
from chat_worker.errors import AuthError, BadRequest, NoData, VendorError
from chat_worker.ports.collection import Collected, CollectionPoint
from chat_worker.ports.places import District

_log = logging.getLogger(__name__)

BASE_URL = "https://api.odcloud.kr"
DOCS_URL = "https://infuser.odcloud.kr"
NAMESPACE = "15106385/v1"
LIMITS = HttpLimits(budget_s=7, reply_max_bytes=4_000_000)
PER_PAGE = 1_000
PAGES_MAX = 3
PATH_TTL_S = 24 * 3600.0
_ADDRESS = "수거장소(주소)"


class _Point(BaseModel):
    address: CleanText = Field(alias=_ADDRESS)
    name: CleanText = Field(alias="상호명")
    accepts: CleanText = Field(default="", alias="수거종류")
    how: CleanText = Field(default="", alias="수거방법")
    kind: CleanText = Field(default="", alias="장소구분")
    cost: CleanText = Field(default="", alias="수거비용")


class _Page(BaseModel):
    data: list[_Point]
    matchCount: int


_PAGE = TypeAdapter(_Page)


class KecoEwaste:
    """Where small appliances and phones are taken. Every call raises a VendorError.

    The dataset's path changes with every upload; it is looked up, and again when it is gone.
    """

    def __init__(
        self,
        key: SecretStr,
        tracer: Tracer,
        *,
        base_url: str = BASE_URL,
        docs_url: str = DOCS_URL,
        limits: HttpLimits = LIMITS,
        path_ttl_s: float = PATH_TTL_S,
    ) -> None:
        text = key.get_secret_value().strip()
        # A header is not decoded by anybody: the portal's percent-encoded form of the key is unknown there.
        self._key = unquote(text) if "%" in text else text
        headers = {"Authorization": f"Infuser {self._key}"}
        self._http = VendorHttp(
            "odcloud", base_url, tracer, headers=headers, limits=limits, refusal=self._refusal
        )
        self._docs = VendorHttp("odcloud docs", docs_url, tracer, limits=limits)
        self._path: str | None = None
        self._path_until = 0.0
        self._path_ttl_s = path_ttl_s
        self._resolving = asyncio.Lock()

    async def near(self, district: District, *, limit: int = 5) -> list[CollectionPoint]:
        """Points of a district, those of its neighbourhood first."""
        if not self._key:
            raise AuthError("odcloud: no key is set")
        for area in widening(district):
            points = await self._points(_words(area))
            found = [point for point in points if lies_in(area, [point.address])]
            if found:
                found.sort(key=lambda point: district.neighbourhood not in point.address)
                return [_made(point) for point in found[:limit]]
        raise NoData("odcloud: no point in this district")

    async def close(self) -> None:
        """Closes all connections."""
        await self._http.close()
        await self._docs.close()

    async def _points(self, words: list[str]) -> list[_Point]:
        found: list[_Point] = []
        for word in words:
            asked = {"perPage": PER_PAGE, "returnType": "JSON", f"cond[{_ADDRESS}::LIKE]": word}
            seen = 0
            for number in range(1, PAGES_MAX + 1):
                page = await self._page({**asked, "page": number})
                found += page.data
                seen += len(page.data)
                if not page.data or seen >= page.matchCount:
                    break
        return found

    async def _page(self, params: Mapping[str, str | int]) -> _Page:
        path = await self._resolved(unlike=None)
        try:
            return await self._http.get(path, params, self._read)
        except Moved:
            return await self._http.get(await self._resolved(unlike=path), params, self._read)

    async def _resolved(self, *, unlike: str | None) -> str:
        """The dataset's path, looked up anew when it is old or is the one that was found gone."""
        async with self._resolving:
            is_fresh = time.monotonic() < self._path_until and self._path != unlike
            if self._path and is_fresh:
                return self._path
            try:
                listing: Any = await self._docs.get_json("/oas/docs", {"namespace": NAMESPACE})
                self._path = newest_path(listing, NAMESPACE)
            except VendorError as error:
                if self._path is None or self._path == unlike:
                    raise
                _log.warning(
                    "odcloud's listing cannot be read (%s), the old path stays", type(error).__name__
                )
            self._path_until = time.monotonic() + self._path_ttl_s
            return self._path

    def _read(self, body: bytes) -> _Page:
        # Errors come with HTTP 200 too.
        if error := read_error(self._http.name, body):
            raise error
        return self._http.shaped(_PAGE, self._http.json(body))

    def _refusal(self, status: int, body: bytes) -> VendorError | None:
        moved = Moved(f"{self._http.name}: HTTP 404") if status == 404 else None
        return read_error(self._http.name, body) or moved


def _words(area: District) -> list[str]:
    """What its addresses hold; a province only when there is no city, for it is spelled in many ways."""
    words = [area.city] if area.city else stems(area.province)
    if not words:
        raise BadRequest("odcloud: a district is needed")
    return words


def _made(point: _Point) -> CollectionPoint:
    return CollectionPoint(
        takes=Collected.ELECTRONICS,
        name=point.name,
        address=point.address,
        detail=", ".join(part for part in (point.kind, point.how, point.cost) if part),
        accepts=point.accepts,
    )
