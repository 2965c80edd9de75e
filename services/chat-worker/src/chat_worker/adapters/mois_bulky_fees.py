"""The municipalities' fees for bulky waste (전국대형폐기물수거수수료정보표준데이터, data.go.kr 15114146)."""

from opentelemetry.trace import Tracer
from pydantic import SecretStr

from chat_worker.adapters.data_go_kr import DataGoKr
from chat_worker.adapters.korean_districts import lies_in, official_names, widening
from chat_worker.adapters.mois_bulky_fees_items import FEE_ROWS, FeeRow, fees_of
from chat_worker.adapters.vendor_http import DEFAULT_LIMITS, HttpLimits
from chat_worker.adapters.vendor_recent import Recent
from chat_worker.errors import NoData
from chat_worker.ports.disposal import BulkyFee
from chat_worker.ports.places import District

BASE_URL = "https://api.data.go.kr/openapi"
PATH = "/tn_pubr_public_lar_was_fee_api"
ROWS_PER_PAGE, PAGES_MAX = 1_000, 3
FEES_MAX = 10
DISTRICTS_KEPT, KEEP_S = 100, 6 * 3600.0
_ONE_CITY_PROVINCE = "세종특별자치시"


class MoisBulkyFees:
    """The BulkyFees port. Many municipalities publish no fees, which is NoData."""

    def __init__(
        self,
        key: SecretStr,
        tracer: Tracer,
        *,
        base_url: str = BASE_URL,
        limits: HttpLimits = DEFAULT_LIMITS,
    ) -> None:
        self._portal = DataGoKr(
            "mois_bulky_fees", base_url, key, tracer, switch={"type": "json"}, limits=limits
        )
        self._recent: Recent[tuple[str, str], list[FeeRow]] = Recent(DISTRICTS_KEPT, KEEP_S)

    async def fees(self, district: District, item: str) -> list[BulkyFee]:
        for area in widening(district):
            for field, text in _filters(area):
                rows = [row for row in await self._rows(field, text) if _is_of(area, row)]
                if rows:
                    return _found(rows, item)
        raise NoData("mois_bulky_fees: no fees of this district")

    async def close(self) -> None:
        """Closes all connections."""
        await self._portal.close()

    async def _rows(self, field: str, text: str) -> list[FeeRow]:
        """All fees of a municipality: things are matched here, more loosely than a filter can."""
        if (known := self._recent.get((field, text))) is not None:
            return known
        try:
            rows = await self._portal.rows(
                PATH, {field: text}, FEE_ROWS, per_page=ROWS_PER_PAGE, pages_max=PAGES_MAX
            )
        except NoData:
            rows = []
        return self._recent.put((field, text), rows)


def _found(rows: list[FeeRow], item: str) -> list[BulkyFee]:
    if fees := fees_of(rows, item):
        return fees[:FEES_MAX]
    raise NoData("mois_bulky_fees: no fee for this thing in this district")


def _filters(area: District) -> list[tuple[str, str]]:
    """What to ask one after the other: some rows hold the province in the field of the city."""
    provinces = official_names(area.province)
    if area.city:
        return [("sggNm", area.city), *(("sggNm", f"{province} {area.city}") for province in provinces)]
    if _ONE_CITY_PROVINCE in provinces:
        return [("ctpvNm", _ONE_CITY_PROVINCE)]
    raise NoData("mois_bulky_fees: a province alone is no district")


def _is_of(area: District, row: FeeRow) -> bool:
    return lies_in(area, [row.ctpvNm, row.sggNm])
