"""MOIS: when and how each municipality collects household waste (15155080)."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from eco2_sandbox.server import ServerDep
from eco2_sandbox.vendors import gateway
from eco2_sandbox.vendors.behaviour import VendorBehaviour
from eco2_sandbox.vendors.conditions import BadCondition, matching
from eco2_sandbox.vendors.door import serve
from eco2_sandbox.vendors.replies import Refusal, Reply
from eco2_sandbox.vendors.tables import rows

router = APIRouter(prefix="/apis.data.go.kr/1741000/household_waste_info", tags=["mois"])

FAMILY = gateway.Family(switches=("returnType", "type"), most_rows=100)


@router.get("/info")
async def household_waste(request: Request, server: ServerDep) -> Response:
    """The zones that meet the conditions."""

    def make(behaviour: VendorBehaviour) -> Reply:
        asked = gateway.read(request, server, FAMILY)
        try:
            found = matching(rows("mois"), asked.params)
        except BadCondition:
            raise Refusal(gateway.service_error(asked, 10)) from None
        return gateway.page_of(asked, found, behaviour)

    return serve(server, "mois", make, gateway.refuse)
