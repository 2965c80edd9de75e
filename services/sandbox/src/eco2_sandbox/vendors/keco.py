"""KECO's collection points for electronics (15106385) on odcloud, whose path only its Swagger tells."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from eco2_sandbox.server import Server, ServerDep
from eco2_sandbox.vendors.behaviour import VendorBehaviour, VendorFail
from eco2_sandbox.vendors.conditions import BadCondition, matching
from eco2_sandbox.vendors.door import serve
from eco2_sandbox.vendors.replies import Refusal, Reply
from eco2_sandbox.vendors.tables import Row, rows

router = APIRouter(tags=["keco"])

NAMESPACE = "15106385/v1"
TITLE = "한국환경공단_폐전자제품 수거함 위치정보"
# Each upload of the file gets a path of its own; the older stay.
OLDER = ("uddi:00000000-5eed-4000-8000-000000000001", "20230131")
CURRENT = ("uddi:4977d714-dca6-4bda-a10f-9bed30e2ce9c", "20250131")
MOVED = ("uddi:00000000-5eed-4000-8000-000000000003", "20260131")
MOST_PER_PAGE = 1000
_OLDER_SHARE = 0.5

_WORDS = {
    -1: "시스템 내부 오류가 발생하였습니다.",
    -2: "파라미터 값이 올바르지 않습니다.",
    -3: "등록되지 않은 서비스 입니다.",
    -4: "등록되지 않은 인증키 입니다.",
    -9: "종료된 서비스 입니다.",
    -10: "트래픽을 초과하였습니다.",
    -401: "유효하지 않은 인증키 입니다.",
}


@router.get("/infuser.odcloud.kr/oas/docs")
async def swagger(request: Request, server: ServerDep) -> Response:
    """The paths of a data set as a Swagger document; no key is needed."""

    def make(behaviour: VendorBehaviour) -> Reply:
        if request.query_params.get("namespace") != NAMESPACE:
            raise Refusal(Reply({"code": -3, "msg": _WORDS[-3]}, 404))
        return Reply(_document(_uploads(behaviour)))

    return serve(server, "keco", make, refuse)


@router.get(f"/api.odcloud.kr/api/{NAMESPACE}/{{uddi}}")
async def points(uddi: str, request: Request, server: ServerDep) -> Response:
    """A page of an upload's rows."""

    def make(behaviour: VendorBehaviour) -> Reply:
        _check_key(request, server)
        table = _uploads(behaviour).get(uddi)
        if table is None:
            raise Refusal(_error(-3, 404))
        return _page(request, [] if behaviour.no_data else table)

    return serve(server, "keco", make, refuse)


def refuse(fail: VendorFail) -> Reply:
    """Return an asked-for failure in odcloud's shape; without a status the code's own."""
    code = int(fail.code) if fail.code is not None else {401: -401, 429: -10}.get(fail.status or 0, -1)
    return _error(code, fail.status or (401 if code == -401 else 400))


def _error(code: int, status: int) -> Reply:
    return Reply({"code": code, "msg": _WORDS.get(code, _WORDS[-1])}, status)


def _check_key(request: Request, server: Server) -> None:
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    key = request.query_params.get("serviceKey") or (key.strip() if scheme == "Infuser" else "")
    if not key:
        raise Refusal(_error(-401, 401))
    if key == server.settings.wrong_key or "%" in key:
        raise Refusal(_error(-4, 400))


def _uploads(behaviour: VendorBehaviour) -> dict[str, list[Row]]:
    newest = list(rows("keco"))
    older = newest[: int(len(newest) * _OLDER_SHARE)]
    return {OLDER[0]: older, (MOVED if behaviour.moved else CURRENT)[0]: newest}


def _page(request: Request, table: list[Row]) -> Reply:
    params = dict(request.query_params)
    try:
        page, per_page = int(params.get("page") or 1), int(params.get("perPage") or 10)
        found = matching(table, params)
    except (BadCondition, ValueError):
        raise Refusal(_error(-2, 400)) from None
    if page < 1 or not 1 <= per_page <= MOST_PER_PAGE:
        raise Refusal(_error(-2, 400))
    shown = found[(page - 1) * per_page : page * per_page]
    return Reply(
        {
            "currentCount": len(shown),
            "data": [{**row, "순번": int(row["순번"])} for row in shown],
            "matchCount": len(found),
            "page": page,
            "perPage": per_page,
            "totalCount": len(table),
        }
    )


def _document(uploads: dict[str, list[Row]]) -> dict[str, object]:
    dates: dict[str, str] = dict((OLDER, CURRENT, MOVED))
    return {
        "swagger": "2.0",
        "info": {"title": TITLE, "description": "예시 자료", "version": "1.0"},
        "host": "api.odcloud.kr",
        "basePath": "/api",
        "schemes": ["https", "http"],
        "paths": {f"/{NAMESPACE}/{uddi}": _operation(dates[uddi]) for uddi in uploads},
    }


def _operation(date: str) -> dict[str, object]:
    parameters = [
        {"name": "page", "in": "query", "type": "integer", "default": 1},
        {"name": "perPage", "in": "query", "type": "integer", "default": 10},
        {"name": "returnType", "in": "query", "type": "string"},
    ]
    responses = {"200": {"description": "성공적으로 수행 됨"}}
    summary = f"{TITLE}_{date}"
    return {"get": {"tags": [TITLE], "summary": summary, "parameters": parameters, "responses": responses}}
