"""api.data.go.kr's standard data: bulky-waste fees, and boxes and centres with coordinates.

Filters compare whole values. The real lamp and battery set has no rows of Seoul; the sample has some.
"""

from fastapi import APIRouter, Request
from starlette.responses import Response

from eco2_sandbox.server import Server, ServerDep
from eco2_sandbox.vendors import gateway
from eco2_sandbox.vendors.behaviour import Vendor, VendorBehaviour
from eco2_sandbox.vendors.conditions import equal
from eco2_sandbox.vendors.door import serve
from eco2_sandbox.vendors.replies import Reply
from eco2_sandbox.vendors.tables import rows

router = APIRouter(prefix="/api.data.go.kr/openapi", tags=["standard data"])

FAMILY = gateway.Family(
    switches=("type",), most_rows=1000, shape="list", counts_as_text=True, empty_is_no_data=True
)


@router.get("/tn_pubr_public_lar_was_fee_api")
async def fees(request: Request, server: ServerDep) -> Response:
    """Fees for bulky waste (15114146)."""
    return _respond(request, server, "fees", "fees")


@router.get("/tn_pubr_public_waste_lamp_battery_collection_box_api")
async def lamp_and_battery_boxes(request: Request, server: ServerDep) -> Response:
    """Boxes for lamps and batteries (15155673)."""
    return _respond(request, server, "boxes", "boxes_lamp_battery")


@router.get("/tn_pubr_public_lung_medicine_api")
async def medicine_boxes(request: Request, server: ServerDep) -> Response:
    """Boxes for medicine (15129445)."""
    return _respond(request, server, "boxes", "boxes_medicine")


@router.get("/tn_pubr_public_clothing_collect_bins_api")
async def clothing_bins(request: Request, server: ServerDep) -> Response:
    """Bins for clothes (15139214)."""
    return _respond(request, server, "boxes", "boxes_clothes")


@router.get("/tn_pubr_public_ruse_cnter_api")
async def reuse_centres(request: Request, server: ServerDep) -> Response:
    """Centres that take and sell used things."""
    return _respond(request, server, "boxes", "reuse_centres")


def _respond(request: Request, server: Server, vendor: Vendor, table: str) -> Response:
    def make(behaviour: VendorBehaviour) -> Reply:
        asked = gateway.read(request, server, FAMILY)
        all_rows = rows(table)
        wanted = asked.filters(*all_rows[0])
        return gateway.page_of(asked, equal(all_rows, wanted), behaviour)

    return serve(server, vendor, make, gateway.refuse)
