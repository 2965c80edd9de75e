"""Whether an address lies in a district, however the vendors spell the two."""

from collections.abc import Sequence
from dataclasses import replace

from chat_worker.adapters.vendor_text import cleaned
from chat_worker.ports.places import District

_PROVINCES: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = (
    (("서울특별시",), ("서울시", "서울")),
    (("부산광역시",), ("부산시", "부산")),
    (("대구광역시",), ("대구시", "대구")),
    (("인천광역시",), ("인천시", "인천")),
    # "광주시" is not among them: it is a city of 경기도.
    (("광주광역시",), ("광주",)),
    (("대전광역시",), ("대전시", "대전")),
    (("울산광역시",), ("울산시", "울산")),
    (("세종특별자치시",), ("세종시", "세종")),
    (("경기도",), ("경기",)),
    (("강원특별자치도", "강원도"), ("강원",)),
    (("충청북도",), ("충북",)),
    (("충청남도",), ("충남",)),
    (("전북특별자치도", "전라북도"), ("전북",)),
    (("전라남도",), ("전남",)),
    (("경상북도",), ("경북",)),
    (("경상남도",), ("경남",)),
    (("제주특별자치도",), ("제주도", "제주")),
)
_OFFICIAL = {name: official for official, short in _PROVINCES for name in (*official, *short)}
_IN_SEVERAL_PROVINCES = frozenset({"중구", "동구", "서구", "남구", "북구", "강서구", "고성군"})


def official_names(text: str) -> tuple[str, ...]:
    """The names, newest first, of the province that a text begins with; empty when it begins with none."""
    first = text.split(maxsplit=1)[:1]
    return _OFFICIAL.get(first[0], ()) if first else ()


def stems(text: str) -> list[str]:
    """The fewest words of which every spelling of the province holds one: 서울, but 충북 and 충청북도."""
    official = official_names(text)
    spellings = [name for name, names in _OFFICIAL.items() if names == official]
    return [name for name in spellings if not any(other != name and other in name for other in spellings)]


def widening(district: District) -> list[District]:
    """The district, then the city it is a part of: some vendors know 수원시, others 수원시 장안구."""
    # 세종 is its own district, and has none; 광주 is also a city of another province.
    is_province = official_names(district.city) == official_names(district.province) != ()
    city = "" if is_province else cleaned(district.city)
    parts = city.split()
    whole = replace(district, city=city)
    return [whole, replace(district, city=parts[0])] if len(parts) > 1 else [whole]


def lies_in(district: District, fields: Sequence[str]) -> bool:
    """Whether these parts of an address name the district; one that could be elsewhere does not count."""
    wanted = official_names(district.province)
    named = {official for field in fields if (official := official_names(field))}
    if wanted and named and wanted not in named:
        return False
    parts = district.city.split()
    if not parts:
        return bool(wanted) and wanted in named
    if wanted and not named and parts[0] in _IN_SEVERAL_PROVINCES:
        return False
    # Whole words: 강남구 is not 남구.
    words = {word for field in fields for word in field.split()}
    return all(part in words for part in parts)
