"""A vendor's HTTP reply: its body within a limit, and the error that its status stands for."""

import zlib

import httpx

from chat_worker.errors import AuthError, BadRequest, QuotaExceeded, SchemaDrift, Transient, VendorError

_MAY_PASS = frozenset({408, 425})
_GZIP_OR_ZLIB = zlib.MAX_WBITS | 32


async def body_of(name: str, response: httpx.Response, max_bytes: int) -> bytes:
    """The unpacked body; raises SchemaDrift as soon as it is too long."""
    room = max_bytes
    parts: list[bytes] = []
    async for part in response.aiter_raw():
        if (room := room - len(part)) < 0:
            raise SchemaDrift(f"{name}: the reply is too long")
        parts.append(part)
    body = b"".join(parts)
    return _unpacked(name, body, max_bytes) if "content-encoding" in response.headers else body


def error_of(status: int) -> type[VendorError]:
    """What a status that is not 200 means, where the vendor says nothing more exact."""
    match status:
        case 401 | 403:
            return AuthError
        case 429:
            return QuotaExceeded
        case _ if status >= 500 or status in _MAY_PASS:
            return Transient
        case _ if status >= 400:
            return BadRequest
        case _:
            return SchemaDrift


def _unpacked(name: str, body: bytes, max_bytes: int) -> bytes:
    """By hand, since httpx would unpack any amount."""
    packed = zlib.decompressobj(_GZIP_OR_ZLIB)
    try:
        plain = packed.decompress(body, max_bytes)
    except zlib.error:
        raise SchemaDrift(f"{name}: the reply cannot be unpacked") from None
    if packed.unconsumed_tail:
        raise SchemaDrift(f"{name}: the reply is too long")
    return plain
