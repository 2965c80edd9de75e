"""KECO's monthly survey of what recyclers pay (15156640); sample figures, moved a little each month."""

import re
import zlib
from datetime import datetime

from fastapi import APIRouter, Request
from starlette.responses import Response

from eco2_sandbox.server import ServerDep
from eco2_sandbox.vendors import gateway
from eco2_sandbox.vendors.behaviour import VendorBehaviour
from eco2_sandbox.vendors.conditions import equal
from eco2_sandbox.vendors.door import serve
from eco2_sandbox.vendors.kma.issues import KST
from eco2_sandbox.vendors.replies import Refusal, Reply
from eco2_sandbox.vendors.tables import Row, rows

router = APIRouter(prefix="/apis.data.go.kr/B552584/reutilMrktPrcExmn", tags=["prices"])

FAMILY = gateway.Family(switches=("returnType",), most_rows=100, shape="list")
FIRST_MONTH = "202001"
PUBLISHED_FROM_DAY = 10
_MONTH = re.compile(r"20\d\d(?:0[1-9]|1[0-2])")
_MOST_CHANGE_PCT = 6


@router.get("/getlist")
async def prices(request: Request, server: ServerDep) -> Response:
    """The survey of one month; nothing before it is published."""

    def make(behaviour: VendorBehaviour) -> Reply:
        asked = gateway.read(request, server, FAMILY)
        month = asked.params.get("exmnYmd", "")
        if month and not _MONTH.fullmatch(month):
            raise Refusal(gateway.service_error(asked, 10))
        newest = _newest_month(server.now().astimezone(KST))
        month = month or newest
        found = survey(month) if FIRST_MONTH <= month <= newest else []
        return gateway.page_of(asked, equal(found, asked.filters("stdgNm")), behaviour)

    return serve(server, "prices", make, gateway.refuse)


def survey(month: str) -> list[Row]:
    """Return the rows of a month, "YYYYMM"."""
    return [
        _row(month, item["itemNm"], region, price)
        for item in rows("prices")
        for region, price in _by_region(item)
    ]


def _by_region(item: Row) -> list[tuple[str, float]]:
    return [(region, float(price)) for region, price in item.items() if region != "itemNm"]


def _row(month: str, item: str, region: str, price: float) -> Row:
    change_pct = zlib.crc32(f"{month}{item}".encode()) % (2 * _MOST_CHANGE_PCT + 1) - _MOST_CHANGE_PCT
    return {
        "exmnYmd": month,
        "stdgNm": region,
        "itemNm": item,
        # The vendor writes thousands with a comma.
        "mrktPrc": f"{round(price * (1 + change_pct / 100), 1):,}",
    }


def _newest_month(now: datetime) -> str:
    if now.day >= PUBLISHED_FROM_DAY:
        return f"{now:%Y%m}"
    year, month = (now.year, now.month - 1) if now.month > 1 else (now.year - 1, 12)
    return f"{year}{month:02}"
