"""The HTTP client that all vendors share, against a real server on this machine."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import pytest
from chat_worker.adapters.vendor_http import HttpLimits, VendorHttp
from chat_worker.errors import (
    AuthError,
    BadRequest,
    NoData,
    QuotaExceeded,
    SchemaDrift,
    Transient,
    VendorError,
)
from opentelemetry.trace import SpanKind, StatusCode
from pydantic import SecretStr

from tests.worker_vendors.conftest import CANARY, QUICK, Leaks, Traces
from tests.worker_vendors.vendor_server import HANGS, Reply, VendorServer, json_reply

MakeHttp = Callable[..., VendorHttp]


@pytest.fixture
async def make_http(vendor: VendorServer, traces: Traces) -> AsyncIterator[MakeHttp]:
    made: list[VendorHttp] = []

    def make(limits: HttpLimits = QUICK, base_url: str | None = None, **options: object) -> VendorHttp:
        url = base_url or vendor.base_url
        made.append(VendorHttp("maps", url, traces.tracer, limits=limits, **options))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for http in made:
        await http.close()


async def test_a_reply_is_parsed_and_a_secret_reaches_the_vendor_unspoilt(
    vendor: VendorServer, make_http: MakeHttp, key: SecretStr
) -> None:
    vendor.answer("/v1/thing", json_reply({"n": 1}))

    assert await make_http().get_json("/v1/thing", {"key": key, "q": "강남 구"}) == {"n": 1}

    assert vendor.asked[0].query == {"key": CANARY, "q": "강남 구"}


async def test_a_body_is_posted_as_json(vendor: VendorServer, make_http: MakeHttp) -> None:
    vendor.answer("/search", json_reply({"results": []}))

    assert await make_http().post_json("/search", {"query": "종이"}) == {"results": []}

    assert vendor.asked[0].method == "POST"
    assert vendor.asked[0].body == '{"query":"종이"}'.encode()
    assert vendor.asked[0].headers["Content-Type"] == "application/json"


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (301, SchemaDrift),
        (400, BadRequest),
        (401, AuthError),
        (403, AuthError),
        (404, BadRequest),
        (408, Transient),
        (429, QuotaExceeded),
        (500, Transient),
        (503, Transient),
    ],
)
async def test_each_status_has_its_error(
    vendor: VendorServer, make_http: MakeHttp, status: int, error: type[VendorError]
) -> None:
    vendor.answer("/thing", Reply(b"no", status, headers={"Location": "/elsewhere"}))

    with pytest.raises(error) as caught:
        await make_http().get_json("/thing", {})

    assert caught.type is error
    assert {asked.path for asked in vendor.asked} == {"/thing"}, "redirects are not followed"


async def test_only_what_may_pass_is_tried_again(vendor: VendorServer, make_http: MakeHttp) -> None:
    vendor.answer("/busy", Reply(b"", 503), Reply(b"", 502), json_reply("at last"))
    vendor.answer("/wrong", Reply(b"", 400), json_reply("never"))
    http = make_http()

    assert await http.get_json("/busy", {}) == "at last"
    with pytest.raises(BadRequest):
        await http.get_json("/wrong", {})

    assert len(vendor.queries("/busy")) == 3
    assert len(vendor.queries("/wrong")) == 1


async def test_tries_are_counted(vendor: VendorServer, make_http: MakeHttp) -> None:
    vendor.answer("/busy", Reply(b"", 503))

    with pytest.raises(Transient):
        await make_http(replace(QUICK, tries=2)).get_json("/busy", {})

    assert len(vendor.asked) == 2


async def test_a_fault_found_in_the_body_is_tried_again(vendor: VendorServer, make_http: MakeHttp) -> None:
    vendor.answer("/thing", Reply(b"busy"), Reply(b"fine"))

    def read(body: bytes) -> str:
        if body == b"busy":
            raise Transient("busy")
        return body.decode()

    assert await make_http().get("/thing", {}, read) == "fine"


async def test_the_vendors_own_error_body_goes_before_the_status(
    vendor: VendorServer, make_http: MakeHttp
) -> None:
    vendor.answer("/known", Reply(b"used up", 400))
    vendor.answer("/unknown", Reply(b"?", 400))
    http = make_http(refusal=lambda _status, body: QuotaExceeded("used up") if body == b"used up" else None)

    with pytest.raises(QuotaExceeded):
        await http.get_json("/known", {})
    with pytest.raises(BadRequest):
        await http.get_json("/unknown", {})


async def test_a_slow_vendor_ends_within_its_budget(vendor: VendorServer, make_http: MakeHttp) -> None:
    vendor.answer("/slow", HANGS)
    http = make_http(replace(QUICK, read_s=0.1, budget_s=0.25, tries=50))
    begun = asyncio.get_running_loop().time()

    with pytest.raises(Transient):
        await http.get_json("/slow", {})

    assert asyncio.get_running_loop().time() - begun < 1
    assert 1 < len(vendor.asked) < 50


async def test_the_budget_ends_a_single_try_too(vendor: VendorServer, make_http: MakeHttp) -> None:
    vendor.answer("/slow", HANGS)

    with pytest.raises(Transient, match=r"0\.1 s"):
        await make_http(replace(QUICK, read_s=60, budget_s=0.1)).get_json("/slow", {})


async def test_the_callers_deadline_passes_through_and_frees_the_connection(
    vendor: VendorServer, make_http: MakeHttp
) -> None:
    vendor.answer("/slow", HANGS)
    vendor.answer("/fast", json_reply(1))
    http = make_http(replace(QUICK, read_s=60, budget_s=60, connections=1))

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await http.get_json("/slow", {})

    assert await http.get_json("/fast", {}) == 1


async def test_a_vendor_that_is_down_is_transient(make_http: MakeHttp, unused_tcp_port: int) -> None:
    with pytest.raises(Transient, match="ConnectError"):
        await make_http(base_url=f"http://127.0.0.1:{unused_tcp_port}").get_json("/thing", {})


@pytest.mark.parametrize("path", ["http://127.0.0.1:9/thing", "thing", "/thing\0"])
async def test_a_path_leads_nowhere_but_to_the_vendor(
    vendor: VendorServer, make_http: MakeHttp, path: str
) -> None:
    with pytest.raises(BadRequest):
        await make_http().get_json(path, {})

    assert vendor.asked == []


async def test_a_question_without_end_is_not_sent(vendor: VendorServer, make_http: MakeHttp) -> None:
    with pytest.raises(BadRequest):
        await make_http().get_json("/thing", {"q": "가" * 100_000})

    assert vendor.asked == []


async def test_a_huge_reply_is_cut_off(vendor: VendorServer, make_http: MakeHttp) -> None:
    vendor.answer("/huge", Reply(b"x" * 50_000_000))

    with pytest.raises(SchemaDrift, match="too long"):
        await make_http(replace(QUICK, reply_max_bytes=1_000)).get_bytes("/huge", {})


async def test_a_packed_reply_is_unpacked_within_the_limit(vendor: VendorServer, make_http: MakeHttp) -> None:
    packed = {"Content-Encoding": "gzip"}
    vendor.answer("/good", Reply(gzip.compress(b'{"n":1}'), headers=packed))
    vendor.answer("/bomb", Reply(gzip.compress(b" " * 30_000_000), headers=packed))
    vendor.answer("/liar", Reply(b"{}", headers=packed))
    http = make_http(replace(QUICK, reply_max_bytes=100_000))

    assert await http.get_json("/good", {}) == {"n": 1}
    with pytest.raises(SchemaDrift, match="too long"):
        await http.get_json("/bomb", {})
    with pytest.raises(SchemaDrift, match="unpacked"):
        await http.get_json("/liar", {})


async def test_something_that_is_no_json_is_drift(vendor: VendorServer, make_http: MakeHttp) -> None:
    vendor.answer("/thing", Reply(b"<html>", kind="text/html"))

    with pytest.raises(SchemaDrift):
        await make_http().get_json("/thing", {})


async def test_a_call_makes_one_client_span_and_tells_the_vendor_nothing_of_it(
    vendor: VendorServer, make_http: MakeHttp, traces: Traces
) -> None:
    vendor.answer("/v1/thing", json_reply(1))

    with traces.tracer.start_as_current_span("agent") as agent:
        await make_http().get_json("/v1/thing", {"q": "a"})

    span = traces.spans[0]
    assert (span.name, span.kind) == ("GET", SpanKind.CLIENT)
    assert span.parent is not None
    assert span.parent.span_id == agent.get_span_context().span_id
    assert dict(span.attributes or {}) == {
        "http.request.method": "GET",
        "server.address": "127.0.0.1",
        "url.path": "/v1/thing",
        "url.template": "/v1/thing",
        "peer.service": "maps",
        "http.response.status_code": 200,
    }
    assert not {"traceparent", "baggage"} & {name.lower() for name in vendor.asked[0].headers}


async def test_a_failed_call_marks_its_span_and_an_empty_result_does_not(
    vendor: VendorServer, make_http: MakeHttp, traces: Traces
) -> None:
    vendor.answer("/wrong", Reply(b"", 400))
    vendor.answer("/empty", Reply(b""))

    def nothing(_body: bytes) -> None:
        raise NoData("nothing")

    with pytest.raises(BadRequest):
        await make_http().get_json("/wrong", {})
    with pytest.raises(NoData):
        await make_http().get("/empty", {}, nothing)

    wrong, empty = traces.spans
    assert wrong.status.status_code is StatusCode.ERROR
    assert (wrong.attributes or {})["error.type"] == "BadRequest"
    assert empty.status.status_code is StatusCode.UNSET
    assert not wrong.events


@pytest.mark.parametrize("reply", [json_reply(1), Reply(b"", 500), Reply(b"", 401), HANGS, Reply(b"?")])
async def test_neither_logs_nor_errors_nor_spans_hold_the_key(
    vendor: VendorServer, make_http: MakeHttp, leaks: Leaks, key: SecretStr, reply: Reply
) -> None:
    vendor.answer("/thing", reply)
    http = make_http(headers={"Authorization": f"Bearer {CANARY}"})
    error: BaseException | None = None

    try:
        await http.get_json("/thing", {"serviceKey": key})
    except VendorError as caught:
        error = caught

    assert CANARY in vendor.asked[0].query.values(), "the key was sent"
    assert any("HTTP Request" in record.message for record in leaks.caplog.records) or reply is HANGS
    assert leaks.holding(CANARY, error) == []


@pytest.mark.parametrize("spoilt", [f"{CANARY}\nX: y", f"{CANARY}\0", f"{CANARY}키"])
async def test_a_key_that_no_header_can_hold_is_not_quoted(
    vendor: VendorServer, make_http: MakeHttp, leaks: Leaks, spoilt: str
) -> None:
    http = make_http(headers={"Authorization": f"Bearer {spoilt}"})

    with pytest.raises(AuthError) as caught:
        await http.get_json("/thing", {})

    assert leaks.holding(CANARY, caught.value) == []
    assert vendor.asked == []


async def test_the_newline_after_a_key_from_a_file_does_no_harm(
    vendor: VendorServer, make_http: MakeHttp
) -> None:
    vendor.answer("/thing", json_reply(1))

    await make_http(headers={"Authorization": f"Bearer {CANARY}\n"}).get_json("/thing", {})

    assert vendor.asked[0].headers["Authorization"] == f"Bearer {CANARY}"
