"""KMA's short-range forecasts (15084084): nowcast, ultra-short and village."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter, Request
from starlette.responses import Response

from eco2_sandbox.server import Server, ServerDep
from eco2_sandbox.vendors import gateway
from eco2_sandbox.vendors.behaviour import VendorBehaviour
from eco2_sandbox.vendors.door import serve
from eco2_sandbox.vendors.kma import issues, items
from eco2_sandbox.vendors.replies import Refusal, Reply

router = APIRouter(prefix="/apis.data.go.kr/1360000/VilageFcstInfoService_2.0", tags=["kma"])

FAMILY = gateway.Family(switches=("dataType",), most_rows=1000)
_LAST_NX, _LAST_NY = 149, 253


@dataclass(frozen=True)
class _Operation:
    is_issued: Callable[[datetime, datetime], bool]
    make: Callable[[datetime, int, int], list[items.Item]]


_NOWCAST = _Operation(issues.is_nowcast, items.nowcast)
_ULTRA = _Operation(issues.is_ultra, items.ultra_forecast)
_VILLAGE = _Operation(issues.is_village, items.village_forecast)


@router.get("/getUltraSrtNcst")
async def nowcast(request: Request, server: ServerDep) -> Response:
    """What was observed at a full hour."""
    return _respond(request, server, _NOWCAST)


@router.get("/getUltraSrtFcst")
async def ultra_forecast(request: Request, server: ServerDep) -> Response:
    """The next six hours."""
    return _respond(request, server, _ULTRA)


@router.get("/getVilageFcst")
async def village_forecast(request: Request, server: ServerDep) -> Response:
    """Today and the three or four days after it."""
    return _respond(request, server, _VILLAGE)


def _respond(request: Request, server: Server, operation: _Operation) -> Response:
    def make(behaviour: VendorBehaviour) -> Reply:
        asked = gateway.read(request, server, FAMILY)
        base, nx, ny = _base(asked), _cell(asked, "nx", _LAST_NX), _cell(asked, "ny", _LAST_NY)
        if not operation.is_issued(base, server.now().astimezone(issues.KST)):
            return gateway.service_error(asked, 3)
        return gateway.page_of(asked, operation.make(base, nx, ny), behaviour)

    return serve(server, "kma", make, gateway.refuse)


def _base(asked: gateway.Asked) -> datetime:
    date, time = (_required(asked, name) for name in ("base_date", "base_time"))
    try:
        return datetime.strptime(date + time, "%Y%m%d%H%M").replace(tzinfo=issues.KST)
    except ValueError:
        raise Refusal(gateway.service_error(asked, 10)) from None


def _cell(asked: gateway.Asked, name: str, last: int) -> int:
    text = _required(asked, name)
    if not text.isdecimal() or not 1 <= int(text) <= last:
        raise Refusal(gateway.service_error(asked, 10))
    return int(text)


def _required(asked: gateway.Asked, name: str) -> str:
    text = asked.params.get(name)
    if not text:
        raise Refusal(gateway.service_error(asked, 11))
    return text
