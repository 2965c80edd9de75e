"""The standard data on collection boxes: three field sets, coordinates as text, districts in odd places."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from chat_worker.adapters.collection_boxes import CollectionBoxes, distance_m
from chat_worker.errors import AuthError, BadRequest, NoData, QuotaExceeded, SchemaDrift, Transient
from chat_worker.ports.collection import Collected
from chat_worker.ports.places import District
from eco2_bus.job import Location
from pydantic import SecretStr

from tests.worker_vendors.conftest import CANARY, QUICK, Leaks, Traces
from tests.worker_vendors.vendor_server import HANGS, Reply, VendorServer, gateway_error, json_reply

LAMPS = "/tn_pubr_public_waste_lamp_battery_collection_box_api"
MEDICINE = "/tn_pubr_public_lung_medicine_api"
CLOTHES = "/tn_pubr_public_clothing_collect_bins_api"
YEONGDO = District("부산광역시", "영도구")
HERE = Location(latitude=35.0911, longitude=129.0678)


def lamp(**fields: Any) -> dict[str, Any]:
    row = {
        "instlPlcNm": "남항동 주민센터",
        "dtlPstnCn": "1층 현관",
        "ctpvNm": "부산광역시",
        "sggNm": "영도구",
        "lctnRoadNmAddr": "부산광역시 영도구 절영로 1",
        "lctnLotnoAddr": "부산광역시 영도구 남항동 1가 1",
        "lat": "35.0912",
        "lot": "129.0679",
        "cltItemNm": "형광등+건전지",
        "mngInstNm": "부산광역시 영도구청",
        "dataCrtrYmd": "2026-03-31",
    }
    return {**row, **fields}


def wrapped(*rows: dict[str, Any], total: int | str | None = None) -> Reply:
    count = str(len(rows)) if total is None else total
    body = {"items": list(rows), "totalCount": count, "numOfRows": "1000", "pageNo": "1"}
    return json_reply({"response": {"header": {"resultCode": "00", "resultMsg": "NORMAL"}, "body": body}})


def no_data() -> Reply:
    return json_reply({"response": {"header": {"resultCode": "03", "resultMsg": "NODATA_ERROR"}}})


@pytest.fixture
async def boxes(vendor: VendorServer, traces: Traces, key: SecretStr) -> AsyncIterator[CollectionBoxes]:
    boxes = CollectionBoxes(key, traces.tracer, base_url=vendor.base_url, limits=QUICK)
    yield boxes
    await boxes.close()


async def test_a_lamp_and_battery_box_is_read_whole(vendor: VendorServer, boxes: CollectionBoxes) -> None:
    vendor.answer(LAMPS, wrapped(lamp()))

    (point,) = await boxes.near(Collected.LAMPS_AND_BATTERIES, YEONGDO, HERE)

    assert (point.name, point.detail, point.accepts) == ("남항동 주민센터", "1층 현관", "형광등+건전지")
    assert point.address == "부산광역시 영도구 절영로 1"
    assert point.location == Location(latitude=35.0912, longitude=129.0679)
    assert (point.institution, point.revised) == ("부산광역시 영도구청", "2026-03-31")
    assert point.distance_m == 14
    query = vendor.queries(LAMPS)[0]
    assert (query["type"], query["sggNm"], query["serviceKey"]) == ("json", "영도구", CANARY)


async def test_a_medicine_box_has_fields_of_its_own(vendor: VendorServer, boxes: CollectionBoxes) -> None:
    row = {
        "instlPlcNm": "절영약국",
        "ctpvNm": "부산광역시",
        "sggNm": "영도구",
        "lctnRoadNm": "null",
        "lctnLotnoAddr": "부산광역시 영도구 남항동 2",
        "lat": "35.0",
        "lot": "129.0",
        "actlPstn": "계산대 옆",
        "mngInstNm": "보건소",
        "crtrYmd": "20260115",
    }
    vendor.answer(MEDICINE, wrapped(row))

    (point,) = await boxes.near(Collected.MEDICINE, YEONGDO)

    assert (point.address, point.detail) == ("부산광역시 영도구 남항동 2", "계산대 옆")
    assert (point.revised, point.distance_m) == ("2026-01-15", None)


async def test_a_clothes_bin_has_fields_of_its_own(vendor: VendorServer, boxes: CollectionBoxes) -> None:
    row = {
        k: v for k, v in lamp(mngNo="7", dtlPstn="공원 입구").items() if k not in {"dtlPstnCn", "cltItemNm"}
    }
    vendor.answer(CLOTHES, wrapped(row))

    (point,) = await boxes.near(Collected.CLOTHES, YEONGDO)

    assert (point.takes, point.detail, point.accepts) == (Collected.CLOTHES, "공원 입구", "")


async def test_a_reply_without_its_wrapper_is_read_too(vendor: VendorServer, boxes: CollectionBoxes) -> None:
    body = {"items": [lamp()], "totalCount": 1}
    vendor.answer(LAMPS, json_reply({"header": {"resultCode": "00", "resultMsg": "OK"}, "body": body}))

    assert len(await boxes.near(Collected.LAMPS_AND_BATTERIES, YEONGDO)) == 1


async def test_the_nearest_comes_first_and_those_without_coordinates_last(
    vendor: VendorServer, boxes: CollectionBoxes
) -> None:
    rows = [
        lamp(instlPlcNm="none", lat="", lot=""),
        lamp(instlPlcNm="far", lat="35.0950", lot="129.0700"),
        lamp(instlPlcNm="zero", lat="0", lot="0"),
        lamp(instlPlcNm="near"),
        lamp(instlPlcNm="swapped", lat="129.0679", lot="35.0912"),
        lamp(instlPlcNm="null", lat=None, lot="null"),
        lamp(instlPlcNm="nan", lat="nan", lot="inf"),
    ]
    vendor.answer(LAMPS, wrapped(*rows))

    points = await boxes.near(Collected.LAMPS_AND_BATTERIES, YEONGDO, HERE, limit=7)

    assert [point.name for point in points[:2]] == ["near", "far"]
    assert all(point.location is None and point.distance_m is None for point in points[2:])
    assert len(points) == 7


async def test_without_a_place_to_measure_from_the_neighbourhood_comes_first(
    vendor: VendorServer, boxes: CollectionBoxes
) -> None:
    vendor.answer(
        LAMPS, wrapped(lamp(), lamp(instlPlcNm="here", lctnRoadNmAddr="부산광역시 영도구 동삼동 3"))
    )

    first, _ = await boxes.near(Collected.LAMPS_AND_BATTERIES, District("부산", "영도구", "동삼동"))

    assert first.name == "here"


async def test_a_province_inside_the_district_field_is_found_by_asking_for_both(
    vendor: VendorServer, boxes: CollectionBoxes
) -> None:
    odd = lamp(ctpvNm="", sggNm="부산광역시 영도구")
    vendor.answer(LAMPS, no_data(), wrapped(odd))

    (point,) = await boxes.near(Collected.LAMPS_AND_BATTERIES, District("부산", "영도구"))

    assert point.name == "남항동 주민센터"
    assert [query["sggNm"] for query in vendor.queries(LAMPS)] == ["영도구", "부산광역시 영도구"]


async def test_at_last_the_whole_province_is_asked_for_and_sifted(
    vendor: VendorServer, boxes: CollectionBoxes
) -> None:
    others = [lamp(sggNm="사하구", lctnRoadNmAddr="부산광역시 사하구 1", lctnLotnoAddr="")]
    vendor.answer(LAMPS, no_data(), no_data(), wrapped(*others, lamp(sggNm=None)))

    (point,) = await boxes.near(Collected.LAMPS_AND_BATTERIES, YEONGDO)

    assert point.name == "남항동 주민센터"
    assert vendor.queries(LAMPS)[-1]["ctpvNm"] == "부산광역시"


async def test_sejong_has_no_district_and_is_asked_for_as_a_province(
    vendor: VendorServer, boxes: CollectionBoxes
) -> None:
    row = lamp(ctpvNm="세종특별자치시", sggNm="없음", lctnRoadNm="세종특별자치시 한누리대로 1")
    vendor.answer(MEDICINE, wrapped(row))

    (point,) = await boxes.near(Collected.MEDICINE, District("세종특별자치시", "세종시"))

    assert point.takes is Collected.MEDICINE
    assert vendor.queries(MEDICINE)[0]["ctpvNm"] == "세종특별자치시"
    assert "sggNm" not in vendor.queries(MEDICINE)[0]


async def test_a_part_of_a_city_is_tried_whole_and_then_as_the_city(
    vendor: VendorServer, boxes: CollectionBoxes
) -> None:
    row = lamp(ctpvNm="경기도", sggNm="수원시", lctnRoadNmAddr="경기도 수원시 1", lctnLotnoAddr="")
    vendor.answer(LAMPS, no_data(), wrapped(row))

    assert len(await boxes.near(Collected.LAMPS_AND_BATTERIES, District("경기도", "수원시 장안구"))) == 1
    assert [query["sggNm"] for query in vendor.queries(LAMPS)] == ["수원시 장안구", "수원시"]


async def test_a_district_of_the_same_name_elsewhere_is_left_out(
    vendor: VendorServer, boxes: CollectionBoxes
) -> None:
    elsewhere = lamp(ctpvNm="대구광역시", sggNm="중구", lctnRoadNmAddr="대구 중구 1", lctnLotnoAddr="")
    here = lamp(ctpvNm="부산광역시", sggNm="중구", lctnRoadNmAddr="부산 중구 2", lctnLotnoAddr="")
    vendor.answer(LAMPS, wrapped(elsewhere, here))

    assert [
        point.address for point in await boxes.near(Collected.LAMPS_AND_BATTERIES, District("부산", "중구"))
    ] == ["부산 중구 2"]


async def test_text_counts_lead_through_all_pages(vendor: VendorServer, boxes: CollectionBoxes) -> None:
    vendor.answer(LAMPS, wrapped(lamp(), total="2"), wrapped(lamp(instlPlcNm="second"), total="2"))

    assert len(await boxes.near(Collected.LAMPS_AND_BATTERIES, YEONGDO)) == 2
    assert [query["pageNo"] for query in vendor.queries(LAMPS)] == ["1", "2"]


async def test_a_district_where_nothing_is_registered_is_no_data(
    vendor: VendorServer, boxes: CollectionBoxes
) -> None:
    vendor.answer(LAMPS, no_data())

    with pytest.raises(NoData):
        await boxes.near(Collected.LAMPS_AND_BATTERIES, YEONGDO)


async def test_no_district_at_all_is_a_bad_request(boxes: CollectionBoxes) -> None:
    with pytest.raises(BadRequest):
        await boxes.near(Collected.CLOTHES, District("", ""))


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (gateway_error("22"), QuotaExceeded),
        (gateway_error("30", 200), AuthError),
        (wrapped({"name": "renamed fields"}), SchemaDrift),
        (json_reply({"whatever": 1}), SchemaDrift),
        (HANGS, Transient),
    ],
)
async def test_what_goes_wrong_is_a_typed_error_without_the_key(
    vendor: VendorServer, boxes: CollectionBoxes, leaks: Leaks, reply: Reply, error: type[Exception]
) -> None:
    vendor.answer(LAMPS, reply)
    began = asyncio.get_running_loop().time()

    with pytest.raises(error) as caught:
        await boxes.near(Collected.LAMPS_AND_BATTERIES, YEONGDO)

    assert asyncio.get_running_loop().time() - began < 2 * QUICK.budget_s
    assert leaks.traces.spans
    assert leaks.holding(CANARY, caught.value) == []


@pytest.mark.parametrize(
    ("a", "b", "metres"),
    [
        ((0.0, 0.0), (0.0, 0.0), 0),
        ((0.0, 0.0), (0.0, 180.0), 20_015_115),
        ((0.0, 0.0), (90.0, 0.0), 10_007_557),
        ((37.0, 127.0), (38.0, 127.0), 111_195),
    ],
)
def test_distances_are_those_of_a_sphere(a: tuple[float, float], b: tuple[float, float], metres: int) -> None:
    one, other = (Location(latitude=latitude, longitude=longitude) for latitude, longitude in (a, b))

    assert distance_m(one, other) == pytest.approx(metres, abs=2)
    assert distance_m(other, one) == pytest.approx(metres, abs=2)
