"""The envelope that the services of Korea's public data portal share."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, TypeGuard, TypeVar
from urllib.parse import unquote
from zoneinfo import ZoneInfo

from opentelemetry.trace import Tracer
from pydantic import BaseModel, BeforeValidator, SecretStr, TypeAdapter

from chat_worker.adapters.vendor_http import HttpLimits, VendorHttp
from chat_worker.errors import (
    AuthError,
    BadRequest,
    NoData,
    QuotaExceeded,
    SchemaDrift,
    Transient,
    VendorError,
)

KST = ZoneInfo("Asia/Seoul")
PAGES_MAX = 10
_XML_MAX_BYTES = 20_000
_XML_CODE = re.compile(r"<(returnReasonCode|resultCode)>\s*([0-9]{1,4})\s*</\1>")
_EMPTY_WORDS = frozenset({"", "-", "null", "없음", "해당없음", "해당 없음"})


class _UnregisteredKey(AuthError):
    """Code 30, which is known to appear for a moment and to vanish."""


class _DailyQuota(QuotaExceeded):
    """Code 22: renewed at midnight in Korea."""


_ERRORS: dict[int, type[VendorError]] = {
    **dict.fromkeys((1, 2, 4, 5, 23, 99), Transient),
    3: NoData,
    **dict.fromkeys((10, 11), BadRequest),
    **dict.fromkeys((12, 20, 21, 31, 32, 33), AuthError),
    22: _DailyQuota,
    30: _UnregisteredKey,
}


def _clean(value: object) -> str:
    text = "" if value is None else re.sub(r"\s+", " ", str(value)).strip()
    return "" if text in _EMPTY_WORDS else text


CleanText = Annotated[str, BeforeValidator(_clean)]
"""Text in which the words that stand for nothing ("null", "없음") are empty."""


def _is_object(value: Any) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict)


def _is_list(value: Any) -> TypeGuard[list[Any]]:
    return isinstance(value, list)


def _listed(items: Any) -> Any:
    """`items` as a list: it may be a list, hold one or many as `item`, or be empty text."""
    inner = items.get("item") if _is_object(items) else items
    if not inner:
        return []
    rows = [inner] if _is_object(inner) else inner
    if not _is_list(rows):
        return rows
    return [row["item"] if _is_object(row) and row.keys() == {"item"} else row for row in rows]


def _unwrapped(reply: Any) -> Any:
    return reply.get("response", reply) if _is_object(reply) else reply


class _Header(BaseModel):
    resultCode: int
    resultMsg: CleanText = ""


class _Body(BaseModel):
    items: Annotated[list[dict[str, Any]], BeforeValidator(_listed)] = []
    totalCount: int | None = None


class _Reply(BaseModel):
    header: _Header
    body: Annotated[_Body, BeforeValidator(lambda body: body or {})] = _Body()


_REPLY: TypeAdapter[_Reply] = TypeAdapter(Annotated[_Reply, BeforeValidator(_unwrapped)])

T = TypeVar("T")
Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Page:
    """Rows of a reply, and how many there are on all its pages."""

    rows: list[dict[str, Any]]
    total: int


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
        limits: HttpLimits = HttpLimits(),  # noqa: B008
        clock: Clock = utc_now,
    ) -> None:
        self._http = VendorHttp(name, base_url, tracer, limits=limits, refusal=self._refusal)
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
        """The rows of all pages; raises NoData when there are none."""
        found: list[dict[str, Any]] = []
        for number in range(1, pages_max + 1):
            try:
                page = await self.page(path, {**params, "pageNo": number, "numOfRows": per_page})
            except NoData:
                break
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
        except _UnregisteredKey:
            return await self._get(path, params)
        except _DailyQuota:
            self._closed_until = _next_midnight(self._clock())
            raise

    async def close(self) -> None:
        """Closes all connections."""
        await self._http.close()

    async def _get(self, path: str, params: Mapping[str, str | int]) -> Page:
        return await self._http.get(path, {"serviceKey": self._key, **self._switch, **params}, self._read)

    def _read(self, body: bytes) -> Page:
        if _is_xml(body):
            raise self._xml_error(body) or SchemaDrift(f"{self._http.name}: XML instead of JSON")
        reply = self._http.shaped(_REPLY, self._http.json(body))
        if code := reply.header.resultCode:
            raise self._error(code)
        rows = reply.body.items
        return Page(rows, len(rows) if reply.body.totalCount is None else reply.body.totalCount)

    def _refusal(self, _status: int, body: bytes) -> VendorError | None:
        return self._xml_error(body) if _is_xml(body) else None

    def _xml_error(self, body: bytes) -> VendorError | None:
        code = _xml_code(body)
        return None if code is None else self._error(code)

    def _error(self, code: int) -> VendorError:
        kind = _ERRORS.get(code, SchemaDrift)
        return kind(f"{self._http.name}: result code {code:02}")


def _decoded(key: SecretStr) -> SecretStr:
    """The portal shows each key twice; the one with percent signs would be encoded a second time."""
    text = key.get_secret_value().strip()
    return SecretStr(unquote(text) if "%" in text else text)


def _next_midnight(now: datetime) -> datetime:
    tomorrow = now.astimezone(KST) + timedelta(days=1)
    return tomorrow.replace(hour=0, minute=0, second=0, microsecond=0)


def _is_xml(body: bytes) -> bool:
    return body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")


def _xml_code(body: bytes) -> int | None:
    """The result code of an error in XML; None for any other, and for one that declares entities."""
    text = body[:_XML_MAX_BYTES].decode(errors="replace")
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        return None
    # One number is wanted: without a parser there is nothing that a hostile document could expand.
    found = _XML_CODE.search(text)
    return int(found[2]) or None if found else None
