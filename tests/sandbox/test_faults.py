"""The faults that any vendor can be asked for, and what is counted of them."""

import time

import httpx
import pytest
from eco2_sandbox.vendors.behaviour import VENDORS

from tests.sandbox.vendors import KAKAO_KEY, MOIS


def ask(vendors, vendor, timeout=10):
    """One good request to a vendor, by a client of its own."""
    asked = {
        "kakao": ("GET", "kakao/v2/local/search/keyword.json?query=약국", KAKAO_KEY, None),
        "tavily": (
            "POST",
            "api.tavily.com/search",
            {"Authorization": "Bearer key"},
            {"query": "재활용 뉴스"},
        ),
        "keco": ("GET", "infuser.odcloud.kr/oas/docs?namespace=15106385/v1", {}, None),
        "images": ("POST", "v1/responses", {"Authorization": "Bearer key"}, {"model": "m", "input": "안녕"}),
        "kma": (
            "GET",
            "apis.data.go.kr/1360000/VilageFcstInfoService_2.0/getUltraSrtNcst"
            "?serviceKey=k&dataType=JSON&base_date=20260114&base_time=1200&nx=60&ny=127",
            {},
            None,
        ),
        "mois": ("GET", f"{MOIS}?serviceKey=k&returnType=json", {}, None),
        "fees": (
            "GET",
            "api.data.go.kr/openapi/tn_pubr_public_lar_was_fee_api?serviceKey=k&type=json",
            {},
            None,
        ),
        "boxes": (
            "GET",
            "api.data.go.kr/openapi/tn_pubr_public_lung_medicine_api?serviceKey=k&type=json",
            {},
            None,
        ),
        "prices": (
            "GET",
            "apis.data.go.kr/B552584/reutilMrktPrcExmn/getlist?serviceKey=k&returnType=JSON",
            {},
            None,
        ),
    }
    method, path, headers, body = asked[vendor]
    return vendors.http.request(method, f"{vendors.url}/{path}", headers=headers, json=body, timeout=timeout)


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_vendor_answers_until_it_is_asked_to_fail_and_again_after_a_reset(vendors, vendor):
    before = vendors.counts(vendor)
    assert ask(vendors, vendor).status_code == 200
    vendors.behave(vendor, fail={"status": 500})
    assert ask(vendors, vendor).status_code == 500
    vendors.http.delete(f"{vendors.url}/sandbox/vendors/{vendor}/behaviour")
    assert ask(vendors, vendor).status_code == 200
    after = vendors.counts(vendor)
    assert {name: after[name] - before[name] for name in ("started", "completed", "failed", "open")} == {
        "started": 3,
        "completed": 2,
        "failed": 1,
        "open": 0,
    }


@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize("status", [401, 403, 429, 503])
def test_every_vendor_fails_with_the_status_asked_for(vendors, vendor, status):
    vendors.behave(vendor, fail={"status": status})
    assert ask(vendors, vendor).status_code == status


@pytest.mark.parametrize("vendor", VENDORS)
def test_failing_ends_after_the_times_asked_for(vendors, vendor):
    vendors.behave(vendor, fail={"status": 500, "times": 2})
    assert [ask(vendors, vendor).status_code for _ in range(4)] == [500, 500, 200, 200]


def test_one_vendor_s_behaviour_is_no_other_s(vendors):
    vendors.behave("kakao", fail={"status": 500})
    assert ask(vendors, "kakao").status_code == 500
    assert {vendor: ask(vendors, vendor).status_code for vendor in VENDORS if vendor != "kakao"} == {
        vendor: 200 for vendor in VENDORS if vendor != "kakao"
    }


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_cut_reply_is_tidy_http_with_half_a_body(vendors, vendor):
    vendors.behave(vendor, cut_after_bytes=20)
    reply = ask(vendors, vendor)
    assert (reply.status_code, len(reply.content)) == (200, 20)
    with pytest.raises(ValueError, match=r"Expecting|Unterminated|delimiter"):
        reply.json()


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_broken_reply_ends_the_connection(vendors, vendor):
    vendors.behave(vendor, break_after_bytes=20)
    before = vendors.counts(vendor)["broken"]
    with pytest.raises(httpx.RemoteProtocolError):
        ask(vendors, vendor)
    assert vendors.counts(vendor)["broken"] == before + 1


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_hung_vendor_never_answers(vendors, vendor):
    vendors.behave(vendor, hang=True)
    before = vendors.counts(vendor)["closed_early"]
    with pytest.raises(httpx.ReadTimeout):
        ask(vendors, vendor, timeout=0.1)
    deadline = time.monotonic() + 10
    while vendors.counts(vendor)["closed_early"] == before:
        assert time.monotonic() < deadline


def test_a_slow_vendor_takes_its_time(vendors):
    vendors.behave("mois", latency_ms=150)
    begun = time.monotonic()
    assert ask(vendors, "mois").status_code == 200
    assert time.monotonic() - begun >= 0.15


def test_an_unknown_vendor_and_a_wrong_behaviour_are_refused(vendors):
    assert vendors.behave("naver", hang=True).status_code == 422
    assert vendors.behave("kma", speed=3).status_code == 422
    assert vendors.behave("kma", items="tree").status_code == 422
    assert vendors.behave("kma", fail={"status": 99}).status_code == 422
    assert ask(vendors, "kma").status_code == 200


def test_behaviours_are_shown_and_reset_together(vendors):
    url = f"{vendors.url}/sandbox/vendors"
    vendors.behave("kma", latency_ms=3)
    assert vendors.http.get(url).json()["kma"]["latency_ms"] == 3
    assert vendors.http.get(f"{url}/kma/behaviour").json()["latency_ms"] == 3
    vendors.http.delete(url)
    assert set(vendors.http.get(url).json()) == set(VENDORS)
    assert vendors.http.get(url).json()["kma"]["latency_ms"] is None
