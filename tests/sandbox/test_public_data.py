"""What the rows of the data sets look like, and what their filters do."""

import re

import pytest

from tests.sandbox.vendors import KECO, STANDARD, SWAGGER

BOXES = {
    "tn_pubr_public_waste_lamp_battery_collection_box_api": "cltItemNm",
    "tn_pubr_public_lung_medicine_api": "actlPstn",
    "tn_pubr_public_clothing_collect_bins_api": "dtlPstn",
    "tn_pubr_public_ruse_cnter_api": "weekdayOperColseHhmm",
}


def rows(reply):
    items = reply.json()["response"]["body"]["items"]
    return items if isinstance(items, list) else items["item"] if items else []


@pytest.fixture
def boxes(vendors):
    def ask(name, **params):
        asked = {"serviceKey": "key", "type": "json", "numOfRows": 1000, **params}
        return vendors.get(f"{STANDARD}/{name}", asked)

    return ask


def test_household_waste_has_the_vendor_s_columns_and_its_untidy_values(vendors):
    first_page, second_page = (rows(vendors.portal("mois", numOfRows=100, pageNo=page)) for page in (1, 2))
    found = first_page + second_page
    assert {"SGG_NM", "MNG_ZONE_NM", "RCYCL_EMSN_DOW", "TMPRY_BULK_WASTE_EMSN_PLC", "MNG_DEPT_TELNO"} <= set(
        found[0]
    )
    days = " ".join(row["LF_WST_EMSN_DOW"] for row in found)
    assert re.search(r"월\+수", days)
    assert "월,수" in days
    assert "월요일,수요일" in days
    assert {"1800", "18:00"} <= {row["LF_WST_EMSN_BGNG_TM"] for row in found}
    assert {"null", "없음"} <= {row["UNCLLT_DAY"] for row in found}
    assert {row["MNG_DEPT_NM"] for row in found} == {"예시 자원순환과"}


@pytest.mark.parametrize(
    ("conditions", "district"),
    [
        ({"cond[SGG_NM::LIKE]": "강남구"}, "강남구"),
        ({"cond[SGG_NM::LIKE]": "해운대구", "cond[CTPV_NM::LIKE]": "부산"}, "해운대구"),
        ({"cond[SGG_NM::LIKE]": "수원시"}, "수원시"),
        ({"cond[CTPV_NM::LIKE]": "세종"}, ""),
    ],
)
def test_household_waste_is_found_by_district(vendors, conditions, district):
    found = rows(vendors.portal("mois", **conditions))
    assert found
    assert {row["SGG_NM"] for row in found} == {district}


def test_a_district_of_two_words_is_in_the_zone_s_name(vendors):
    assert rows(vendors.portal("mois", **{"cond[SGG_NM::LIKE]": "수원시 장안구"})) == []
    zones = [row["MNG_ZONE_NM"] for row in rows(vendors.portal("mois", **{"cond[SGG_NM::LIKE]": "수원시"}))]
    assert any("장안구" in zone for zone in zones)


def test_dates_can_be_compared_and_unknown_columns_cannot(vendors):
    assert rows(vendors.portal("mois", **{"cond[DAT_CRTR_YMD::GTE]": "2026-01-01"}))
    assert rows(vendors.portal("mois", **{"cond[DAT_CRTR_YMD::LT]": "2026-01-01"})) == []
    wrong = vendors.portal("mois", **{"cond[NOTHING::LIKE]": "a"}).json()["response"]["header"]
    assert wrong["resultCode"] == "10"


def test_a_thing_has_several_fees_and_no_sizes(vendors):
    asked = {"ctpvNm": "서울특별시", "sggNm": "강남구", "larWasNm": "소파"}
    found = rows(vendors.portal("fees", **asked))
    assert len({row["fee"] for row in found}) == 3
    assert {row["larWasSpcfct"] for row in found} == {"null"}
    assert all(row["fee"].isdecimal() for row in found)


def test_a_municipality_without_rows_is_no_data(vendors):
    reply = vendors.portal("fees", sggNm="없는군").json()
    assert reply["response"]["header"]["resultCode"] == "03"


@pytest.mark.parametrize(("name", "column"), BOXES.items())
def test_boxes_have_coordinates_inside_the_country(boxes, name, column):
    found = rows(boxes(name))
    latitude, longitude = ("latitude", "longitude") if "ruse" in name else ("lat", "lot")
    assert len(found) > 20
    assert column in found[0]
    assert all(33 < float(row[latitude]) < 39 and 126 < float(row[longitude]) < 130 for row in found)
    assert all("예시" in "".join(row.values()) for row in found)


def test_some_rows_have_the_province_in_the_district_and_sejong_has_none(boxes):
    clothes = rows(boxes("tn_pubr_public_clothing_collect_bins_api", ctpvNm="부산광역시"))
    assert {"부산광역시 영도구", "해운대구"} <= {row["sggNm"] for row in clothes}
    medicine = rows(boxes("tn_pubr_public_lung_medicine_api", ctpvNm="세종특별자치시"))
    assert {row["sggNm"] for row in medicine} == {"없음"}


