"""The sample places, and how a text finds them."""

import re
from dataclasses import dataclass, field
from functools import lru_cache

from eco2_sandbox.vendors.kakao.geometry import Point
from eco2_sandbox.vendors.tables import Row, rows

# What people type, and the word that stands in names and categories.
_SAME = {
    "제로웨이스트": "제로웨이스트샵",
    "제로웨이스트가게": "제로웨이스트샵",
    "리필샵": "리필스테이션",
    "리필스토어": "리필스테이션",
    "동사무소": "주민센터",
    "행정복지센터": "주민센터",
    "재활용": "재활용센터",
}
_FILLERS = frozenset({"근처", "주변", "가까운", "인근", "찾기", "추천"})


@dataclass(frozen=True)
class Place:
    """A place and the words that find it."""

    row: Row
    at: Point
    text: str = field(repr=False)

    def matches(self, words: list[str]) -> bool:
        """Say whether every word stands in the place's name, category or address."""
        return all(word in self.text for word in words)

    def is_named(self, words: list[str]) -> bool:
        """Say whether a word begins the place's name."""
        return any(self.row["place_name"].startswith(word) for word in words)


@dataclass(frozen=True)
class Area:
    """A neighbourhood: the middle of what its names stand for."""

    row: Row
    at: Point

    @property
    def names(self) -> tuple[str, ...]:
        """Every name by which people look for it, the province's excepted."""
        city = self.row["city"]
        return tuple(name for name in (self.row["legal"], self.row["admin"], city, *city.split()) if name)


@lru_cache
def places() -> tuple[Place, ...]:
    """Return all sample places."""
    return tuple(_place(row) for row in rows("kakao_places"))


@lru_cache
def areas() -> tuple[Area, ...]:
    """Return all sample neighbourhoods."""
    return tuple(Area(row, Point(float(row["lon"]), float(row["lat"]))) for row in rows("areas"))


def korean(query: str) -> str:
    """Return a query with the English names that the sample knows in Korean."""
    names = _english()
    pattern = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    return re.sub(rf"\b(?:{pattern})\b", lambda found: names[found[0].lower()], query, flags=re.IGNORECASE)


def words_of(query: str) -> list[str]:
    """Return the words of a query that narrow it down."""
    joined = korean(query).replace("제로 웨이스트", "제로웨이스트").replace("리필 스테이션", "리필스테이션")
    return [_SAME.get(word, word) for word in joined.split() if word not in _FILLERS]


def found(query: str) -> list[Place]:
    """Return the places a query finds, those of that name first; a station stands for its neighbourhood."""
    words = words_of(query)
    matching = [place for place in places() if words and place.matches(words)]
    return sorted(matching, key=lambda place: not place.is_named(words))


@lru_cache
def _english() -> dict[str, str]:
    return {row["english"].lower(): row["korean"] for row in rows("english")}


def _place(row: Row) -> Place:
    at = Point(float(row["x"]), float(row["y"]))
    nearest = min(areas(), key=lambda area: (area.at.x - at.x) ** 2 + (area.at.y - at.y) ** 2)
    where = (nearest.row["province"], nearest.row["station"], *nearest.names)
    shown = (row["place_name"], row["category_name"], row["address_name"], row["road_address_name"])
    return Place(row, at, " ".join((*shown, *where)))
