"""Kakao Local in the shapes it answers in."""

import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest
from chat_worker.adapters.kakao_local import KakaoLocal
from chat_worker.errors import (
    AuthError,
    BadRequest,
    NoData,
    QuotaExceeded,
    SchemaDrift,
    Transient,
    VendorError,
)
from chat_worker.ports.places import District, Place, PlaceCategory, Places
from eco2_bus.job import Location
from pydantic import SecretStr

from tests.worker_vendors.conftest import CANARY, QUICK, Leaks, Traces
from tests.worker_vendors.vendor_server import Reply, VendorServer, json_reply

KEYWORD = "/v2/local/search/keyword.json"
CATEGORY = "/v2/local/search/category.json"
ADDRESS = "/v2/local/search/address.json"
REGION = "/v2/local/geo/coord2regioncode.json"
SUWON = Location(latitude=37.3037, longitude=127.0106)


@pytest.fixture
async def kakao(vendor: VendorServer, traces: Traces, key: SecretStr) -> AsyncIterator[KakaoLocal]:
    kakao = KakaoLocal(key, traces.tracer, base_url=f"{vendor.base_url}/v2/local", limits=QUICK)
    yield kakao
    await kakao.close()


def place(**changes: Any) -> dict[str, Any]:
    return {
        "id": "1234",
        "place_name": "장안약국",
        "category_name": "의료,건강 > 약국",
        "category_group_code": "PM9",
        "category_group_name": "약국",
        "phone": "031-123-4567",
        "address_name": "경기 수원시 장안구 정자동 1-1",
        "road_address_name": "경기 수원시 장안구 정자로 1",
        "x": "127.0110",
        "y": "37.3040",
        "place_url": "http://place.map.kakao.com/1234",
        "distance": "418",
        **changes,
    }


def documents(*rows: dict[str, Any]) -> Reply:
    meta = {"total_count": len(rows), "pageable_count": len(rows), "is_end": True}
    return json_reply({"meta": meta, "documents": list(rows)})


def region(kind: str, *depths: str) -> dict[str, Any]:
    first, second, third = depths
    return {
        "region_type": kind,
        "address_name": " ".join(depths),
        "region_1depth_name": first,
        "region_2depth_name": second,
        "region_3depth_name": third,
        "region_4depth_name": "",
        "code": "4111112900",
        "x": 127.01,
        "y": 37.3,
    }


async def test_places_near_a_point_come_by_distance(vendor: VendorServer, kakao: KakaoLocal) -> None:
    vendor.answer(KEYWORD, documents(place()))
    places: Places = kakao

    found = await places.search("약국", SUWON, radius_m=2_000, limit=3)

    assert found == [
        Place(
            name="장안약국",
            category="의료,건강 > 약국",
            address="경기 수원시 장안구 정자로 1",
            location=Location(latitude=37.304, longitude=127.011),
            phone="031-123-4567",
            url="http://place.map.kakao.com/1234",
            distance_m=418,
        )
    ]
    assert vendor.asked[0].headers["Authorization"] == f"KakaoAK {CANARY}"
    assert vendor.asked[0].query == {
        "query": "약국",
        "x": "127.010600",
        "y": "37.303700",
        "radius": "2000",
        "sort": "distance",
        "size": "3",
    }


async def test_what_a_place_lacks_is_none(vendor: VendorServer, kakao: KakaoLocal) -> None:
    bare = place(phone="", distance="", road_address_name="", place_url="javascript:alert(1)")
    vendor.answer(KEYWORD, documents(bare))

    (found,) = await kakao.search("약국")

    assert (found.phone, found.distance_m, found.url) == (None, None, None)
    assert found.address == "경기 수원시 장안구 정자동 1-1"
    assert vendor.asked[0].query == {"query": "약국", "size": "5"}


async def test_what_is_asked_stays_within_kakaos_limits(vendor: VendorServer, kakao: KakaoLocal) -> None:
    vendor.answer(KEYWORD, documents())

    assert await kakao.search("긴" * 500, SUWON, radius_m=99_999, limit=99) == []

    asked = vendor.asked[0].query
    assert (asked["radius"], asked["size"], len(asked["query"])) == ("20000", "15", 100)


async def test_a_category_is_searched_by_its_code(vendor: VendorServer, kakao: KakaoLocal) -> None:
    vendor.answer(CATEGORY, documents(place()))

    found = await kakao.nearby(PlaceCategory.PHARMACY, SUWON)

    assert [place.name for place in found] == ["장안약국"]
    assert vendor.asked[0].query["category_group_code"] == "PM9"


@pytest.mark.parametrize("backwards", [False, True])
async def test_a_district_is_named_by_its_administration(
    vendor: VendorServer, kakao: KakaoLocal, backwards: bool
) -> None:
    both = [
        region("B", "경기도", "수원시 장안구", "정자동"),
        region("H", "경기도", "수원시 장안구", "정자1동"),
    ]
    vendor.answer(REGION, documents(*reversed(both) if backwards else both))

    district = await kakao.district_at(SUWON)

    assert district == District("경기도", "수원시 장안구", "정자1동")
    assert (vendor.asked[0].query["x"], vendor.asked[0].query["y"]) == ("127.010600", "37.303700")


