"""Agents that find places: collection_point, location."""

from dataclasses import replace
from typing import Any

import pytest
from chat_worker.agents.collection_point import collection_point, kind_of
from chat_worker.agents.location import location
from chat_worker.errors import NoData, QuotaExceeded, Transient
from chat_worker.ports.collection import Collected, CollectionPoint
from chat_worker.ports.places import District, Place

from tests.worker.fakes_vendors import (
    GANGNAM,
    HOME,
    STATION,
    FakeCollectionPoints,
    FakePlaces,
    tools,
    turn,
)

REGISTERED = "등록된 곳 기준이에요. 가기 전에 확인해 주세요."
BOX = CollectionPoint(
    takes=Collected.LAMPS_AND_BATTERIES,
    name="역삼1동 주민센터",
    address="역삼로 7길 16",
    detail="1층 현관",
    accepts="건전지",
    distance_m=1_234,
    institution="강남구",
    revised="2026-03-04",
)
SHOP = Place("아름다운가게", "중고가게", "테헤란로 1", STATION, "02-1", "https://place.example/1", 350)


async def test_boxes_near_the_user_with_what_is_known_of_them() -> None:
    points = FakeCollectionPoints((BOX,))
    finding = await collection_point(
        turn("건전지 어디에 버려?", location=HOME), tools(collection_points=points, places=FakePlaces())
    )
    (passage,) = finding["passages"]
    assert (finding["status"], finding["note"]) == ("ok", REGISTERED)
    assert passage["title"] == "역삼1동 주민센터"
    assert passage["text"] == "역삼로 7길 16 · 1층 현관 · 건전지 · 1,234 m"
    assert (passage["document"], passage["section"], passage["revised"]) == (
        "전국폐형광등·폐건전지수거함표준데이터",
        "강남구",
        "2026-03-04",
    )
    assert points.asked == [(Collected.LAMPS_AND_BATTERIES, GANGNAM, HOME)]


async def test_a_box_without_coordinates_has_no_distance() -> None:
    far = replace(BOX, distance_m=None, detail="", accepts="")
    finding = await collection_point(
        turn("건전지", location=HOME),
        tools(collection_points=FakeCollectionPoints((far,)), places=FakePlaces()),
    )
    assert finding["passages"][0]["text"] == "역삼로 7길 16"


async def test_that_registration_is_voluntary_is_said_in_english_too() -> None:
    finding = await collection_point(
        turn("batteries", location=HOME, language="en"),
        tools(collection_points=FakeCollectionPoints((BOX,)), places=FakePlaces()),
    )
    assert finding["note"] == "Registered places only; please check before you go."


@pytest.mark.parametrize(
    ("language", "note"),
    [
        (
            "ko",
            "서울특별시 강남구에 등록된 수거함을 찾지 못했어요. "
            "등록은 의무가 아니라서 실제로는 있을 수 있어요.",
        ),
        (
            "en",
            "No registered box was found in 서울특별시 강남구. "
            "Registration is voluntary, so there may be some.",
        ),
    ],
)
async def test_no_registered_box_does_not_mean_no_box(language: Any, note: str) -> None:
    finding = await collection_point(
        turn("건전지", location=HOME, language=language),
        tools(collection_points=FakeCollectionPoints(fails=NoData()), places=FakePlaces()),
    )
    assert (finding["status"], finding["passages"], finding["note"]) == ("not_found", [], note)


@pytest.mark.parametrize(
    ("language", "note"),
    [
        ("ko", "어느 지역인지 알려 주시면 가까운 수거함을 찾아볼게요."),
        ("en", "Tell me your district and I will look for boxes near you."),
    ],
)
async def test_boxes_need_to_know_where(language: Any, note: str) -> None:
    points = FakeCollectionPoints((BOX,))
    finding = await collection_point(
        turn("건전지", language=language), tools(collection_points=points, places=FakePlaces())
    )
    assert (finding["status"], finding["note"], points.asked) == ("not_found", note, [])