def test_a_month_s_prices_cover_items_and_regions_with_commas_in_thousands(vendors):
    found = rows(vendors.portal("prices", exmnYmd="202512", stdgNm="전국", numOfRows=100))
    assert {"골판지", "압축 (PET)", "압축-PET(잡색)", "알루미늄캔"} <= {row["itemNm"] for row in found}
    assert set(found[0]) == {"exmnYmd", "stdgNm", "itemNm", "mrktPrc"}
    assert any("," in row["mrktPrc"] for row in found)
    assert all(float(row["mrktPrc"].replace(",", "")) > 0 for row in found)


@pytest.mark.parametrize(("month", "is_there"), [("202601", True), ("202602", False), ("201912", False)])
def test_prices_are_there_from_the_tenth_of_their_month(vendors, month, is_there):
    reply = vendors.portal("prices", exmnYmd=month)
    assert bool(rows(reply)) is is_there
    assert reply.json()["response"]["header"]["resultCode"] == "00"


def test_a_month_that_is_none_is_a_bad_parameter(vendors):
    reply = vendors.portal("prices", exmnYmd="2026-01").json()
    assert reply["response"]["header"]["resultCode"] == "10"


def newest(vendors):
    document = vendors.get(SWAGGER, {"namespace": "15106385/v1"}).json()
    return max(document["paths"], key=lambda path: document["paths"][path]["get"]["summary"])


def points(vendors, path, **params):
    return vendors.get(f"api.odcloud.kr/api{path}", params, Authorization="Infuser key")


def test_the_swagger_document_tells_the_paths_of_all_uploads(vendors):
    document = vendors.get(SWAGGER, {"namespace": "15106385/v1"}).json()
    assert (document["host"], document["basePath"], len(document["paths"])) == ("api.odcloud.kr", "/api", 2)
    assert newest(vendors).startswith("/15106385/v1/uddi:")
    for path in document["paths"]:
        assert points(vendors, path).json()["data"]
    assert vendors.get(SWAGGER, {"namespace": "1/v1"}).status_code == 404


def test_points_are_paged_and_counted(vendors):
    path = newest(vendors)
    whole = points(vendors, path, perPage=1000).json()
    assert whole["totalCount"] == whole["matchCount"] == whole["currentCount"] > 100
    assert set(whole["data"][0]) == {
        *("순번", "상호명", "수거종류", "수거방법", "수거장소(주소)", "장소구분", "수거비용")
    }
    pages = [points(vendors, path, page=page, perPage=5).json() for page in (1, 2)]
    assert pages[0]["data"] + pages[1]["data"] == whole["data"][:10]


def test_points_are_found_by_condition(vendors):
    condition = {"cond[수거장소(주소)::LIKE]": "강남구", "perPage": 100}
    found = points(vendors, newest(vendors), **condition).json()
    assert 0 < found["matchCount"] < found["totalCount"]
    assert all("강남구" in row["수거장소(주소)"] for row in found["data"])
    addresses = [
        row["수거장소(주소)"] for row in points(vendors, newest(vendors), perPage=1000).json()["data"]
    ]
    assert {"서울시", "서울특별시", "서울"} <= {address.split()[0] for address in addresses}


def test_a_moved_path_is_told_by_swagger_and_the_old_one_is_gone(vendors):
    before = newest(vendors)
    vendors.behave("keco", moved=True)
    assert points(vendors, before).status_code == 404
    assert newest(vendors) != before
    assert points(vendors, newest(vendors)).json()["data"]


@pytest.mark.parametrize(
    ("params", "headers", "status", "code"),
    [
        ({}, {}, 401, -401),
        ({"serviceKey": "wrong-key"}, {}, 400, -4),
        ({}, {"Authorization": "Infuser wrong-key"}, 400, -4),
        ({"serviceKey": "key", "page": "x"}, {}, 400, -2),
        ({"serviceKey": "key", "perPage": 1001}, {}, 400, -2),
        ({"serviceKey": "key", "cond[없음::EQ]": "a"}, {}, 400, -2),
    ],
)
def test_odcloud_refuses_in_json(vendors, params, headers, status, code):
    reply = vendors.get(f"api.odcloud.kr/api{newest(vendors)}", params, **headers)
    assert (reply.status_code, reply.json()["code"]) == (status, code)


@pytest.mark.parametrize(
    ("fail", "status", "code"),
    [
        ({"code": -4, "status": 200}, 200, -4),
        ({"code": -10}, 400, -10),
        ({"code": -401}, 401, -401),
        ({"status": 500}, 500, -1),
    ],
)
def test_odcloud_s_errors_can_be_asked_for(vendors, fail, status, code):
    path = newest(vendors)
    vendors.behave("keco", fail=fail)
    reply = points(vendors, path)
    assert (reply.status_code, reply.json()["code"]) == (status, code)
    assert KECO in str(reply.url)
