"""What the public-data gateways say to an address where there is no service."""

from fastapi import APIRouter
from starlette.responses import Response

from eco2_sandbox.vendors.gateway import gateway_error
from eco2_sandbox.vendors.replies import XML

router = APIRouter(tags=["data.go.kr"])


@router.get("/apis.data.go.kr/{path:path}")
@router.get("/api.data.go.kr/{path:path}")
async def no_service(path: str) -> Response:
    """Code 12, in XML."""
    return Response(str(gateway_error(12).content), media_type=XML)
