"""A service of Korea's public data portal."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import unquote
from zoneinfo import ZoneInfo

from opentelemetry.trace import Tracer
from pydantic import SecretStr, TypeAdapter

from chat_worker.adapters.data_go_kr_reply import DailyQuota, Page, UnregisteredKey, read_page, xml_error
from chat_worker.adapters.vendor_http import DEFAULT_LIMITS, HttpLimits, VendorHttp
from chat_worker.errors import AuthError, NoData, QuotaExceeded, SchemaDrift

KST = ZoneInfo("Asia/Seoul")
PAGES_MAX = 10

T = TypeVar("T")
Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The time, with its zone."""
    return datetime.now(UTC)


class DataGoKr:
    """One service of the portal; `switch` is its way to ask for JSON. Every call raises a VendorError."""

    def __init__(
        self,
        name: str,
        base_url: str,
        key: SecretStr,
        tracer: Tracer,
        *,
        switch: Mapping[str, str],
        limits: HttpLimits = DEFAULT_LIMITS,
        clock: Clock = utc_now,
    ) -> None:
        self._http = VendorHttp(
            name, base_url, tracer, limits=limits, refusal=lambda _, body: xml_error(self._http, body)
        )
        self._key = _decoded(key)
        self._switch = dict(switch)
        self._clock = clock
        self._closed_until = datetime.min.replace(tzinfo=UTC)

    async def rows(
        self,
        path: str,
        params: Mapping[str, str | int],
        shape: TypeAdapter[list[T]],
        *,
        per_page: int,
        pages_max: int = PAGES_MAX,
    ) -> list[T]:
        """The rows of all pages, at most `pages_max`; raises NoData when there are none."""
        found: list[dict[str, Any]] = []
        for number in range(1, pages_max + 1):
            try:
                page = await self.page(path, {**params, "pageNo": number, "numOfRows": per_page})
            except NoData:
                break
            if page.total and not page.rows and not found:
                raise SchemaDrift(f"{self._http.name}: {page.total} rows announced, none sent")
            found += page.rows
            if not page.rows or len(found) >= page.total:
                break
        if not found:
            raise NoData(f"{self._http.name}: no rows")
        return self._http.shaped(shape, found)

    async def page(self, path: str, params: Mapping[str, str | int]) -> Page:
        """One page as it is asked for; raises NoData for code 03 only, an empty page is returned."""
        if not self._key.get_secret_value():
            raise AuthError(f"{self._http.name}: no key is set")
        if self._clock() < self._closed_until:
            raise QuotaExceeded(f"{self._http.name}: the quota of the day is used up")
        try:
            return await self._get(path, params)
        except UnregisteredKey:
            return await self._get(path, params)
        except DailyQuota:
            self._closed_until = _next_midnight(self._clock())
            raise

    async def close(self) -> None:
        """Closes all connections."""
        await self._http.close()

    async def _get(self, path: str, params: Mapping[str, str | int]) -> Page:
        asked = {"serviceKey": self._key, **self._switch, **params}
        return await self._http.get(path, asked, lambda body: read_page(self._http, body))


def _decoded(key: SecretStr) -> SecretStr:
    """The portal shows each key twice; the one with percent signs would be encoded a second time."""
    text = key.get_secret_value().strip()
    return SecretStr(unquote(text) if "%" in text else text)


def _next_midnight(now: datetime) -> datetime:
    tomorrow = now.astimezone(KST) + timedelta(days=1)
    return tomorrow.replace(hour=0, minute=0, second=0, microsecond=0)
