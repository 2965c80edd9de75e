import pytest

from tests.sandbox.vendors import KAKAO

GANGNAM = {"x": "127.0276", "y": "37.4979"}
KEYWORD, CATEGORY, ADDRESS = "search/keyword.json", "search/category.json", "search/address.json"
REGION, TO_ADDRESS = "geo/coord2regioncode.json", "geo/coord2address.json"


def test_a_keyword_finds_places_in_kakao_s_shape(vendors):
    reply = vendors.kakao(KEYWORD, query="강남구 제로웨이스트샵").json()
    assert set(reply["meta"]) == {"total_count", "pageable_count", "is_end", "same_name"}
    assert set(reply["meta"]["same_name"]) == {"region", "keyword", "selected_region"}
    first = reply["documents"][0]
    assert set(first) == {
        *("id", "place_name", "category_name", "category_group_code", "category_group_name", "phone"),
        *("address_name", "road_address_name", "x", "y", "place_url", "distance"),
    }
    assert "예시" in first["place_name"]
    assert "강남구" in first["address_name"]
    assert (isinstance(first["x"], str), first["distance"]) == (True, "")


@pytest.mark.parametrize(
    "query",
    [
        "강남역 근처 약국",
        "제로 웨이스트",
        "망원동 리필샵",
        "마포구 재활용센터",
        "해운대구 동사무소",
        "서울 고물상",
    ],
)
def test_what_people_type_finds_something(vendors, query):
    assert vendors.kakao(KEYWORD, query=query).json()["documents"]


@pytest.mark.parametrize("query", ["zero waste shop", "pharmacy Gangnam Station", "Refill Store Mapo-gu"])
def test_english_names_are_known(vendors, query):
    assert vendors.kakao(KEYWORD, query=query).json()["documents"]


def test_a_place_of_that_name_comes_before_its_neighbours(vendors):
    first = vendors.kakao(KEYWORD, query="강남역").json()["documents"][0]
    assert (first["place_name"], first["category_group_code"]) == ("강남역 예시", "SW8")


def test_a_word_that_no_place_has_finds_nothing(vendors):
    reply = vendors.kakao(KEYWORD, query="우주정거장").json()
    assert reply["documents"] == []
    assert (reply["meta"]["total_count"], reply["meta"]["is_end"]) == (0, True)


def test_around_a_point_places_have_a_distance_and_can_be_sorted_by_it(vendors):
    asked = {"query": "약국", **GANGNAM, "radius": 5000, "sort": "distance"}
    distances = [int(one["distance"]) for one in vendors.kakao(KEYWORD, **asked).json()["documents"]]
    assert len(distances) > 2
    assert distances == sorted(distances)
    assert distances[-1] <= 5000


def test_pages_lie_side_by_side_and_end_at_forty_five(vendors):
    pages = [vendors.kakao(KEYWORD, query="예시", page=page).json() for page in (1, 2, 3, 4)]
    ids = [one["id"] for page in pages for one in page["documents"]]
    assert len(ids) == len(set(ids)) == 45
    assert pages[0]["meta"]["total_count"] > pages[0]["meta"]["pageable_count"] == 45
    assert [page["meta"]["is_end"] for page in pages] == [False, False, True, True]


def test_a_category_is_searched_around_a_point_or_in_a_rectangle(vendors):
    asked = {"category_group_code": "PM9"}
    around = vendors.kakao(CATEGORY, **asked, **GANGNAM, radius=3000).json()["documents"]
    inside = vendors.kakao(CATEGORY, **asked, rect="127.00,37.48,127.07,37.53").json()["documents"]
    assert around
    assert inside
    assert {one["category_group_code"] for one in around + inside} == {"PM9"}


@pytest.mark.parametrize(
    ("x", "y", "first", "second"),
    [
        ("126.9780", "37.5665", "서울특별시", "중구"),
        ("127.0276", "37.4979", "서울특별시", "강남구"),
        ("129.1588", "35.1637", "부산광역시", "해운대구"),
        ("126.9990", "37.3020", "경기도", "수원시 장안구"),
        ("127.2580", "36.4870", "세종특별자치시", ""),
    ],
)
def test_a_point_has_a_legal_and_an_administrative_region(vendors, x, y, first, second):
    reply = vendors.kakao(REGION, x=x, y=y).json()
    assert reply["meta"] == {"total_count": 2}
    assert [one["region_type"] for one in reply["documents"]] == ["B", "H"]
    for one in reply["documents"]:
        assert (one["region_1depth_name"], one["region_2depth_name"]) == (first, second)
        assert len(one["code"]) == 10


