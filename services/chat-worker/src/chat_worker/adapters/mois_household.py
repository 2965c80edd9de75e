"""The ministry's data on how household waste is put out (행정안전부, data.go.kr 15155080)."""

import re
from collections.abc import Iterable

from opentelemetry.trace import Tracer
from pydantic import SecretStr

from chat_worker.adapters.data_go_kr import DataGoKr
from chat_worker.adapters.korean_districts import official_names, stems, widening
from chat_worker.adapters.mois_household_reply import HOUSEHOLD_ROWS, HouseholdRow, in_part
from chat_worker.adapters.vendor_http import DEFAULT_LIMITS, HttpLimits
from chat_worker.adapters.vendor_recent import Recent
from chat_worker.errors import NoData
from chat_worker.ports.disposal import DisposalRules
from chat_worker.ports.places import District

BASE_URL = "https://apis.data.go.kr/1741000/household_waste_info"
ROWS_PER_PAGE = 100
"""The server sends no more, whatever is asked."""
PAGES_MAX = 5
DISTRICTS_KEPT, KEEP_S = 200, 6 * 3600.0
"""The data change once a day."""
_ONE_CITY_PROVINCE = "세종특별자치시"


class MoisHousehold:
    """The HouseholdWaste port."""

    def __init__(
        self,
        key: SecretStr,
        tracer: Tracer,
        *,
        base_url: str = BASE_URL,
        limits: HttpLimits = DEFAULT_LIMITS,
    ) -> None:
        self._portal = DataGoKr(
            "mois_household", base_url, key, tracer, switch={"returnType": "json"}, limits=limits
        )
        self._recent: Recent[str, list[HouseholdRow]] = Recent(DISTRICTS_KEPT, KEEP_S)

    async def rules(self, district: District) -> list[DisposalRules]:
        areas = widening(district)
        for area in areas:
            rows = [row for row in await self._rows_about(area) if _is_of(area, row)]
            if rows:
                return _nearest_first(in_part(rows, _part(district, area)), district.neighbourhood)
        raise NoData("mois_household: nothing about this district")

    async def close(self) -> None:
        """Closes all connections."""
        await self._portal.close()

    async def _rows_about(self, area: District) -> list[HouseholdRow]:
        """Rows whose municipality is spelled like the area's; empty when there are none."""
        field, text = _filter(area)
        if (known := self._recent.get(text)) is not None:
            return known
        asked = {f"cond[{field}::LIKE]": text}
        try:
            rows = await self._portal.rows(
                "/info", asked, HOUSEHOLD_ROWS, per_page=ROWS_PER_PAGE, pages_max=PAGES_MAX
            )
        except NoData:
            rows = []
        return self._recent.put(text, rows)


def _filter(area: District) -> tuple[str, str]:
    if area.city:
        return "SGG_NM", area.city
    if _ONE_CITY_PROVINCE in official_names(area.province):
        return "CTPV_NM", stems(_ONE_CITY_PROVINCE)[0]
    raise NoData("mois_household: a province alone is no district")


def _is_of(area: District, row: HouseholdRow) -> bool:
    """LIKE also finds 강남구 for 남구, and 중구 in six cities."""
    wanted, named = official_names(area.province), official_names(row.CTPV_NM)
    if wanted and named and wanted != named:
        return False
    return not area.city or _without_province(row.SGG_NM) in _spellings(area.city)


def _spellings(city: str) -> set[str]:
    """People also say 강남 for 강남구."""
    return {city, f"{city}시", f"{city}군", f"{city}구"}


def _without_province(city: str) -> str:
    words = city.split()
    return " ".join(words[1:] if len(words) > 1 and official_names(words[0]) else words)


def _part(district: District, area: District) -> str:
    """What was cut off to find the area: 장안구 of 수원시 장안구."""
    return district.city.strip().removeprefix(area.city).strip()


def _nearest_first(rows: Iterable[HouseholdRow], neighbourhood: str) -> list[DisposalRules]:
    """The zones that name the neighbourhood come first; 역삼1동 is also meant by 역삼동."""
    names = {neighbourhood, re.sub(r"제?\d+동$", "동", neighbourhood)} - {""}
    ordered = sorted(rows, key=lambda row: not any(name in row.zone_text for name in names))
    return list(dict.fromkeys(row.rules() for row in ordered))