@pytest.mark.parametrize(("language", "word"), [("ko", "자료는 없어요"), ("en", "There is no data")])
async def test_what_no_box_takes_is_said_with_what_boxes_take(language: Any, word: str) -> None:
    points = FakeCollectionPoints((BOX,))
    finding = await collection_point(
        turn("소파 수거함?", item="소파", location=HOME, language=language),
        tools(collection_points=points, places=FakePlaces()),
    )
    assert finding["status"] == "not_found"
    assert word in finding["note"]
    assert "소파" in finding["note"]
    assert points.asked == []


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("폐의약품 수거함", Collected.MEDICINE),
        ("먹다 남은 약", Collected.MEDICINE),
        ("약은 어디에?", Collected.MEDICINE),
        ("알약이랑 물약", Collected.MEDICINE),
        ("where do old pills go", Collected.MEDICINE),
        ("헌 옷 수거함", Collected.CLOTHES),
        ("Clothing bin", Collected.CLOTHES),
        ("보조배터리", Collected.LAMPS_AND_BATTERIES),
        ("형광등", Collected.LAMPS_AND_BATTERIES),
        ("dead batteries", Collected.LAMPS_AND_BATTERIES),
        ("안 쓰는 휴대폰", Collected.ELECTRONICS),
        ("소형가전", Collected.ELECTRONICS),
        ("an old laptop", Collected.ELECTRONICS),
        ("옷장", None),
        ("쿠폰", None),
        ("플라스틱 병", None),
        ("", None),
    ],
)
def test_the_box_by_what_is_thrown_away(text: str, kind: Collected | None) -> None:
    assert kind_of(text) is kind


@pytest.mark.parametrize(
    "text", ["계약서는 어디에 버려?", "예약한 수거함", "약수역 근처 수거함", "치약 튜브", "절약", "a pillow"]
)
def test_a_word_that_only_ends_or_begins_like_medicine_is_none(text: str) -> None:
    assert kind_of(text) is not Collected.MEDICINE


async def test_the_thing_counts_more_than_the_street_it_is_asked_in() -> None:
    points = FakeCollectionPoints((BOX,))
    await collection_point(
        turn("헌옷거리 근처 건전지 수거함?", item="건전지", location=HOME),
        tools(collection_points=points, places=FakePlaces()),
    )
    assert [takes for takes, _, _ in points.asked] == [Collected.LAMPS_AND_BATTERIES]


async def test_without_a_map_a_written_district_will_do() -> None:
    points = FakeCollectionPoints((BOX,))
    finding = await collection_point(
        turn("건전지", district="서울시 강남구", location=HOME), tools(collection_points=points)
    )
    assert finding["status"] == "ok"
    assert points.asked == [(Collected.LAMPS_AND_BATTERIES, District("서울시", "강남구"), HOME)]


@pytest.mark.parametrize("vague", ["서울", "우리 동네", "구", ""])
async def test_without_a_map_a_vague_place_will_not(vague: str) -> None:
    finding = await collection_point(
        turn("건전지", district=vague), tools(collection_points=FakeCollectionPoints((BOX,)))
    )
    assert finding["status"] == "not_found"


@pytest.mark.parametrize("fails", [{"points": Transient("down")}, {"map": QuotaExceeded("full")}])
async def test_a_vendor_that_fails_is_left_to_the_wrapper(fails: dict[str, Exception]) -> None:
    with pytest.raises((Transient, QuotaExceeded)):
        await collection_point(
            turn("건전지", location=HOME),
            tools(
                collection_points=FakeCollectionPoints(fails=fails.get("points")),
                places=FakePlaces(fails=fails.get("map")),
            ),
        )


async def test_places_by_what_is_looked_for_near_the_user() -> None:
    places = FakePlaces(places=(SHOP,))
    finding = await location(turn("근처 중고가게?", item="중고가게", location=HOME), tools(places=places))
    (passage,) = finding["passages"]
    assert (finding["status"], finding["note"]) == ("ok", "")
    assert (passage["title"], passage["text"]) == ("아름다운가게", "테헤란로 1 · 02-1 · 350 m")
    assert (passage["document"], passage["section"]) == ("카카오맵", "중고가게")
    assert passage["url"] == "https://place.example/1"
    assert places.asked == [("search", "중고가게", HOME)]


async def test_places_around_the_place_that_is_named() -> None:
    places = FakePlaces(places=(SHOP,))
    await location(
        turn("강남구 중고가게?", item="중고가게", district="강남구", location=HOME), tools(places=places)
    )
    assert places.asked[-1] == ("search", "중고가게", STATION)


async def test_a_place_alone_is_what_is_looked_for() -> None:
    places = FakePlaces(places=(SHOP,))
    await location(
        turn("제로웨이스트샵 어디야?", place="제로웨이스트샵", location=HOME), tools(places=places)
    )
    assert places.asked == [("search", "제로웨이스트샵", HOME)]


@pytest.mark.parametrize(
    ("language", "note"),
    [
        ("ko", "'중고가게'에 맞는 곳을 찾지 못했어요."),
        ("en", "No place was found for '중고가게'."),
    ],
)
async def test_no_place_is_said(language: Any, note: str) -> None:
    finding = await location(
        turn(item="중고가게", location=HOME, language=language), tools(places=FakePlaces())
    )
    assert (finding["status"], finding["note"]) == ("not_found", note)
