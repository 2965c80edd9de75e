"""Municipalities' rules in the shapes, and with the mess, that they are published with."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from chat_worker.adapters.mois_household import MoisHousehold
from chat_worker.adapters.mois_household_reply import readable_date, readable_days, readable_time
from chat_worker.errors import NoData, QuotaExceeded, SchemaDrift, VendorError
from chat_worker.ports.disposal import DisposalRules, HouseholdWaste, PutOut
from chat_worker.ports.places import District
from pydantic import SecretStr

from tests.worker_vendors.conftest import CANARY, QUICK, Leaks, Traces
from tests.worker_vendors.vendor_server import Reply, VendorServer, gateway_error, json_reply

PATH = "/info"
CITY = "cond[SGG_NM::LIKE]"
GANGNAM = District("서울특별시", "강남구")


@pytest.fixture
async def mois(vendor: VendorServer, traces: Traces, key: SecretStr) -> AsyncIterator[MoisHousehold]:
    mois = MoisHousehold(key, traces.tracer, base_url=vendor.base_url, limits=QUICK)
    yield mois
    await mois.close()


def row(
    province: str = "서울특별시", city: str | None = "강남구", zone: str = "", **changes: Any
) -> dict[str, Any]:
    return {
        "CTPV_NM": province,
        "SGG_NM": city,
        "MNG_ZONE_NM": zone,
        "MNG_ZONE_TRGT_RGN_NM": "없음",
        "EMSN_PLC_TYPE": "문전수거",
        "EMSN_PLC": "null",
        "UNCLLT_DAY": "토요일",
        "LF_WST_EMSN_DOW": "월+수+금",
        "LF_WST_EMSN_BGNG_TM": "1800",
        "LF_WST_EMSN_END_TM": "24:00",
        "LF_WST_EMSN_MTHD": "종량제 봉투",
        "FOD_WST_EMSN_DOW": "월요일,수요일",
        "FOD_WST_EMSN_BGNG_TM": "18:00",
        "FOD_WST_EMSN_END_TM": "null",
        "FOD_WST_EMSN_MTHD": "전용 용기",
        "RCYCL_EMSN_DOW": "매일",
        "RCYCL_EMSN_BGNG_TM": None,
        "RCYCL_EMSN_END_TM": "없음",
        "RCYCL_EMSN_MTHD": "투명 봉투\n품목별로 묶음",
        "TMPRY_BULK_WASTE_EMSN_BGNG_TM": "",
        "TMPRY_BULK_WASTE_EMSN_END_TM": "",
        "TMPRY_BULK_WASTE_EMSN_MTHD": "인터넷 신고 후 배출",
        "TMPRY_BULK_WASTE_EMSN_PLC": "집 앞",
        "MNG_DEPT_NM": "자원순환과",
        "MNG_DEPT_TELNO": "02-3423-5992",
        "MNG_NO": "1",
        "DAT_CRTR_YMD": "20250131",
        "DAT_UPDT_PNT": "20250201101010",
        **changes,
    }


def ok(items: Any, total: int | str = 1) -> Reply:
    body = {"items": items, "pageNo": "1", "numOfRows": "100", "totalCount": total}
    return json_reply({"response": {"header": {"resultCode": "0", "resultMsg": "정상"}, "body": body}})


NOTHING = ok("", 0)


async def test_a_zones_rules_are_read_and_made_readable(vendor: VendorServer, mois: MoisHousehold) -> None:
    vendor.answer(PATH, ok({"item": [row(zone="1구역", MNG_ZONE_TRGT_RGN_NM="역삼동+논현동")]}))
    household: HouseholdWaste = mois

    assert await household.rules(GANGNAM) == [
        DisposalRules(
            district=GANGNAM,
            zone="1구역",
            area="역삼동, 논현동",
            place="문전수거",
            general=PutOut("월, 수, 금", "18:00", "24:00", "종량제 봉투"),
            food=PutOut("월, 수", "18:00", "", "전용 용기"),
            recycling=PutOut("매일", "", "", "투명 봉투 품목별로 묶음"),
            bulky=PutOut("", "", "", "인터넷 신고 후 배출 (집 앞)"),
            no_collection="토",
            department="자원순환과",
            phone="02-3423-5992",
            revised="2025-01-31",
        )
    ]
    assert vendor.asked[0].query == {
        "serviceKey": CANARY,
        "returnType": "json",
        CITY: "강남구",
        "pageNo": "1",
        "numOfRows": "100",
    }


@pytest.mark.parametrize(
    ("items", "zones"),
    [
        ({"item": [row(zone="가"), row(zone="나")]}, ["가", "나"]),
        ({"item": row(zone="가")}, ["가"]),
        ([row(zone="가")], ["가"]),
        ([row(zone="가"), row(zone="가")], ["가"]),
    ],
)
async def test_every_shape_of_items_is_read_and_doubles_are_dropped(
    vendor: VendorServer, mois: MoisHousehold, items: Any, zones: list[str]
) -> None:
    vendor.answer(PATH, ok(items, len(zones)))

    assert [rules.zone for rules in await mois.rules(GANGNAM)] == zones


@pytest.mark.parametrize(
    "reply", [NOTHING, ok([], 0), json_reply({"response": {"header": {"resultCode": "03"}}})]
)
async def test_a_district_without_rows_is_no_data(
    vendor: VendorServer, mois: MoisHousehold, reply: Reply
) -> None:
    vendor.answer(PATH, reply)

    with pytest.raises(NoData):
        await mois.rules(GANGNAM)


@pytest.mark.parametrize(
    ("raw", "readable"),
    [
        ("월+수+금", "월, 수, 금"),
        ("월,수,금", "월, 수, 금"),
        ("월요일, 수요일", "월, 수"),
        ("월·수", "월, 수"),
        ("월수금", "월, 수, 금"),
        ("일", "일"),
        ("월~금", "월, 화, 수, 목, 금"),
        ("일요일 ~ 목요일", "일, 월, 화, 수, 목"),
        ("매일", "매일"),
        ("월+화+수+목+금+토+일", "매일"),
        ("월~일", "매일"),
        ("토요일+공휴일", "토요일, 공휴일"),
        ("격주 화요일", "격주 화요일"),
        ("", ""),
    ],
)
def test_days_have_one_spelling(raw: str, readable: str) -> None:
    assert readable_days(raw) == readable


@pytest.mark.parametrize(
    ("raw", "readable"),
    [
        ("1800", "18:00"),
        ("18:00", "18:00"),
        ("18:00:00", "18:00"),
        ("900", "09:00"),
        ("6:30", "06:30"),
        ("18시", "18:00"),
        ("18시 30분", "18:30"),
        ("2400", "24:00"),
        ("9999", "9999"),
        ("일몰 후", "일몰 후"),
        ("", ""),
    ],
)
def test_times_have_one_spelling(raw: str, readable: str) -> None:
    assert readable_time(raw) == readable


@pytest.mark.parametrize(
    ("raw", "readable"),
    [("20250131", "2025-01-31"), ("2025-01-31", "2025-01-31"), ("20250131101010", None), (None, None)],
)
def test_days_of_the_calendar_have_one_spelling(raw: str | None, readable: str | None) -> None:
    assert readable_date(raw) == readable


@pytest.mark.parametrize("nothing", ["해당없음", "해당 없음", "null", "NULL", "없음", "-", "", None])
async def test_words_for_nothing_are_empty(
    vendor: VendorServer, mois: MoisHousehold, nothing: str | None
) -> None:
    vendor.answer(PATH, ok([row(LF_WST_EMSN_DOW=nothing, MNG_DEPT_TELNO=nothing, DAT_CRTR_YMD=nothing)]))

    (rules,) = await mois.rules(GANGNAM)

    assert (rules.general.days, rules.phone, rules.revised) == ("", "", None)


async def test_a_city_of_two_parts_is_tried_whole_first(vendor: VendorServer, mois: MoisHousehold) -> None:
    vendor.answer(PATH, ok([row("경기도", "수원시 장안구")]))

    (rules,) = await mois.rules(District("경기도", "수원시 장안구"))

    assert rules.district.city == "수원시 장안구"
    assert [query[CITY] for query in vendor.queries(PATH)] == ["수원시 장안구"]


async def test_then_by_its_first_word_and_the_zone_that_bears_the_second(
    vendor: VendorServer, mois: MoisHousehold
) -> None:
    zones = [row("경기도", "수원시", zone) for zone in ("팔달구", "장안구")]
    vendor.answer(PATH, NOTHING, ok(zones, 2))

    (rules,) = await mois.rules(District("경기도", "수원시 장안구"))

    assert (rules.district.city, rules.zone) == ("수원시", "장안구")
    assert [query[CITY] for query in vendor.queries(PATH)] == ["수원시 장안구", "수원시"]


async def test_a_city_that_names_no_parts_speaks_for_all(vendor: VendorServer, mois: MoisHousehold) -> None:
    vendor.answer(PATH, NOTHING, ok([row("경기도", "수원시", "전체")]))

    assert [rules.zone for rules in await mois.rules(District("경기도", "수원시 장안구"))] == ["전체"]


@pytest.mark.parametrize(
    ("district", "cities"),
    [
        (District("부산광역시", "남구"), ["부산 남구"]),
        (District("", "남구"), ["부산 남구", "대구 남구"]),
        (District("", "강남"), ["서울 강남구"]),
    ],
)
async def test_what_only_looks_like_the_district_is_left_out(
    vendor: VendorServer, mois: MoisHousehold, district: District, cities: list[str]
) -> None:
    found = [("부산", "남구"), ("대구", "남구"), ("서울", "강남구"), ("서울", "강남구청")]
    vendor.answer(PATH, ok([row(province, city) for province, city in found], len(found)))

    assert [rules.district.name for rules in await mois.rules(district)] == cities


@pytest.mark.parametrize("stored", ["전라북도", "전북특별자치도", "전북"])
async def test_a_province_that_changed_its_name_is_still_the_same(
    vendor: VendorServer, mois: MoisHousehold, stored: str
) -> None:
    vendor.answer(PATH, ok([row(stored, f"{stored} 군산시")]))

    assert len(await mois.rules(District("전북특별자치도", "군산시"))) == 1


@pytest.mark.parametrize("city", ["", "세종특별자치시", "세종시"])
@pytest.mark.parametrize("stored", [None, "없음", "세종특별자치시"])
async def test_sejong_has_no_districts_and_is_asked_for_by_its_province(
    vendor: VendorServer, mois: MoisHousehold, city: str, stored: str | None
) -> None:
    vendor.answer(PATH, ok([row("세종특별자치시", stored, "어진동")]))

    (rules,) = await mois.rules(District("세종특별자치시", city))

    assert rules.zone == "어진동"
    assert vendor.asked[0].query["cond[CTPV_NM::LIKE]"] == "세종"
    assert CITY not in vendor.asked[0].query


async def test_a_province_alone_is_not_asked_for(vendor: VendorServer, mois: MoisHousehold) -> None:
    with pytest.raises(NoData):
        await mois.rules(District("서울특별시", ""))

    assert vendor.asked == []


async def test_the_zone_of_the_neighbourhood_comes_first(vendor: VendorServer, mois: MoisHousehold) -> None:
    zones = [
        row(zone="가", MNG_ZONE_TRGT_RGN_NM="대치동"),
        row(zone="나", MNG_ZONE_TRGT_RGN_NM="논현동+역삼동"),
    ]
    vendor.answer(PATH, ok(zones, 2))

    rules = await mois.rules(District("서울특별시", "강남구", "역삼1동"))

    assert [zone.zone for zone in rules] == ["나", "가"]


async def test_more_than_the_servers_hundred_rows_are_read_page_by_page(
    vendor: VendorServer, mois: MoisHousehold
) -> None:
    pages = [ok([row(zone=f"{page}-{n}") for n in range(100)], "250") for page in (1, 2)]
    vendor.answer(PATH, *pages, ok([row(zone=f"3-{n}") for n in range(50)], "250"))

    assert len(await mois.rules(GANGNAM)) == 250
    assert [query["pageNo"] for query in vendor.queries(PATH)] == ["1", "2", "3"]


async def test_a_district_is_not_asked_for_twice_and_an_error_is_not_kept(
    vendor: VendorServer, mois: MoisHousehold
) -> None:
    vendor.answer(PATH, Reply(b"slow down", 429), ok([row()]))
    with pytest.raises(QuotaExceeded):
        await mois.rules(GANGNAM)

    assert await mois.rules(GANGNAM) == await mois.rules(GANGNAM)
    assert len(vendor.asked) == 2


@pytest.mark.parametrize(
    "rows",
    [
        [{"CTPV_NM": "서울특별시", "SGG_NM": "강남구"}],
        [{"SGG": "강남구", "LF_WST_EMSN_DOW": "월"}],
    ],
)
async def test_rows_of_another_shape_are_drift(vendor: VendorServer, mois: MoisHousehold, rows: Any) -> None:
    vendor.answer(PATH, ok(rows))

    with pytest.raises(SchemaDrift):
        await mois.rules(GANGNAM)


async def test_the_key_reaches_neither_log_nor_error_nor_span(
    vendor: VendorServer, mois: MoisHousehold, leaks: Leaks
) -> None:
    vendor.answer(PATH, gateway_error("31"))

    with pytest.raises(VendorError) as caught:
        await mois.rules(GANGNAM)

    assert leaks.holding(CANARY, caught.value) == []
