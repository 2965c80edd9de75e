"""odcloud's reply shapes: a path that moves, errors with HTTP 200, addresses spelled in many ways."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from chat_worker.adapters.collection_boxes import CollectionBoxes
from chat_worker.adapters.collection_points import RegisteredPoints
from chat_worker.adapters.keco_ewaste import KecoEwaste
from chat_worker.errors import (
    AuthError,
    BadRequest,
    NoData,
    QuotaExceeded,
    SchemaDrift,
    Transient,
    VendorError,
)
from chat_worker.ports.collection import Collected
from chat_worker.ports.places import District
from pydantic import SecretStr

from tests.worker_vendors.conftest import CANARY, QUICK, Leaks, Traces
from tests.worker_vendors.vendor_server import HANGS, Reply, VendorServer, gateway_error, json_reply

DOCS = "/oas/docs"
OLD = "/15106385/v1/uddi:4977d714-dca6-4bda-a10f-9bed30e2ce9c"
NEW = "/15106385/v1/uddi:0aa3e6c1-1111-4222-8333-944455556666"
SUWON = District("경기도", "수원시 장안구", "정자동")
MakeEwaste = Callable[..., KecoEwaste]


def listing(*paths: str, base: str = "/api", dates: tuple[str, ...] = ("20240630", "20250630")) -> Reply:
    listed = {
        path: {"get": {"summary": f"한국환경공단_폐전자제품 수거함 위치정보_{date}", "parameters": []}}
        for path, date in zip(paths, dates, strict=False)
    }
    return json_reply({"swagger": "2.0", "host": "api.odcloud.kr", "basePath": base, "paths": listed})


def row(address: str | None, name: str = "주민센터", **fields: Any) -> dict[str, Any]:
    whole = {
        "순번": 1,
        "상호명": name,
        "수거종류": "폐휴대폰, 중소형 폐가전",
        "수거방법": "수거함",
        "수거장소(주소)": address,
        "장소구분": "공공기관",
        "수거비용": "무상",
    }
    return {**whole, **fields}


def page(*rows: dict[str, Any], matched: int | None = None) -> Reply:
    counts = {"page": 1, "perPage": 1000, "totalCount": 12_800, "currentCount": len(rows)}
    return json_reply({**counts, "matchCount": len(rows) if matched is None else matched, "data": list(rows)})


@pytest.fixture
async def make_ewaste(vendor: VendorServer, traces: Traces, key: SecretStr) -> AsyncIterator[MakeEwaste]:
    made: list[KecoEwaste] = []

    def make(key: SecretStr = key, **options: Any) -> KecoEwaste:
        urls = {"base_url": vendor.base_url, "docs_url": vendor.base_url}
        made.append(KecoEwaste(key, traces.tracer, limits=QUICK, **urls, **options))
        return made[-1]

    vendor.answer(DOCS, listing(OLD))
    yield make
    for ewaste in made:
        await ewaste.close()


async def test_the_path_comes_from_the_listing_and_the_key_travels_in_a_header(
    vendor: VendorServer, make_ewaste: MakeEwaste
) -> None:
    vendor.answer(f"/api{OLD}", page(row("경기 수원시 장안구 정자로 1")))

    (point,) = await make_ewaste().near(SUWON)

    assert (point.takes, point.name) == (Collected.ELECTRONICS, "주민센터")
    assert point.address == "경기 수원시 장안구 정자로 1"
    assert (point.accepts, point.detail) == ("폐휴대폰, 중소형 폐가전", "공공기관, 수거함, 무상")
    assert (point.location, point.distance_m) == (None, None)
    docs, data = vendor.asked
    assert (docs.path, docs.query) == (DOCS, {"namespace": "15106385/v1"})
    assert "Authorization" not in docs.headers
    assert data.headers["Authorization"] == f"Infuser {CANARY}"
    assert data.query["cond[수거장소(주소)::LIKE]"] == "수원시 장안구"
    assert CANARY not in data.raw_query


async def test_the_percent_encoded_form_of_the_key_is_decoded(
    vendor: VendorServer, make_ewaste: MakeEwaste
) -> None:
    vendor.answer(f"/api{OLD}", page(row("경기 수원시 장안구 정자로 1")))

    await make_ewaste(SecretStr("C4n4ry%2B%2Fsecret%3D%3D\n")).near(SUWON)

    assert vendor.asked[-1].headers["Authorization"] == f"Infuser {CANARY}"


async def test_of_several_uploads_the_newest_is_read(vendor: VendorServer, make_ewaste: MakeEwaste) -> None:
    vendor.answer(DOCS, listing(NEW, OLD, dates=("2025-06-30", "20240630")))
    vendor.answer(f"/api{NEW}", page(row("경기도 수원시 장안구 새길 2")))

    (point,) = await make_ewaste().near(SUWON)

    assert point.address == "경기도 수원시 장안구 새길 2"


async def test_a_listing_whose_base_path_holds_the_namespace_is_read_too(
    vendor: VendorServer, make_ewaste: MakeEwaste
) -> None:
    uddi = OLD.removeprefix("/15106385/v1")
    vendor.answer(DOCS, listing(uddi, base="/api/15106385/v1"))
    vendor.answer(f"/api{OLD}", page(row("경기 수원시 장안구 1")))

    assert len(await make_ewaste().near(SUWON)) == 1


async def test_the_path_is_looked_up_once_for_many(vendor: VendorServer, make_ewaste: MakeEwaste) -> None:
    vendor.answer(f"/api{OLD}", page(row("경기 수원시 장안구 1")))
    ewaste = make_ewaste()

    await asyncio.gather(*(ewaste.near(SUWON) for _ in range(5)))

    assert len(vendor.queries(DOCS)) == 1


@pytest.mark.parametrize(
    "gone",
    [
        Reply(b"<html>not found</html>", 404, "text/html"),
        json_reply({"code": -3, "msg": "등록되지 않은 서비스 입니다."}, 400),
        json_reply({"code": -3, "msg": "등록되지 않은 서비스 입니다."}, 200),
        json_reply({"code": -9, "msg": "종료된 서비스 입니다."}, 400),
    ],
)
async def test_a_path_that_is_gone_is_looked_up_again(
    vendor: VendorServer, make_ewaste: MakeEwaste, gone: Reply
) -> None:
    ewaste = make_ewaste()
    vendor.answer(f"/api{OLD}", page(row("경기 수원시 장안구 1")), gone)
    await ewaste.near(SUWON)
    vendor.answer(DOCS, listing(OLD, NEW))
    vendor.answer(f"/api{NEW}", page(row("경기 수원시 장안구 새길 2")))

    (point,) = await ewaste.near(SUWON)

    assert point.address == "경기 수원시 장안구 새길 2"
    assert len(vendor.queries(DOCS)) == 2


async def test_a_path_that_is_gone_for_good_is_an_error_after_one_more_try(
    vendor: VendorServer, make_ewaste: MakeEwaste
) -> None:
    vendor.answer(f"/api{OLD}", json_reply({"code": -3, "msg": "no"}, 400))

    with pytest.raises(BadRequest):
        await make_ewaste().near(SUWON)

    assert len(vendor.queries(f"/api{OLD}")) == 2


async def test_an_old_path_stays_while_the_listing_is_down(
    vendor: VendorServer, make_ewaste: MakeEwaste
) -> None:
    ewaste = make_ewaste(path_ttl_s=0)
    vendor.answer(f"/api{OLD}", page(row("경기 수원시 장안구 1")))
    await ewaste.near(SUWON)
    vendor.answer(DOCS, Reply(b"", 503))

    assert len(await ewaste.near(SUWON)) == 1


@pytest.mark.parametrize(
    "docs",
    [
        json_reply({"swagger": "2.0", "paths": {}}),
        json_reply({"paths": {"/15106385/v1/uddi:../../evil": {"get": {"summary": "20250101"}}}}),
        json_reply({"basePath": "/api", "paths": {"/999/v1/uddi:4977d714-dca6": {"get": {"summary": "x"}}}}),
        json_reply(["no listing"]),
        Reply(b"<html>", kind="text/html"),
    ],
)
async def test_a_listing_without_the_dataset_is_a_drift(
    vendor: VendorServer, make_ewaste: MakeEwaste, docs: Reply
) -> None:
    vendor.answer(DOCS, docs)

    with pytest.raises(SchemaDrift):
        await make_ewaste().near(SUWON)


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (json_reply({"code": -4, "msg": "등록되지 않은 인증키 입니다."}, 200), AuthError),
        (json_reply({"code": -4, "msg": "등록되지 않은 인증키 입니다."}, 400), AuthError),
        (json_reply({"code": -401, "msg": "유효하지 않은 인증키 입니다."}, 401), AuthError),
        (json_reply({"code": -10, "msg": "트래픽을 초과하였습니다."}, 400), QuotaExceeded),
        (json_reply({"code": "-10", "msg": "트래픽을 초과하였습니다."}, 200), QuotaExceeded),
        (json_reply({"code": -1, "msg": "시스템 내부 오류"}, 400), Transient),
        (json_reply({"code": -2, "msg": "잘못된 파라미터"}, 400), BadRequest),
        (json_reply({"code": -77, "msg": "?"}, 200), SchemaDrift),
        (json_reply({"page": 1, "rows": []}), SchemaDrift),
        (json_reply({"matchCount": 1, "data": [{"주소": "경기"}]}), SchemaDrift),
        (gateway_error("22"), SchemaDrift),
    ],
)
async def test_each_code_has_its_error(
    vendor: VendorServer, make_ewaste: MakeEwaste, reply: Reply, error: type[VendorError]
) -> None:
    vendor.answer(f"/api{OLD}", reply)

    with pytest.raises(error):
        await make_ewaste().near(SUWON)


@pytest.mark.parametrize(
    ("district", "address", "is_in"),
    [
        (District("서울특별시", "중구"), "서울시 중구 을지로 1", True),
        (District("서울특별시", "중구"), "서울 중구 을지로 1", True),
        (District("서울", "중구"), "서울특별시 중구 을지로 1", True),
        (District("서울특별시", "중구"), "대전 중구 중앙로 1", False),
        (District("서울특별시", "중구"), "중구 을지로 1", False),
        (District("서울특별시", "강남구"), "강남구 역삼로 1", True),
        (District("부산광역시", "남구"), "부산 강남구역 1", False),
        (District("경기도", "광주시"), "경기 광주시 경안로 1", True),
        (District("경기도", "광주시"), "광주광역시 동구 1", False),
        (District("전라북도", "전주시"), "전북특별자치도 전주시 1", True),
        (District("세종특별자치시", ""), "세종 한누리대로 1", True),
        (District("세종특별자치시", "세종시"), "세종시 한누리대로 1", True),
        (District("세종특별자치시", ""), "대전 세종로 1", False),
    ],
)
async def test_a_province_is_known_in_every_spelling_and_a_name_of_several_only_with_it(
    vendor: VendorServer, make_ewaste: MakeEwaste, district: District, address: str, is_in: bool
) -> None:
    vendor.answer(f"/api{OLD}", page(row(address), row(None)))
    try:
        found = [point.address for point in await make_ewaste().near(district)]
    except NoData:
        found = []

    assert found == ([address] if is_in else [])


async def test_sejong_is_asked_for_by_its_stem(vendor: VendorServer, make_ewaste: MakeEwaste) -> None:
    vendor.answer(f"/api{OLD}", page(row("세종시 한누리대로 1")))

    await make_ewaste().near(District("세종특별자치시", "없음"))

    assert vendor.queries(f"/api{OLD}")[0]["cond[수거장소(주소)::LIKE]"] == "세종"


async def test_a_part_of_a_city_falls_back_to_the_city(vendor: VendorServer, make_ewaste: MakeEwaste) -> None:
    vendor.answer(f"/api{OLD}", page(), page(row("경기도 수원시 권선로 1")))

    (point,) = await make_ewaste().near(SUWON)

    assert point.address == "경기도 수원시 권선로 1"
    words = [query["cond[수거장소(주소)::LIKE]"] for query in vendor.queries(f"/api{OLD}")]
    assert words == ["수원시 장안구", "수원시"]


async def test_the_neighbourhood_comes_first_and_there_is_a_limit(
    vendor: VendorServer, make_ewaste: MakeEwaste
) -> None:
    far = [row(f"경기 수원시 장안구 먼길 {n}") for n in range(9)]
    vendor.answer(f"/api{OLD}", page(*far, row("경기 수원시 장안구 정자동 1")))

    points = await make_ewaste().near(SUWON, limit=3)

    assert points[0].address == "경기 수원시 장안구 정자동 1"
    assert len(points) == 3


async def test_all_pages_of_a_match_are_read(vendor: VendorServer, make_ewaste: MakeEwaste) -> None:
    first = page(row("경기 수원시 장안구 1"), matched=2)
    second = page(row("경기 수원시 장안구 2"), matched=2)
    vendor.answer(f"/api{OLD}", first, second)

    assert len(await make_ewaste().near(SUWON)) == 2
    assert [query["page"] for query in vendor.queries(f"/api{OLD}")] == ["1", "2"]


async def test_a_district_without_points_is_no_data(vendor: VendorServer, make_ewaste: MakeEwaste) -> None:
    vendor.answer(f"/api{OLD}", page())

    with pytest.raises(NoData):
        await make_ewaste().near(SUWON)


async def test_no_district_at_all_is_a_bad_request(make_ewaste: MakeEwaste) -> None:
    with pytest.raises(BadRequest):
        await make_ewaste().near(District("", ""))


async def test_without_a_key_nothing_is_sent(vendor: VendorServer, make_ewaste: MakeEwaste) -> None:
    with pytest.raises(AuthError):
        await make_ewaste(SecretStr("")).near(SUWON)

    assert vendor.asked == []


@pytest.mark.parametrize(
    "reply", [json_reply({"code": -4, "msg": f"{CANARY} is unknown"}, 400), Reply(b"<html>", 404), HANGS]
)
async def test_the_key_stays_inside_whatever_happens(
    vendor: VendorServer, make_ewaste: MakeEwaste, leaks: Leaks, reply: Reply
) -> None:
    vendor.answer(f"/api{OLD}", reply)

    with pytest.raises(VendorError) as caught:
        await make_ewaste().near(SUWON)

    assert leaks.traces.spans
    assert leaks.holding(CANARY, caught.value) == []


@pytest.mark.parametrize("takes", list(Collected))
async def test_a_slow_vendor_ends_within_the_budget_of_all_calls_together(
    vendor: VendorServer, traces: Traces, key: SecretStr, make_ewaste: MakeEwaste, takes: Collected
) -> None:
    vendor.answer(DOCS, HANGS)
    for path in ("waste_lamp_battery_collection_box", "lung_medicine", "clothing_collect_bins"):
        vendor.answer(f"/tn_pubr_public_{path}_api", HANGS)
    boxes = CollectionBoxes(key, traces.tracer, base_url=vendor.base_url)
    points = RegisteredPoints(make_ewaste(), boxes, budget_s=0.3)
    began = asyncio.get_running_loop().time()

    with pytest.raises(Transient):
        await points.near(takes, SUWON)

    assert asyncio.get_running_loop().time() - began < 1
    await points.close()


async def test_each_kind_of_thing_is_asked_of_the_vendor_that_knows_it(
    vendor: VendorServer, traces: Traces, key: SecretStr, make_ewaste: MakeEwaste
) -> None:
    vendor.answer(f"/api{OLD}", page(row("경기 수원시 장안구 1")))
    box = {"instlPlcNm": "약국", "ctpvNm": "경기도", "sggNm": "수원시 장안구", "lat": "37.3", "lot": "127.0"}
    body = {"items": [box], "totalCount": "1"}
    reply = json_reply({"response": {"header": {"resultCode": "00", "resultMsg": "OK"}, "body": body}})
    vendor.answer("/tn_pubr_public_lung_medicine_api", reply)
    boxes = CollectionBoxes(key, traces.tracer, base_url=vendor.base_url, limits=QUICK)
    points = RegisteredPoints(make_ewaste(), boxes)

    ewaste = await points.near(Collected.ELECTRONICS, SUWON)
    medicine = await points.near(Collected.MEDICINE, SUWON)

    assert [point.takes for point in (*ewaste, *medicine)] == [Collected.ELECTRONICS, Collected.MEDICINE]
    await points.close()
