"""A part of the page on the wire: packed, and not at all to a browser that has it."""

import gzip
import hashlib
from collections.abc import Mapping
from functools import lru_cache

from fastapi import Request, Response


def sent(request: Request, content: bytes, media_type: str, headers: Mapping[str, str]) -> Response:
    """The answer with this content: 304 where `If-None-Match` names it, packed where gzip is understood."""
    packed, etag = _packed(content)
    headers = {**headers, "ETag": etag, "Vary": "Accept-Encoding"}
    if etag in request.headers.get("If-None-Match", ""):
        return Response(status_code=304, headers=headers)
    if "gzip" in request.headers.get("Accept-Encoding", ""):
        headers["Content-Encoding"] = "gzip"
        content = packed
    return Response(content, media_type=media_type, headers=headers)


@lru_cache(maxsize=64)
def _packed(content: bytes) -> tuple[bytes, str]:
    """The content packed, and its tag: a weak one, because the packed bytes are others."""
    return gzip.compress(content, mtime=0), f'W/"{hashlib.sha256(content).hexdigest()[:32]}"'
