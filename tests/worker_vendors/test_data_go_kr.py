"""The public data portal's envelope in every shape it is known to come in."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from chat_worker.adapters.data_go_kr import DataGoKr
from chat_worker.adapters.data_go_kr_reply import Page
from chat_worker.adapters.vendor_text import CleanText
from chat_worker.errors import (
    AuthError,
    BadRequest,
    NoData,
    QuotaExceeded,
    SchemaDrift,
    Transient,
    VendorError,
)
from pydantic import BaseModel, SecretStr, TypeAdapter

from tests.worker_vendors.conftest import CANARY, QUICK, Leaks, Traces
from tests.worker_vendors.vendor_server import Reply, VendorServer, gateway_error, json_reply, xml_reply

PATH = "/info"
ENTITY_BOMB = (
    '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">'
    '<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]>'
    "<OpenAPI_ServiceResponse><returnReasonCode>22</returnReasonCode><x>&c;</x></OpenAPI_ServiceResponse>"
)


class Row(BaseModel):
    name: CleanText


ROWS = TypeAdapter(list[Row])


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = datetime(2026, 7, 1, 14, 59, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def make_portal(
    vendor: VendorServer, traces: Traces, clock: Clock
) -> AsyncIterator[Callable[[str], DataGoKr]]:
    made: list[DataGoKr] = []

    def make(key: str) -> DataGoKr:
        made.append(
            DataGoKr(
                "portal",
                vendor.base_url,
                SecretStr(key),
                traces.tracer,
                switch={"returnType": "json"},
                limits=QUICK,
                clock=clock,
            )
        )
        return made[-1]

    yield make
    for portal in made:
        await portal.close()


@pytest.fixture
def portal(make_portal: Callable[[str], DataGoKr]) -> DataGoKr:
    return make_portal(CANARY)


def ok(items: Any, total: Any = 2, code: Any = "00", wrapped: bool = True) -> Reply:
    inner = {
        "header": {"resultCode": code, "resultMsg": "NORMAL SERVICE"},
        "body": {"items": items, "pageNo": "1", "numOfRows": "10", "totalCount": total},
    }
    return json_reply({"response": inner} if wrapped else inner)


@pytest.mark.parametrize(
    ("items", "names"),
    [
        ({"item": [{"name": "a"}, {"name": "b"}]}, ["a", "b"]),
        ({"item": {"name": "a"}}, ["a"]),
        ([{"name": "a"}, {"name": "b"}], ["a", "b"]),
        ([{"item": {"name": "a"}}, {"item": {"name": "b"}}], ["a", "b"]),
        ("", []),
        ([], []),
        ({}, []),
        ({"item": ""}, []),
        (None, []),
    ],
)
async def test_every_shape_of_items_is_understood(
    vendor: VendorServer, portal: DataGoKr, items: Any, names: list[str]
) -> None:
    vendor.answer(PATH, ok(items))

    page = await portal.page(PATH, {})

    assert page.rows == [{"name": name} for name in names]


@pytest.mark.parametrize("code", ["00", "0", 0, "0000"])
@pytest.mark.parametrize("wrapped", [True, False])
async def test_success_has_several_spellings_and_a_wrapper_or_none(
    vendor: VendorServer, portal: DataGoKr, code: Any, wrapped: bool
) -> None:
    vendor.answer(PATH, ok([{"name": "a"}], "1", code, wrapped))

    assert await portal.page(PATH, {}) == Page([{"name": "a"}], 1)


CODES = [
    *((code, Transient) for code in ("01", "02", "04", "05", "23", "99")),
    ("03", NoData),
    ("10", BadRequest),
    ("11", BadRequest),
    ("22", QuotaExceeded),
    *((code, AuthError) for code in ("12", "20", "21", "30", "31", "32", "33")),
    ("77", SchemaDrift),
]


@pytest.mark.parametrize(("code", "error"), CODES)
@pytest.mark.parametrize("status", [200, 400, 500])
async def test_each_code_of_the_gateways_xml_has_its_error_whatever_the_status(
    vendor: VendorServer, portal: DataGoKr, code: str, error: type[VendorError], status: int
) -> None:
    vendor.answer(PATH, gateway_error(code, status))

    with pytest.raises(error):
        await portal.page(PATH, {})


@pytest.mark.parametrize(("code", "error"), CODES)
async def test_each_code_in_json_has_the_same_error(
    vendor: VendorServer, portal: DataGoKr, code: str, error: type[VendorError]
) -> None:
    vendor.answer(PATH, json_reply({"response": {"header": {"resultCode": code, "resultMsg": "NO"}}}))

    with pytest.raises(error):
        await portal.page(PATH, {})


async def test_a_service_that_ignores_the_json_switch_is_still_heard(
    vendor: VendorServer, portal: DataGoKr
) -> None:
    vendor.answer(
        PATH,
        xml_reply("<response><header><resultCode>03</resultCode></header></response>"),
        xml_reply("<response><header><resultCode>00</resultCode></header><body/></response>"),
    )

    with pytest.raises(NoData):
        await portal.page(PATH, {})
    with pytest.raises(SchemaDrift):
        await portal.page(PATH, {})


async def test_too_many_calls_a_second_pass_when_tried_again(vendor: VendorServer, portal: DataGoKr) -> None:
    vendor.answer(PATH, gateway_error("23"), ok([{"name": "a"}], 1))

    assert (await portal.page(PATH, {})).rows == [{"name": "a"}]


async def test_an_unknown_key_gets_one_more_try_and_no_third(vendor: VendorServer, portal: DataGoKr) -> None:
    vendor.answer(PATH, gateway_error("30"), ok([{"name": "a"}], 1), gateway_error("30"))

    assert (await portal.page(PATH, {})).rows == [{"name": "a"}]
    with pytest.raises(AuthError):
        await portal.page(PATH, {})

    assert len(vendor.asked) == 4


async def test_after_the_daily_quota_nothing_is_asked_until_midnight_in_korea(
    vendor: VendorServer, portal: DataGoKr, clock: Clock
) -> None:
    vendor.answer(PATH, gateway_error("22"), ok([{"name": "a"}], 1))

    for _ in range(2):
        with pytest.raises(QuotaExceeded):
            await portal.page(PATH, {})
    assert len(vendor.asked) == 1

    clock.now += timedelta(minutes=1)
    assert (await portal.page(PATH, {})).rows == [{"name": "a"}]


async def test_429_is_a_quota_too_but_not_the_days(vendor: VendorServer, portal: DataGoKr) -> None:
    vendor.answer(PATH, Reply(b"API rate limit exceeded", 429, "text/plain"), ok([{"name": "a"}], 1))

    with pytest.raises(QuotaExceeded):
        await portal.page(PATH, {})

    assert (await portal.page(PATH, {})).rows == [{"name": "a"}]


@pytest.mark.parametrize("shown", [CANARY, "C4n4ry%2B%2Fsecret%3D%3D", f"{CANARY}\n"])
async def test_either_form_of_the_key_is_encoded_once(
    vendor: VendorServer, make_portal: Callable[[str], DataGoKr], shown: str
) -> None:
    vendor.answer(PATH, ok([{"name": "a"}], 1))

    await make_portal(shown).page(PATH, {"cond[SGG_NM::LIKE]": "강남구"})

    assert vendor.asked[0].query == {
        "serviceKey": CANARY,
        "returnType": "json",
        "cond[SGG_NM::LIKE]": "강남구",
    }


async def test_without_a_key_nothing_is_asked(
    vendor: VendorServer, make_portal: Callable[[str], DataGoKr]
) -> None:
    with pytest.raises(AuthError):
        await make_portal(" ").page(PATH, {})

    assert vendor.asked == []


@pytest.mark.parametrize(
    "reply",
    [
        xml_reply(ENTITY_BOMB),
        xml_reply(ENTITY_BOMB, 400),
        Reply(ENTITY_BOMB.encode("utf-16"), kind="text/xml"),
        Reply(ENTITY_BOMB.encode("utf-16-le"), kind="text/xml"),
        xml_reply("<a>" * 100_000),
        xml_reply("<OpenAPI_ServiceResponse><returnReasonCode>22"),
        xml_reply(f"<r><returnReasonCode>{'9' * 5_000}</returnReasonCode></r>"),
        xml_reply("<!doctype html><html><body>점검 중</body></html>"),
    ],
)
async def test_bombs_and_broken_xml_are_refused(vendor: VendorServer, portal: DataGoKr, reply: Reply) -> None:
    vendor.answer(PATH, reply)

    with pytest.raises((SchemaDrift, BadRequest)):
        await portal.page(PATH, {})


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        "text",
        {"response": None},
        {"response": {"body": {"items": []}}},
        {"response": {"header": {"resultCode": "INFO-000"}}},
        {"response": {"header": {"resultCode": "00"}}},
        {"response": {"header": {"resultCode": "00"}, "body": {"totalCount": 3}}},
        {"response": {"header": {"resultCode": "00"}, "body": "text"}},
        {"response": {"header": {"resultCode": "00"}, "body": {"items": 5}}},
        {"response": {"header": {"resultCode": "00"}, "body": {"items": "text"}}},
        {"response": {"header": {"resultCode": "00"}, "body": {"items": [1, 2]}}},
        {"response": {"header": {"resultCode": "00"}, "body": {"items": [], "totalCount": "many"}}},
    ],
)
async def test_what_fits_no_known_shape_is_drift_and_never_an_empty_success(
    vendor: VendorServer, portal: DataGoKr, value: Any
) -> None:
    vendor.answer(PATH, json_reply(value))

    with pytest.raises(SchemaDrift):
        await portal.page(PATH, {})


async def test_rows_come_from_all_pages_up_to_the_total(vendor: VendorServer, portal: DataGoKr) -> None:
    vendor.answer(
        PATH, ok([{"name": "a"}, {"name": "b"}], "3"), ok([{"name": "null"}], "3"), ok([{"name": "never"}])
    )

    rows = await portal.rows(PATH, {"x": "y"}, ROWS, per_page=2)

    assert [row.name for row in rows] == ["a", "b", ""]
    assert [query["pageNo"] for query in vendor.queries(PATH)] == ["1", "2"]


async def test_a_total_that_is_never_reached_ends_with_an_empty_page_or_the_last_allowed(
    vendor: VendorServer, portal: DataGoKr
) -> None:
    vendor.answer(PATH, ok([{"name": "a"}], 1_000), ok("", 1_000))
    assert len(await portal.rows(PATH, {}, ROWS, per_page=1)) == 1

    vendor.answer(PATH, ok([{"name": "a"}], 1_000))
    assert len(await portal.rows(PATH, {}, ROWS, per_page=1, pages_max=4)) == 4


@pytest.mark.parametrize("reply", [ok("", 0), json_reply({"response": {"header": {"resultCode": "03"}}})])
async def test_no_rows_at_all_are_no_data(vendor: VendorServer, portal: DataGoKr, reply: Reply) -> None:
    vendor.answer(PATH, reply)

    with pytest.raises(NoData):
        await portal.rows(PATH, {}, ROWS, per_page=10)


async def test_rows_that_are_announced_and_not_sent_are_drift(vendor: VendorServer, portal: DataGoKr) -> None:
    vendor.answer(PATH, ok("", "12"))

    with pytest.raises(SchemaDrift):
        await portal.rows(PATH, {}, ROWS, per_page=10)


async def test_a_row_without_its_fields_is_drift(vendor: VendorServer, portal: DataGoKr) -> None:
    vendor.answer(PATH, ok([{"naem": "a"}], 1))

    with pytest.raises(SchemaDrift, match="name"):
        await portal.rows(PATH, {}, ROWS, per_page=10)


@pytest.mark.parametrize("reply", [ok([{"name": "a"}], 1), gateway_error("30"), xml_reply(ENTITY_BOMB)])
async def test_the_key_in_the_query_reaches_neither_log_nor_error_nor_span(
    vendor: VendorServer, portal: DataGoKr, leaks: Leaks, reply: Reply
) -> None:
    vendor.answer(PATH, reply)
    error: BaseException | None = None

    try:
        await portal.page(PATH, {})
    except VendorError as caught:
        error = caught

    assert vendor.asked[0].query["serviceKey"] == CANARY
    assert leaks.holding(CANARY, error) == []
