"""The forecast grid against known points."""

import pytest
from chat_worker.adapters.kma_grid import Cell, cell_of
from chat_worker.errors import NoData
from eco2_bus.job import Location
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("name", "latitude", "longitude", "cell"),
    [
        ("Seoul", 37.5665, 126.9780, Cell(60, 127)),
        ("Gangnam-gu", 37.5172, 127.0473, Cell(61, 126)),
        ("Incheon airport", 37.4602, 126.4407, Cell(51, 124)),
        ("Daejeon", 36.3504, 127.3845, Cell(67, 100)),
        ("Gwangju", 35.1595, 126.8526, Cell(58, 74)),
        ("Busan", 35.1796, 129.0756, Cell(98, 76)),
        ("Jeju", 33.4996, 126.5312, Cell(53, 38)),
        ("Ulleungdo", 37.4845, 130.9057, Cell(127, 127)),
        ("the origin", 38.0, 126.0, Cell(43, 136)),
    ],
)
def test_known_points_lie_in_known_cells(name: str, latitude: float, longitude: float, cell: Cell) -> None:
    assert cell_of(Location(latitude=latitude, longitude=longitude)) == cell, name


@given(st.floats(-90, 90), st.floats(-180, 180))
def test_every_point_of_the_earth_has_a_cell_or_none(latitude: float, longitude: float) -> None:
    try:
        cell = cell_of(Location(latitude=latitude, longitude=longitude))
    except NoData:
        assert not (34 <= latitude <= 38.5 and 126 <= longitude <= 129), "this is Korea"
    else:
        assert 1 <= cell.nx <= 149
        assert 1 <= cell.ny <= 253
        assert 20 < latitude < 50
        assert 115 < longitude < 140