def test_a_point_at_sea_has_no_region(vendors):
    assert vendors.kakao(REGION, x="139.69", y="35.68").json() == {
        "meta": {"total_count": 0},
        "documents": [],
    }


def test_a_point_has_an_address_and_not_always_one_by_road(vendors):
    far = vendors.kakao(TO_ADDRESS, x="127.0900", y="37.5500").json()["documents"][0]
    assert far["road_address"] is None
    assert far["address"]["region_1depth_name"] == "서울특별시"
    place = vendors.kakao(KEYWORD, query="강남구 약국").json()["documents"][0]
    near = vendors.kakao(TO_ADDRESS, x=place["x"], y=place["y"]).json()["documents"][0]
    assert near["road_address"]["address_name"] == place["road_address_name"]


@pytest.mark.parametrize(
    ("query", "name", "kind"),
    [
        ("강남구", "서울특별시 강남구", "REGION"),
        ("서울 강남구 역삼동", "서울특별시 강남구 역삼동", "REGION"),
        ("수원시", "경기도 수원시 장안구", "REGION"),
        ("부산", "부산광역시", "REGION"),
        ("Haeundae-gu", "부산광역시 해운대구", "REGION"),
    ],
)
def test_a_name_has_a_point(vendors, query, name, kind):
    first = vendors.kakao(ADDRESS, query=query).json()["documents"][0]
    assert (first["address_name"], first["address_type"]) == (name, kind)
    assert 33 < float(first["y"]) < 39


def test_an_address_has_a_point_and_a_wrong_one_none(vendors):
    place = vendors.kakao(KEYWORD, query="강남구 약국").json()["documents"][0]
    by_road = vendors.kakao(ADDRESS, query=place["road_address_name"]).json()["documents"]
    assert [(one["address_type"], one["x"]) for one in by_road] == [("ROAD_ADDR", place["x"])]
    assert vendors.kakao(ADDRESS, query="없는길 1").json()["documents"] == []


@pytest.mark.parametrize("key", [{}, {"Authorization": "Bearer key"}, {"Authorization": "KakaoAK wrong-key"}])
def test_without_the_right_key_the_app_is_refused(vendors, key):
    reply = vendors.get(f"{KAKAO}/{KEYWORD}", {"query": "약국"}, **key)
    assert (reply.status_code, reply.json()["errorType"]) == (401, "AccessDeniedError")


@pytest.mark.parametrize(
    ("path", "params"),
    [
        (KEYWORD, {}),
        (KEYWORD, {"query": "약국", "size": 16}),
        (KEYWORD, {"query": "약국", "page": 46}),
        (KEYWORD, {"query": "약국", "sort": "distance"}),
        (KEYWORD, {"query": "약국", **GANGNAM, "radius": 20001}),
        (KEYWORD, {"query": "약국", "x": "127"}),
        (KEYWORD, {"query": "약국", "category_group_code": "XX9"}),
        (CATEGORY, {"category_group_code": "PM9"}),
        (CATEGORY, {**GANGNAM}),
        (CATEGORY, {"category_group_code": "PM9", "rect": "1,2,3"}),
        (REGION, {"x": "a", "y": "b"}),
        (ADDRESS, {"query": "강남구", "size": 31}),
    ],
)
def test_a_parameter_outside_the_limits_is_refused(vendors, path, params):
    reply = vendors.kakao(path, **params)
    assert reply.status_code == 400
    assert set(reply.json()) == {"errorType", "message"}


def test_a_product_that_is_off_and_a_spent_quota_are_refused(vendors):
    vendors.behave("kakao", fail={"status": 403})
    refused = vendors.kakao(KEYWORD, query="약국")
    assert refused.status_code == 403
    assert refused.json()["errorType"] == "NotAuthorizedError"
    assert "OPEN_MAP_AND_LOCAL" in refused.json()["message"]
    vendors.behave("kakao", fail={"status": 429})
    assert vendors.kakao(KEYWORD, query="약국").status_code == 429


@pytest.mark.parametrize(("code", "status"), [(-2, 400), (-10, 429), (-401, 401)])
def test_the_older_shape_of_an_error_can_be_asked_for(vendors, code, status):
    vendors.behave("kakao", fail={"code": code})
    refused = vendors.kakao(KEYWORD, query="약국")
    assert (refused.status_code, set(refused.json()), refused.json()["code"]) == (
        status,
        {"code", "msg"},
        code,
    )


def test_nothing_is_found_when_that_is_asked_for(vendors):
    vendors.behave("kakao", no_data=True)
    assert vendors.kakao(KEYWORD, query="약국").json()["documents"] == []
    assert vendors.kakao(REGION, **GANGNAM).json()["documents"] == []
