"""How odcloud says no, and where it says its data are."""

import re
from typing import Any

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from chat_worker.errors import AuthError, BadRequest, QuotaExceeded, SchemaDrift, Transient, VendorError


class Moved(BadRequest):
    """There is nothing at this path, or no longer."""


_ERRORS: dict[int, type[VendorError]] = {
    -1: Transient,
    -2: BadRequest,
    -3: Moved,
    -4: AuthError,
    -9: Moved,
    -10: QuotaExceeded,
    -401: AuthError,
}
_DATE = re.compile(r"(?<!\d)((?:19|20)\d\d)\D?(\d\d)\D?(\d\d)(?!\d)")
_UDDI = re.compile(r"/uddi:[0-9A-Za-z_-]{8,80}")


class _Error(BaseModel):
    code: int


class _Operation(BaseModel):
    summary: str = ""


class _Listed(BaseModel):
    get: _Operation | None = None


class _Listing(BaseModel):
    basePath: str = ""
    paths: dict[str, _Listed] = Field(min_length=1)


_LISTING = TypeAdapter(_Listing)


def read_error(name: str, body: bytes) -> VendorError | None:
    """The error that a `{code, msg}` body stands for; None for a body of any other shape."""
    try:
        code = _Error.model_validate_json(body).code
    except ValidationError:
        return None
    return _ERRORS.get(code, SchemaDrift)(f"{name}: code {code}")


def newest_path(listing: Any, namespace: str) -> str:
    """The path of the newest upload in a Swagger listing: the one whose summary ends with the last date.

    Raises SchemaDrift when there is none of this dataset.
    """
    try:
        swagger = _LISTING.validate_python(listing)
    except ValidationError as error:
        raise SchemaDrift(f"odcloud docs: {error.error_count()} unexpected fields") from None
    dated: list[tuple[str, int, str]] = []
    for place, (path, listed) in enumerate(swagger.paths.items()):
        whole = swagger.basePath.rstrip("/") + path
        start = f"/api/{namespace}"
        if listed.get and whole.startswith(start) and _UDDI.fullmatch(whole.removeprefix(start)):
            dates = ["".join(date) for date in _DATE.findall(listed.get.summary)]
            dated.append((max(dates, default=""), place, whole))
    if not dated:
        raise SchemaDrift("odcloud docs: the dataset is not listed")
    return max(dated)[2]