async def test_the_legal_name_serves_where_there_is_no_other(vendor: VendorServer, kakao: KakaoLocal) -> None:
    vendor.answer(REGION, documents(region("B", "세종특별자치시", "", "어진동")))

    assert await kakao.district_at(Location(latitude=36.504, longitude=127.265)) == District(
        "세종특별자치시", "", "어진동"
    )


async def test_a_district_is_asked_for_once_in_each_hundred_metres(
    vendor: VendorServer, kakao: KakaoLocal
) -> None:
    vendor.answer(REGION, documents(region("H", "경기도", "수원시 장안구", "정자1동")))
    near = Location(latitude=SUWON.latitude + 0.0001, longitude=SUWON.longitude)
    far = Location(latitude=SUWON.latitude + 0.01, longitude=SUWON.longitude)

    assert await kakao.district_at(SUWON) == await kakao.district_at(near)
    assert len(vendor.asked) == 1

    await kakao.district_at(far)
    assert len(vendor.asked) == 2


async def test_a_failed_look_up_is_not_remembered(vendor: VendorServer, kakao: KakaoLocal) -> None:
    vendor.answer(REGION, documents(), documents(region("H", "경기도", "수원시 장안구", "정자1동")))

    with pytest.raises(NoData):
        await kakao.district_at(SUWON)

    assert (await kakao.district_at(SUWON)).city == "수원시 장안구"


async def test_a_point_abroad_is_not_even_asked_for(vendor: VendorServer, kakao: KakaoLocal) -> None:
    with pytest.raises(NoData):
        await kakao.district_at(Location(latitude=48.85, longitude=2.35))

    assert vendor.asked == []


async def test_a_name_is_located_as_an_address_first_and_then_as_a_place(
    vendor: VendorServer, kakao: KakaoLocal
) -> None:
    address = {"address_name": "서울 강남구", "address_type": "REGION", "x": "127.0473", "y": "37.5172"}
    vendor.answer(ADDRESS, documents({**address, "road_address": None}), documents())
    vendor.answer(KEYWORD, documents(place()), documents())

    assert await kakao.locate("강남구") == Location(latitude=37.5172, longitude=127.0473)
    assert await kakao.locate("장안약국") == Location(latitude=37.304, longitude=127.011)
    with pytest.raises(NoData):
        await kakao.locate("없는 곳")


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (json_reply({"errorType": "AccessDeniedError", "message": "wrong appKey(x) format"}, 401), AuthError),
        (json_reply({"errorType": "MissingParameter", "message": "query required"}, 400), BadRequest),
        (json_reply({"errorType": "RequestThrottled", "message": "API limit exceeded"}, 429), QuotaExceeded),
        (json_reply({"code": -401, "msg": "this access token does not exist"}, 401), AuthError),
        (json_reply({"code": -2, "msg": "wrong parameter"}, 400), BadRequest),
        (json_reply({"code": -10, "msg": "api limit has been exceeded"}, 400), QuotaExceeded),
        (json_reply({"code": -1, "msg": "internal error"}, 500), Transient),
        (json_reply([], 400), BadRequest),
        (Reply(b"<html>", 502, "text/html"), Transient),
        (json_reply({"message": "no documents"}), SchemaDrift),
        (documents(place(x="east")), SchemaDrift),
        (documents(place(y="137.5")), SchemaDrift),
        (documents({"place_name": "?"}), SchemaDrift),
    ],
)  # fmt: skip
async def test_both_shapes_of_error_are_understood(
    vendor: VendorServer, kakao: KakaoLocal, reply: Reply, error: type[VendorError]
) -> None:
    vendor.answer(KEYWORD, reply)

    with pytest.raises(error) as caught:
        await kakao.search("약국")

    assert caught.type is error


async def test_an_app_without_the_map_product_tells_the_operator_what_to_do(
    vendor: VendorServer, kakao: KakaoLocal, caplog: pytest.LogCaptureFixture
) -> None:
    said = {
        "errorType": "NotAuthorizedError",
        "message": "App(eco2) disabled OPEN_MAP_AND_LOCAL service.",
    }
    vendor.answer(KEYWORD, json_reply(said, 403))

    with pytest.raises(AuthError, match="Kakao Map is off"):
        await kakao.search("약국")

    (record,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert "developers.kakao.com" in record.getMessage()
    assert len(vendor.asked) == 1


async def test_without_a_key_nothing_is_asked(vendor: VendorServer, traces: Traces) -> None:
    kakao = KakaoLocal(SecretStr(" "), traces.tracer, base_url=vendor.base_url, limits=QUICK)

    with pytest.raises(AuthError):
        await kakao.search("약국")

    await kakao.close()
    assert vendor.asked == []


async def test_neither_the_key_nor_where_somebody_is_leaves_the_client(
    vendor: VendorServer, kakao: KakaoLocal, leaks: Leaks
) -> None:
    vendor.answer(KEYWORD, json_reply({"errorType": "AccessDeniedError", "message": CANARY}, 401))

    with pytest.raises(AuthError) as caught:
        await kakao.search("약국", SUWON)

    assert leaks.holding(CANARY, caught.value) == []
    assert leaks.holding("127.0106", caught.value) == []
