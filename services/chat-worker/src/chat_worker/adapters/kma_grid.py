"""KMA's forecast grid: a Lambert conformal conic projection with cells of 5 km."""

import math
from dataclasses import dataclass

from eco2_bus.job import Location

from chat_worker.errors import NoData

# The guide to the forecast service (data.go.kr 15084084) names these.
_EARTH_KM, _CELL_KM = 6371.00877, 5.0
_PARALLELS = math.radians(30.0), math.radians(60.0)
_ORIGIN_LATITUDE, _ORIGIN_LONGITUDE = math.radians(38.0), math.radians(126.0)
_ORIGIN_X, _ORIGIN_Y = 43, 136
_WIDTH, _HEIGHT = 149, 253


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of the grid."""

    nx: int
    ny: int


def cell_of(location: Location) -> Cell:
    """The cell that holds a point; raises NoData outside the grid."""
    distance = _distance(math.radians(location.latitude))
    angle = _CONE * _within_half_turn(math.radians(location.longitude) - _ORIGIN_LONGITUDE)
    nx = math.floor(distance * math.sin(angle) + _ORIGIN_X + 0.5)
    ny = math.floor(_distance(_ORIGIN_LATITUDE) - distance * math.cos(angle) + _ORIGIN_Y + 0.5)
    if not (1 <= nx <= _WIDTH and 1 <= ny <= _HEIGHT):
        raise NoData("kma: a point outside the grid")
    return Cell(nx, ny)


def _half_tangent(latitude: float) -> float:
    # The south pole is infinitely far away.
    return max(math.tan(math.pi / 4 + latitude / 2), 1e-9)


def _cone() -> float:
    first, second = _PARALLELS
    return math.log(math.cos(first) / math.cos(second)) / math.log(
        _half_tangent(second) / _half_tangent(first)
    )


_CONE = _cone()
_SCALE = _half_tangent(_PARALLELS[0]) ** _CONE * math.cos(_PARALLELS[0]) / _CONE


def _distance(latitude: float) -> float:
    """From the pole, in cells."""
    return _EARTH_KM / _CELL_KM * _SCALE / _half_tangent(latitude) ** _CONE


def _within_half_turn(angle: float) -> float:
    return (angle + math.pi) % (2 * math.pi) - math.pi
