"""Municipalities' fees for bulky waste: ranges, and never one guess."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from chat_worker.adapters.mois_bulky_fees import MoisBulkyFees
from chat_worker.errors import NoData, SchemaDrift, VendorError
from chat_worker.ports.disposal import BulkyFee, BulkyFees
from chat_worker.ports.places import District
from pydantic import SecretStr

from tests.worker_vendors.conftest import CANARY, QUICK, Leaks, Traces
from tests.worker_vendors.vendor_server import Reply, VendorServer, gateway_error, json_reply

PATH = "/tn_pubr_public_lar_was_fee_api"
GANGNAM = District("서울특별시", "강남구")


@pytest.fixture
async def mois(vendor: VendorServer, traces: Traces, key: SecretStr) -> AsyncIterator[MoisBulkyFees]:
    mois = MoisBulkyFees(key, traces.tracer, base_url=vendor.base_url, limits=QUICK)
    yield mois
    await mois.close()


def row(item: str, fee: Any, **changes: Any) -> dict[str, Any]:
    return {
        "ctpvNm": "서울특별시",
        "sggNm": "강남구",
        "larWasNm": item,
        "larWasSeNm": "가구류",
        "larWasSpcfct": "null",
        "paidFreeYn": "유료",
        "fee": fee,
        "mngInstNm": "서울특별시 강남구청",
        "crtrYmd": "2025-03-01",
        "insttCode": "3220000",
        "insttNm": "서울특별시 강남구",
        **changes,
    }


def ok(*rows: dict[str, Any], as_item: bool = False) -> Reply:
    body = {
        "items": {"item": list(rows)} if as_item else list(rows),
        "totalCount": str(len(rows)),
        "numOfRows": "1000",
        "pageNo": "1",
    }
    return json_reply(
        {"response": {"header": {"resultCode": "00", "resultMsg": "NORMAL_SERVICE"}, "body": body}}
    )


NODATA = json_reply({"response": {"header": {"resultCode": "03", "resultMsg": "NODATA_ERROR"}}})


@pytest.mark.parametrize("as_item", [False, True])
async def test_three_fees_under_one_name_are_a_range(
    vendor: VendorServer, mois: MoisBulkyFees, as_item: bool
) -> None:
    vendor.answer(
        PATH, ok(row("장롱", "8000"), row("장롱", "15,000"), row("장 롱", "5000원"), as_item=as_item)
    )
    fees: BulkyFees = mois

    assert await fees.fees(GANGNAM, "장롱") == [
        BulkyFee("장롱", "가구류", 5_000, 15_000, (), GANGNAM, "서울특별시 강남구청", "2025-03-01")
    ]
    assert vendor.asked[0].query == {
        "serviceKey": CANARY,
        "type": "json",
        "sggNm": "강남구",
        "pageNo": "1",
        "numOfRows": "1000",
    }


async def test_sizes_that_are_told_apart_keep_their_fees(vendor: VendorServer, mois: MoisBulkyFees) -> None:
    sizes = [
        row("책상", "3000", larWasSpcfct="90cm 미만"),
        row("책상", "8000", larWasSpcfct="90cm 이상"),
        row("책상", "8000"),
    ]
    vendor.answer(PATH, ok(*sizes))

    (fee,) = await mois.fees(GANGNAM, "책상")

    assert (fee.lowest_won, fee.highest_won) == (3_000, 8_000)
    assert fee.sizes == ("90cm 미만 3,000원", "90cm 이상 8,000원")


async def test_what_is_taken_for_nothing_costs_nothing(vendor: VendorServer, mois: MoisBulkyFees) -> None:
    vendor.answer(PATH, ok(row("냉장고", "", paidFreeYn="무료"), row("세탁기", "0"), row("에어컨", "null")))

    assert [fee.highest_won for fee in await mois.fees(GANGNAM, "냉장고")] == [0]
    assert [fee.highest_won for fee in await mois.fees(GANGNAM, "세탁기")] == [0]
    with pytest.raises(NoData):
        await mois.fees(GANGNAM, "에어컨")


NAMES = [
    "침대(2인용)",
    "침대매트리스",
    "소파",
    "소파(3인용)",
    "전자레인지",
    "레인지",
    "상",
    "밥상",
    "장농",
    "TV장",
]


@pytest.mark.parametrize(
    ("item", "found"),
    [
        ("침대", ["침대(2인용)", "침대매트리스"]),
        ("2인용 침대", ["침대(2인용)"]),
        ("소파", ["소파", "소파(3인용)"]),
        ("쇼파", ["소파", "소파(3인용)"]),
        ("3인용 소파", ["소파(3인용)"]),
        ("가죽 소파", ["소파"]),
        ("전자레인지", ["전자레인지"]),
        ("상", ["상"]),
        ("장롱", ["장농"]),
        ("텔레비전 장", ["TV장"]),
    ],
)
async def test_names_are_compared_loosely_both_ways(
    vendor: VendorServer, mois: MoisBulkyFees, item: str, found: list[str]
) -> None:
    vendor.answer(PATH, ok(*(row(name, "1000") for name in NAMES)))

    assert [fee.item for fee in await mois.fees(GANGNAM, item)] == found


@pytest.mark.parametrize("item", ["피아노", "농", "", "()"])
async def test_a_thing_that_is_not_listed_is_no_data(
    vendor: VendorServer, mois: MoisBulkyFees, item: str
) -> None:
    vendor.answer(PATH, ok(*(row(name, "1000") for name in NAMES)))

    with pytest.raises(NoData):
        await mois.fees(GANGNAM, item)


async def test_a_city_of_two_parts_is_tried_whole_and_then_by_its_first_word(
    vendor: VendorServer, mois: MoisBulkyFees
) -> None:
    vendor.answer(PATH, NODATA, NODATA, ok(row("의자", "2000", ctpvNm="경기도", sggNm="수원시")), NODATA)

    (fee,) = await mois.fees(District("경기도", "수원시 장안구"), "의자")

    assert fee.district == District("경기도", "수원시")
    assert [query["sggNm"] for query in vendor.queries(PATH)] == [
        "수원시 장안구",
        "경기도 수원시 장안구",
        "수원시",
    ]


async def test_a_province_in_the_citys_field_is_understood(vendor: VendorServer, mois: MoisBulkyFees) -> None:
    vendor.answer(PATH, NODATA, ok(row("의자", "2000", ctpvNm="부산광역시", sggNm="부산광역시 영도구")))

    assert len(await mois.fees(District("부산광역시", "영도구"), "의자")) == 1


async def test_fees_of_another_district_of_the_same_name_are_not_mixed_in(
    vendor: VendorServer, mois: MoisBulkyFees
) -> None:
    namesakes = [
        row("의자", "2000", ctpvNm="부산광역시", sggNm="중구"),
        row("의자", "9000", ctpvNm="서울특별시", sggNm="중구"),
    ]
    vendor.answer(PATH, ok(*namesakes))

    (fee,) = await mois.fees(District("서울특별시", "중구"), "의자")
    assert (fee.lowest_won, fee.highest_won) == (9_000, 9_000)

    unclear = await mois.fees(District("", "중구"), "의자")
    assert [(fee.district.name, fee.lowest_won, fee.highest_won) for fee in unclear] == [
        ("부산광역시 중구", 2_000, 2_000),
        ("서울특별시 중구", 9_000, 9_000),
    ]


async def test_sejong_is_asked_for_by_its_province(vendor: VendorServer, mois: MoisBulkyFees) -> None:
    vendor.answer(PATH, ok(row("의자", "2000", ctpvNm="세종특별자치시", sggNm="없음")))

    assert len(await mois.fees(District("세종특별자치시", ""), "의자")) == 1
    assert vendor.asked[0].query["ctpvNm"] == "세종특별자치시"


async def test_a_province_alone_is_not_asked_for(vendor: VendorServer, mois: MoisBulkyFees) -> None:
    with pytest.raises(NoData):
        await mois.fees(District("경기도", ""), "의자")

    assert vendor.asked == []


async def test_a_district_is_asked_for_once_whether_it_has_fees_or_not(
    vendor: VendorServer, mois: MoisBulkyFees
) -> None:
    vendor.answer(PATH, ok(row("의자", "2000"), row("책상", "3000")))
    await mois.fees(GANGNAM, "의자")
    await mois.fees(GANGNAM, "책상")
    assert len(vendor.asked) == 1

    vendor.answer(PATH, NODATA)
    for _ in range(2):
        with pytest.raises(NoData):
            await mois.fees(District("강원특별자치도", "양구군"), "의자")
    assert len(vendor.asked) == 4, "three spellings, once each"


async def test_rows_of_another_shape_are_drift(vendor: VendorServer, mois: MoisBulkyFees) -> None:
    vendor.answer(PATH, ok({"name": "의자", "price": "2000"}))

    with pytest.raises(SchemaDrift):
        await mois.fees(GANGNAM, "의자")


async def test_the_key_reaches_neither_log_nor_error_nor_span(
    vendor: VendorServer, mois: MoisBulkyFees, leaks: Leaks
) -> None:
    vendor.answer(PATH, gateway_error("20"))

    with pytest.raises(VendorError) as caught:
        await mois.fees(GANGNAM, "의자")

    assert leaks.holding(CANARY, caught.value) == []
