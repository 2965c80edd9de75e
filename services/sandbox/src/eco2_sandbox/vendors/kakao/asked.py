"""Reads and checks what a search asks for."""

from dataclasses import dataclass

from fastapi import Request

from eco2_sandbox.vendors.kakao.geometry import Point, Rectangle
from eco2_sandbox.vendors.kakao.refusals import bad_parameter

MOST_PAGES = 45
FARTHEST_M = 20_000


@dataclass(frozen=True)
class Search:
    """Where to search, in which order, and which page to show."""

    centre: Point | None
    radius_m: int
    rect: Rectangle | None
    by_distance: bool
    page: int
    size: int


def search(request: Request, *, most: int = 15, usual: int = 15) -> Search:
    """Return the search; raises `Refusal` 400 for a value outside the vendor's limits."""
    params = request.query_params
    centre = _centre(request)
    sort = params.get("sort") or "accuracy"
    if sort not in ("accuracy", "distance"):
        raise bad_parameter("sort must be one of accuracy, distance")
    if sort == "distance" and centre is None:
        raise bad_parameter("x, y parameter required")
    return Search(
        centre=centre,
        radius_m=_whole(request, "radius", FARTHEST_M, 0, FARTHEST_M),
        rect=_rectangle(params.get("rect")),
        by_distance=sort == "distance",
        page=_whole(request, "page", 1, 1, MOST_PAGES),
        size=_whole(request, "size", usual, 1, most),
    )


def required(request: Request, name: str) -> str:
    """Return a parameter that must be there; raises `Refusal` 400."""
    text = request.query_params.get(name, "").strip()
    if not text:
        raise bad_parameter(f"{name} parameter required")
    return text


def point(request: Request) -> Point:
    """Return the point of x and y, which must be there; raises `Refusal` 400."""
    return Point(_number(required(request, "x"), "x"), _number(required(request, "y"), "y"))


def _centre(request: Request) -> Point | None:
    given = [name for name in ("x", "y") if request.query_params.get(name)]
    return point(request) if given else None


def _rectangle(text: str | None) -> Rectangle | None:
    if not text:
        return None
    sides = [_number(part, "rect") for part in text.split(",")]
    if len(sides) != 4:
        raise bad_parameter("rect must have four numbers")
    return Rectangle(Point(sides[0], sides[1]), Point(sides[2], sides[3]))


def _whole(request: Request, name: str, usual: int, least: int, most: int) -> int:
    text = request.query_params.get(name) or str(usual)
    if not text.isdecimal() or not least <= int(text) <= most:
        raise bad_parameter(f"{name} must be between {least} and {most}")
    return int(text)


def _number(text: str, name: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise bad_parameter(f"{name} must be a number") from None
