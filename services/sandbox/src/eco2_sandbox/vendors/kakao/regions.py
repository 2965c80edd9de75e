"""Regions and addresses: from a point to names, and from names to a point."""

from collections.abc import Callable
from typing import Any

from eco2_sandbox.vendors.kakao.geometry import Point, distance_m
from eco2_sandbox.vendors.kakao.places import Area, areas, korean, places

Document = dict[str, Any]
LookUp = Callable[[Point], list[Document]]

# Beyond this no sample neighbourhood speaks for a point; the sea and other countries have none.
_FARTHEST_M = 20_000
_SHORT = {
    "서울": "서울특별시",
    "부산": "부산광역시",
    "경기": "경기도",
    "세종": "세종특별자치시",
    "제주": "제주특별자치도",
}


def region_codes(at: Point) -> list[Document]:
    """Return the two regions of a point."""
    area = _nearest(at)
    return [] if area is None else [_region(area, "B"), _region(area, "H")]


def address_of(at: Point) -> list[Document]:
    """Return the address of the sample place beside the point, by road only where one is near."""
    area = _nearest(at)
    if area is None:
        return []
    place = min(places(), key=lambda one: distance_m(one.at, at))
    parts = _parts(area)
    road = {"address_name": place.row["road_address_name"], **parts, "road_name": "예시로"}
    return [
        {
            "road_address": road if distance_m(place.at, at) < 200 else None,
            "address": {"address_name": place.row["address_name"], **parts},
        }
    ]


def addresses(query: str) -> list[Document]:
    """Return what a text names: the address of a place, or a region from the whole to its parts."""
    exact = [
        place for place in places() if query in (place.row["address_name"], place.row["road_address_name"])
    ]
    if exact:
        row = exact[0].row
        kind = "ROAD_ADDR" if query == row["road_address_name"] else "REGION_ADDR"
        return [_address(query, kind, row["x"], row["y"], None)]
    words = [_SHORT.get(word, word) for word in korean(query).split()]
    found = [area for area in areas() if words and all(_has(area, word) for word in words)]
    named = {_name(area, words[-1]): area for area in reversed(found)}
    return [
        _address(name, "REGION", area.row["lon"], area.row["lat"], _parts(area))
        for name, area in reversed(named.items())
    ]


def _nearest(at: Point) -> Area | None:
    area = min(areas(), key=lambda one: distance_m(one.at, at))
    return area if distance_m(area.at, at) <= _FARTHEST_M else None


def _region(area: Area, kind: str) -> Document:
    row = area.row
    third = row["legal"] if kind == "B" else row["admin"]
    return {
        "region_type": kind,
        "address_name": " ".join(filter(None, (row["province"], row["city"], third))),
        "region_1depth_name": row["province"],
        "region_2depth_name": row["city"],
        "region_3depth_name": third,
        "region_4depth_name": "",
        "code": row["legal_code"] if kind == "B" else row["admin_code"],
        "x": area.at.x,
        "y": area.at.y,
    }


def _parts(area: Area) -> Document:
    row = area.row
    return {
        "region_1depth_name": row["province"],
        "region_2depth_name": row["city"],
        "region_3depth_name": row["legal"],
    }


def _address(name: str, kind: str, x: str, y: str, parts: Document | None) -> Document:
    address = None if parts is None else {"address_name": name, **parts, "x": x, "y": y}
    return {
        "address_name": name,
        "address_type": kind,
        "x": x,
        "y": y,
        "address": address,
        "road_address": None,
    }


def _has(area: Area, word: str) -> bool:
    return word == area.row["province"] or word in area.names


def _name(area: Area, last: str) -> str:
    row = area.row
    if last == row["province"]:
        return last
    third = row["legal"] if last in (row["legal"], row["admin"]) else ""
    return " ".join(filter(None, (row["province"], row["city"], third)))
