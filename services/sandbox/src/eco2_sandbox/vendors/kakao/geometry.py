"""Points, distances and rectangles on the map."""

import math
from dataclasses import dataclass

_EARTH_M = 6_371_000


@dataclass(frozen=True)
class Point:
    """A point in WGS84; `x` is the longitude."""

    x: float
    y: float


@dataclass(frozen=True)
class Rectangle:
    """A part of the map between two corners."""

    first: Point
    second: Point

    def holds(self, point: Point) -> bool:
        """Say whether the point lies inside."""
        xs = sorted((self.first.x, self.second.x))
        ys = sorted((self.first.y, self.second.y))
        return xs[0] <= point.x <= xs[1] and ys[0] <= point.y <= ys[1]


def distance_m(one: Point, other: Point) -> float:
    """Return the way between two points over the ground, in metres."""
    south, north = math.radians(one.y), math.radians(other.y)
    across = math.radians(other.x - one.x) * math.cos((south + north) / 2)
    return _EARTH_M * math.hypot(north - south, across)
