"""The envelope in which the services of Korea's public data portal answer."""

import re
from dataclasses import dataclass
from typing import Annotated, Any, TypeGuard

from pydantic import BaseModel, BeforeValidator, TypeAdapter

from chat_worker.adapters.vendor_http import VendorHttp
from chat_worker.errors import (
    AuthError,
    BadRequest,
    NoData,
    QuotaExceeded,
    SchemaDrift,
    Transient,
    VendorError,
)

_XML_MAX_BYTES = 20_000
_XML_CODE = re.compile(r"<(returnReasonCode|resultCode)>\s*([0-9]{1,4})\s*</\1>")


class UnregisteredKey(AuthError):
    """Code 30, which is known to appear for a moment and to vanish."""


class DailyQuota(QuotaExceeded):
    """Code 22: renewed at midnight in Korea."""


_ERRORS: dict[int, type[VendorError]] = {
    **dict.fromkeys((1, 2, 4, 5, 23, 99), Transient),
    3: NoData,
    **dict.fromkeys((10, 11), BadRequest),
    **dict.fromkeys((12, 20, 21, 31, 32, 33), AuthError),
    22: DailyQuota,
    30: UnregisteredKey,
}


@dataclass(frozen=True, slots=True)
class Page:
    """Rows of a reply, and how many there are on all its pages."""

    rows: list[dict[str, Any]]
    total: int


def read_page(http: VendorHttp, body: bytes) -> Page:
    """The rows of a reply; raises the error that its result code stands for, or SchemaDrift."""
    if _is_xml(body):
        raise xml_error(http, body) or SchemaDrift(f"{http.name}: XML instead of JSON")
    reply = http.shaped(_REPLY, http.json(body))
    if code := reply.header.resultCode:
        raise _error(http, code)
    if reply.body is None:
        raise SchemaDrift(f"{http.name}: a success without a body")
    rows = reply.body.items
    return Page(rows, len(rows) if reply.body.totalCount is None else reply.body.totalCount)


def xml_error(http: VendorHttp, body: bytes) -> VendorError | None:
    """The gateway's error, which is XML whatever was asked for; None for anything else."""
    code = _xml_code(body) if _is_xml(body) else None
    return _error(http, code) if code else None


def _is_object(value: Any) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict)


def _is_list(value: Any) -> TypeGuard[list[Any]]:
    return isinstance(value, list)


def _unwrapped(reply: Any) -> Any:
    return reply.get("response", reply) if _is_object(reply) else reply


def _listed(items: Any) -> Any:
    """`items` as a list: it may be a list, hold one or many as `item`, or be empty text."""
    inner = items.get("item") if _is_object(items) else items
    if not inner:
        return []
    rows = [inner] if _is_object(inner) else inner
    if not _is_list(rows):
        return rows
    return [row["item"] if _is_object(row) and row.keys() == {"item"} else row for row in rows]


class _Header(BaseModel):
    resultCode: int


class _Body(BaseModel):
    items: Annotated[list[dict[str, Any]], BeforeValidator(_listed)]
    totalCount: int | None = None


class _Reply(BaseModel):
    header: _Header
    body: Annotated[_Body | None, BeforeValidator(lambda body: body or None)] = None


_REPLY: TypeAdapter[_Reply] = TypeAdapter(Annotated[_Reply, BeforeValidator(_unwrapped)])


def _error(http: VendorHttp, code: int) -> VendorError:
    kind = _ERRORS.get(code, SchemaDrift)
    return kind(f"{http.name}: result code {code:02}")


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
