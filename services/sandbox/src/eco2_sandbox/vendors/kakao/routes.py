"""Kakao Local: places by keyword and category, addresses, and the region of a point."""

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from eco2_sandbox.server import Server, ServerDep
from eco2_sandbox.vendors.behaviour import VendorBehaviour
from eco2_sandbox.vendors.door import serve
from eco2_sandbox.vendors.kakao import asked, regions
from eco2_sandbox.vendors.kakao.geometry import distance_m
from eco2_sandbox.vendors.kakao.places import Place, found, places
from eco2_sandbox.vendors.kakao.refusals import bad_parameter, check_key, refuse
from eco2_sandbox.vendors.replies import Reply

router = APIRouter(prefix="/kakao/v2/local", tags=["kakao"])

GROUP_CODES = frozenset(
    {
        *("MT1", "CS2", "PS3", "SC4", "AC5", "PK6", "OL7", "SW8", "BK9"),
        *("CT1", "AG2", "PO3", "AT4", "AD5", "FD6", "CE7", "HP8", "PM9"),
    }
)
_PAGEABLE = 45


@router.get("/search/keyword.json")
async def by_keyword(request: Request, server: ServerDep) -> Response:
    """Places whose name, category or address has the words."""

    def make(behaviour: VendorBehaviour) -> Reply:
        check_key(request, server)
        query = asked.required(request, "query")
        search, code = asked.search(request), _group_code(request)
        candidates = [place for place in found(query) if code in ("", place.row["category_group_code"])]
        same_name: dict[str, object] = {"region": [], "keyword": query, "selected_region": ""}
        return _page(behaviour, search, candidates, same_name)

    return serve(server, "kakao", make, refuse)


@router.get("/search/category.json")
async def by_category(request: Request, server: ServerDep) -> Response:
    """Places of a category around a point or inside a rectangle."""

    def make(behaviour: VendorBehaviour) -> Reply:
        check_key(request, server)
        asked.required(request, "category_group_code")
        search, code = asked.search(request), _group_code(request)
        if search.centre is None and search.rect is None:
            raise bad_parameter("x, y, radius or rect parameter required")
        candidates = [place for place in places() if place.row["category_group_code"] == code]
        return _page(behaviour, search, candidates, None)

    return serve(server, "kakao", make, refuse)


@router.get("/search/address.json")
async def by_address(request: Request, server: ServerDep) -> Response:
    """Points of an address or a region's name."""

    def make(behaviour: VendorBehaviour) -> Reply:
        check_key(request, server)
        query = asked.required(request, "query")
        search = asked.search(request, most=30, usual=10)
        documents = [] if behaviour.no_data else regions.addresses(query)
        first = (search.page - 1) * search.size
        return Reply(
            {
                "documents": documents[first : first + search.size],
                "meta": _meta(len(documents), first + search.size),
            }
        )

    return serve(server, "kakao", make, refuse)


@router.get("/geo/coord2regioncode.json")
async def region_of_point(request: Request, server: ServerDep) -> Response:
    """The legal (B) and the administrative (H) region of a point; none outside the country."""
    return _of_point(request, server, regions.region_codes)


@router.get("/geo/coord2address.json")
async def address_of_point(request: Request, server: ServerDep) -> Response:
    """The address of a point; there is not always one by road."""
    return _of_point(request, server, regions.address_of)


def _of_point(request: Request, server: Server, look_up: regions.LookUp) -> Response:
    def make(behaviour: VendorBehaviour) -> Reply:
        check_key(request, server)
        documents = look_up(asked.point(request))
        documents = [] if behaviour.no_data else documents
        return Reply({"meta": {"total_count": len(documents)}, "documents": documents})

    return serve(server, "kakao", make, refuse)


def _group_code(request: Request) -> str:
    code = request.query_params.get("category_group_code", "")
    if code and code not in GROUP_CODES:
        raise bad_parameter("category_group_code is invalid")
    return code


def _page(
    behaviour: VendorBehaviour, search: asked.Search, candidates: Sequence[Place], same_name: object
) -> Reply:
    documents = [] if behaviour.no_data else _documents(search, candidates)
    first = (search.page - 1) * search.size
    shown = documents[:_PAGEABLE][first : first + search.size]
    meta = {**_meta(len(documents), first + search.size), "same_name": same_name}
    return Reply({"documents": shown, "meta": meta})


def _documents(search: asked.Search, candidates: Sequence[Place]) -> list[dict[str, Any]]:
    measured = [(place, _distance_m(search, place)) for place in candidates]
    inside = [
        (place, metres)
        for place, metres in measured
        if (metres is None or metres <= search.radius_m)
        and (search.rect is None or search.rect.holds(place.at))
    ]
    if search.by_distance:
        inside.sort(key=lambda one: one[1] or 0)
    return [{**place.row, "distance": "" if metres is None else f"{metres:.0f}"} for place, metres in inside]


def _distance_m(search: asked.Search, place: Place) -> float | None:
    return None if search.centre is None else distance_m(search.centre, place.at)


def _meta(total: int, shown_until: int) -> dict[str, object]:
    pageable = min(total, _PAGEABLE)
    return {"total_count": total, "pageable_count": pageable, "is_end": shown_until >= pageable}
