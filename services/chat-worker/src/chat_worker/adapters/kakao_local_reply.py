"""What Kakao Local answers."""

import logging
from typing import Annotated

import orjson
from eco2_bus.job import Location
from pydantic import BaseModel, BeforeValidator, Field, TypeAdapter, ValidationError

from chat_worker.adapters.vendor_text import CleanText
from chat_worker.errors import AuthError, BadRequest, QuotaExceeded, VendorError
from chat_worker.ports.places import District, Place

_CODES: dict[int, type[VendorError]] = {-2: BadRequest, -10: QuotaExceeded, -401: AuthError}
_MAP_IS_OFF = "OPEN_MAP_AND_LOCAL"

_log = logging.getLogger(__name__)


class Spot(BaseModel):
    """Anything with coordinates; x is the longitude."""

    x: float = Field(ge=-180, le=180)
    y: float = Field(ge=-90, le=90)

    @property
    def location(self) -> Location:
        """The same as the rest of the worker knows it."""
        return Location(latitude=self.y, longitude=self.x)


class PlaceDocument(Spot):
    """A place of the map."""

    place_name: CleanText
    category_name: CleanText = ""
    phone: CleanText = ""
    address_name: CleanText = ""
    road_address_name: CleanText = ""
    place_url: CleanText = ""
    distance: Annotated[int | None, BeforeValidator(lambda text: text or None)] = None

    def place(self) -> Place:
        """The same as the rest of the worker knows it."""
        return Place(
            name=self.place_name,
            category=self.category_name,
            address=self.road_address_name or self.address_name,
            location=self.location,
            phone=self.phone or None,
            url=self.place_url if self.place_url.startswith(("http://", "https://")) else None,
            distance_m=self.distance,
        )


class RegionDocument(BaseModel):
    """A district: type B by law, type H by administration."""

    region_type: str
    region_1depth_name: CleanText
    region_2depth_name: CleanText = ""
    region_3depth_name: CleanText = ""

    def district(self) -> District:
        """The same as the rest of the worker knows it."""
        return District(self.region_1depth_name, self.region_2depth_name, self.region_3depth_name)


class _Found(BaseModel):
    documents: list[PlaceDocument]


class _Spots(BaseModel):
    documents: list[Spot]


class _Regions(BaseModel):
    documents: list[RegionDocument]


FOUND, SPOTS, REGIONS = TypeAdapter(_Found), TypeAdapter(_Spots), TypeAdapter(_Regions)


class _Refusal(BaseModel):
    """Both shapes of error that Kakao's services have."""

    code: int = 0
    message: str = ""
    msg: str = ""


def refusal(status: int, body: bytes) -> VendorError | None:
    """What Kakao itself says of an error; None when the status says enough."""
    try:
        said = _Refusal.model_validate(orjson.loads(body))
    except (orjson.JSONDecodeError, ValidationError):
        return None
    if status == 403 and _MAP_IS_OFF in said.message + said.msg:
        _log.error("Kakao refuses the key: switch on Kakao Map for this app at developers.kakao.com")
        return AuthError("kakao_local: the product Kakao Map is off for this app")
    kind = _CODES.get(said.code)
    return kind(f"kakao_local: HTTP {status}, code {said.code}") if kind else None
