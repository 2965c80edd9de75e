"""A row of the portal's standard data on collection boxes."""

import re
from typing import Annotated, Any

from eco2_bus.job import Location
from pydantic import AliasChoices, BaseModel, BeforeValidator, Field

from chat_worker.adapters.vendor_text import CleanText

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


class Box(BaseModel):
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
