"""Tavily's reply shapes, and what becomes of strangers' text."""

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest
from chat_worker.adapters.tavily_search import TavilySearch
from chat_worker.errors import (
    AuthError,
    BadRequest,
    NoData,
    QuotaExceeded,
    SchemaDrift,
    Transient,
    VendorError,
)
from pydantic import SecretStr

from tests.worker_vendors.conftest import CANARY, QUICK, Leaks, Traces
from tests.worker_vendors.vendor_server import HANGS, VendorServer, json_reply


def found(*results: dict[str, Any]) -> dict[str, Any]:
    return {
        "query": "q",
        "answer": None,
        "images": [],
        "results": list(results),
        "response_time": 0.8,
        "request_id": "r-1",
    }


def hit(**fields: Any) -> dict[str, Any]:
    row = {
        "title": "분리배출",
        "url": "https://example.kr/a",
        "content": "비우고 헹궈요.",
        "score": 0.9,
        "raw_content": None,
    }
    return {**row, **fields}


@pytest.fixture
async def tavily(vendor: VendorServer, traces: Traces, key: SecretStr) -> AsyncIterator[TavilySearch]:
    search = TavilySearch(key, traces.tracer, base_url=vendor.base_url, limits=QUICK)
    yield search
    await search.close()


async def test_hits_come_with_their_address_and_date(vendor: VendorServer, tavily: TavilySearch) -> None:
    vendor.answer("/search", json_reply(found(hit(published_date="2026-05-01"), hit(url="https://b.kr/"))))

    first, second = await tavily.search("종이팩 분리배출", limit=3)

    assert (first.title, first.url, first.text) == ("분리배출", "https://example.kr/a", "비우고 헹궈요.")
    assert (first.published, second.published) == ("2026-05-01", None)
    asked = orjson.loads(vendor.asked[0].body)
    assert (asked["query"], asked["max_results"]) == ("종이팩 분리배출", 3)
    assert vendor.asked[0].headers["Authorization"] == f"Bearer {CANARY}"


async def test_markup_scripts_and_unseen_characters_are_gone(
    vendor: VendorServer, tavily: TavilySearch
) -> None:
    nasty = hit(
        title="<b>캔</b>&amp;병\u202e\x00",
        content="앞<script>steal()</script><style>p{}</style> &lt;script&gt;alert(1)&lt;/script&gt;뒤"
        " <<b>script>x<</b>/script> <img src=x onerror=go()",
    )
    vendor.answer("/search", json_reply(found(nasty)))

    (only,) = await tavily.search("캔")

    assert only.title == "캔 &병"
    assert only.text.startswith("앞")
    assert "뒤" in only.text
    assert not any(bad in only.text for bad in ("steal", "alert", "p{}", "<img"))
    assert re.search(r"<[a-zA-Z/!?]", only.text) is None


async def test_long_text_is_cut(vendor: VendorServer, tavily: TavilySearch) -> None:
    vendor.answer("/search", json_reply(found(hit(title="가" * 900, content="나" * 50_000))))

    (only,) = await tavily.search("q")

    assert (len(only.title), len(only.text)) == (200, 1_000)
    assert only.text.endswith("…")


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "ftp://example.kr/a",
        "https://",
        "//example.kr",
        "https://user@evil.kr/",
        "https://a.kr/ b",
        "https://a.kr/\nX",
        'https://a.kr/"onload=x',
        "https://[broken",
        "https://a.kr/" + "x" * 2_000,
        None,
        7,
    ],
)
async def test_a_link_that_does_not_lead_to_the_web_is_left_out(
    vendor: VendorServer, tavily: TavilySearch, url: object
) -> None:
    vendor.answer("/search", json_reply(found(hit(url=url), hit(url="http://good.kr/가"))))

    assert [result.url for result in await tavily.search("q")] == ["http://good.kr/가"]


async def test_an_address_is_cited_once_and_no_more_than_asked_for(
    vendor: VendorServer, tavily: TavilySearch
) -> None:
    vendor.answer(
        "/search", json_reply(found(hit(), hit(), *(hit(url=f"https://{n}.kr/") for n in range(9))))
    )

    results = await tavily.search("q", limit=4)

    assert len({result.url for result in results}) == len(results) == 4


async def test_no_results_are_no_data(vendor: VendorServer, tavily: TavilySearch) -> None:
    vendor.answer("/search", json_reply(found()))

    with pytest.raises(NoData):
        await tavily.search("q")


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, BadRequest),
        (401, AuthError),
        (403, AuthError),
        (429, QuotaExceeded),
        (432, QuotaExceeded),
        (433, QuotaExceeded),
    ],
)
async def test_each_refusal_has_its_error_and_is_not_tried_again(
    vendor: VendorServer, tavily: TavilySearch, status: int, error: type[VendorError]
) -> None:
    vendor.answer("/search", json_reply({"detail": {"error": "no, because"}}, status))

    with pytest.raises(error):
        await tavily.search("q")

    assert len(vendor.asked) == 1


async def test_the_vendors_reason_is_kept_for_the_log(vendor: VendorServer, tavily: TavilySearch) -> None:
    reason = "This request exceeds your plan's set usage limit."
    vendor.answer("/search", json_reply({"detail": {"error": reason}}, 432))

    with pytest.raises(QuotaExceeded, match="plan's set usage limit"):
        await tavily.search("q")


async def test_a_server_error_is_tried_again(vendor: VendorServer, tavily: TavilySearch) -> None:
    vendor.answer("/search", json_reply({}, 502), json_reply(found(hit())))

    assert len(await tavily.search("q")) == 1


@pytest.mark.parametrize("body", [{}, {"results": None}, {"results": [{"title": "no url"}]}, [], "text"])
async def test_a_reply_of_another_shape_is_a_drift_and_not_an_empty_success(
    vendor: VendorServer, tavily: TavilySearch, body: object
) -> None:
    vendor.answer("/search", json_reply(body))

    with pytest.raises(SchemaDrift):
        await tavily.search("q")


async def test_a_slow_vendor_ends_within_the_budget(vendor: VendorServer, tavily: TavilySearch) -> None:
    vendor.answer("/search", HANGS)
    began = asyncio.get_running_loop().time()

    with pytest.raises(Transient):
        await tavily.search("q")

    assert asyncio.get_running_loop().time() - began < 2 * QUICK.budget_s


async def test_the_key_stays_inside_even_when_the_vendor_repeats_it(
    vendor: VendorServer, tavily: TavilySearch, leaks: Leaks
) -> None:
    vendor.answer("/search", json_reply({"detail": {"error": f"Unauthorized: {CANARY}"}}, 401))

    with pytest.raises(AuthError) as caught:
        await tavily.search("q")

    assert leaks.traces.spans
    assert leaks.holding(CANARY, caught.value) == []


async def test_without_a_key_nothing_is_sent(vendor: VendorServer, traces: Traces) -> None:
    search = TavilySearch(SecretStr(" "), traces.tracer, base_url=vendor.base_url)

    with pytest.raises(AuthError):
        await search.search("q")

    await search.close()
    assert vendor.asked == []
