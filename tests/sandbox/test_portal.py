"""What all vendors behind data.go.kr have in common."""

from xml.etree import ElementTree

import pytest

from tests.sandbox.vendors import FEES, PORTAL

VENDORS = sorted(PORTAL)


def header(reply):
    content = reply.json()
    return content.get("response", content)["header"]


def body(reply):
    content = reply.json()
    return content.get("response", content)["body"]


def reason(reply):
    assert reply.headers["content-type"].startswith("application/xml")
    return ElementTree.fromstring(reply.text).findtext("cmmMsgHeader/returnReasonCode")


@pytest.mark.parametrize("vendor", VENDORS)
def test_an_answer_has_the_envelope_and_says_it_is_a_sample(vendors, vendor):
    reply = vendors.portal(vendor)
    assert header(reply)["resultCode"] == "00"
    assert {"items", "pageNo", "numOfRows", "totalCount"} <= set(body(reply))
    assert reply.headers["x-sample-data"] == "true"


@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize("key", [None, "", "wrong-key", "abc%2Bdef%3D%3D"])
def test_a_missing_wrong_or_twice_encoded_key_is_code_30_in_xml_with_status_200(vendors, vendor, key):
    reply = vendors.portal(vendor, serviceKey=key)
    assert (reply.status_code, reason(reply)) == (200, "30")


@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize("code", [1, 5, 12, 20, 22, 23, 30, 31, 32, 99])
def test_any_gateway_error_can_be_asked_for(vendors, vendor, code):
    vendors.behave(vendor, fail={"code": code})
    reply = vendors.portal(vendor)
    assert (reply.status_code, reason(reply)) == (200, f"{code:02}")
    assert "_ERROR" in reply.text


def test_a_gateway_error_may_have_a_status_and_a_status_no_xml(vendors):
    vendors.behave("mois", fail={"code": 22, "status": 429})
    reply = vendors.portal("mois")
    assert (reply.status_code, reason(reply)) == (429, "22")
    vendors.behave("mois", fail={"status": 503})
    reply = vendors.portal("mois")
    assert (reply.status_code, reply.text) == (503, "Service Unavailable\n")


@pytest.mark.parametrize("vendor", VENDORS)
def test_without_the_switch_the_answer_is_xml(vendors, vendor):
    reply = vendors.portal(vendor, dataType=None, returnType=None, type=None)
    root = ElementTree.fromstring(reply.text)
    assert root.findtext("header/resultCode") == "00"
    assert len(root.findall("body/items/item")) == min(10, int(root.findtext("body/totalCount")))


@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize(
    ("shape", "holds"),
    [
        ("item_list", lambda items: len(items["item"]) > 1),
        ("list", lambda items: isinstance(items, list) and len(items) > 1),
        ("list_of_item", lambda items: all(set(row) == {"item"} for row in items)),
        ("single", lambda items: isinstance(items["item"], dict) and items["item"]),
        ("empty_text", lambda items: items == ""),
        ("empty_item", lambda items: items == {"item": {}}),
    ],
)
def test_items_come_in_every_shape_that_was_seen(vendors, vendor, shape, holds):
    vendors.behave(vendor, items=shape)
    assert holds(body(vendors.portal(vendor))["items"])


@pytest.mark.parametrize("vendor", VENDORS)
def test_the_wrapper_may_be_missing(vendors, vendor):
    assert set(vendors.portal(vendor).json()) == {"response"}
    vendors.behave(vendor, wrapper=False)
    assert set(vendors.portal(vendor).json()) == {"header", "body"}


@pytest.mark.parametrize("vendor", VENDORS)
def test_nothing_found_is_code_03(vendors, vendor):
    vendors.behave(vendor, no_data=True)
    reply = vendors.portal(vendor)
    assert reply.status_code == 200
    assert header(reply) == {"resultCode": "03", "resultMsg": "NODATA_ERROR"}


@pytest.mark.parametrize("vendor", VENDORS)
def test_fields_can_be_renamed(vendors, vendor):
    vendors.behave(vendor, renamed={"items": "rows", "resultCode": "code"})
    content = vendors.portal(vendor).json()["response"]
    assert "items" not in content["body"]
    assert content["body"]["rows"]
    assert content["header"]["code"] == "00"


def listed(items):
    return items if isinstance(items, list) else items["item"]


@pytest.mark.parametrize("vendor", VENDORS)
def test_pages_lie_side_by_side(vendors, vendor):
    whole = listed(body(vendors.portal(vendor, numOfRows=6))["items"])
    pages = [listed(body(vendors.portal(vendor, numOfRows=2, pageNo=n))["items"]) for n in (1, 2, 3)]
    assert [row for page in pages for row in page] == whole


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_page_past_the_end_is_empty(vendors, vendor):
    assert body(vendors.portal(vendor, pageNo=900))["items"] in ("", [])


@pytest.mark.parametrize("wrong", [{"pageNo": "0"}, {"pageNo": "x"}, {"numOfRows": "-1"}])
def test_a_page_that_is_no_number_is_code_10(vendors, wrong):
    assert header(vendors.portal("mois", **wrong))["resultCode"] == "10"


@pytest.mark.parametrize(("vendor", "most"), [("mois", 100), ("prices", 100)])
def test_the_server_caps_a_page(vendors, vendor, most):
    capped = body(vendors.portal(vendor, numOfRows=1000))
    assert len(listed(capped["items"])) == most
    assert capped["totalCount"] > most


def test_standard_data_counts_in_text_and_the_others_in_numbers(vendors):
    assert body(vendors.portal("fees"))["pageNo"] == "1"
    assert int(body(vendors.portal("fees"))["totalCount"]) > 100
    assert body(vendors.portal("mois"))["pageNo"] == 1


def test_an_address_without_a_service_is_code_12(vendors):
    for host in ("apis.data.go.kr", "api.data.go.kr"):
        assert reason(vendors.get(f"{host}/openapi/nothing", {"serviceKey": "key"})) == "12"


def test_a_key_may_be_spelled_with_a_capital(vendors):
    assert header(vendors.get(FEES, {"ServiceKey": "key", "type": "json"}))["resultCode"] == "00"
