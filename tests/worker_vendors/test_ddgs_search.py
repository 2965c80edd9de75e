"""The ddgs package in its threads, against fakes of it, and the package itself against a local page."""

import asyncio
import logging
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from chat_worker.adapters.ddgs_search import DdgsSearch, ddgs_pages
from chat_worker.adapters.tavily_search import TavilySearch
from chat_worker.adapters.web_search import TavilyOrDdgs, open_web_search
from chat_worker.errors import AuthError, NoData, QuotaExceeded, Transient, VendorError
from ddgs.base import BaseSearchEngine
from ddgs.engines import ENGINES
from ddgs.exceptions import DDGSException, RatelimitException, TimeoutException
from ddgs.results import TextResult
from pydantic import SecretStr

from tests.worker.world import until
from tests.worker_vendors.conftest import QUICK, Traces
from tests.worker_vendors.vendor_server import Reply, VendorServer, json_reply

HIT = {"title": "캔 <b>배출</b>", "href": "https://a.kr/", "body": "헹궈요<script>x()</script>"}
OpenSearch = Callable[..., DdgsSearch]


@dataclass
class Pages:
    """Stands for `ddgs.DDGS`; while `gate` is down, calls stay in it."""

    hits: list[dict[str, Any]] = field(default_factory=lambda: [HIT])
    error: Exception | None = None
    asked: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    gate: threading.Event = field(default_factory=threading.Event)
    inside: int = 0

    def text(self, query: str, **options: Any) -> list[dict[str, Any]]:
        self.asked.append({"query": query, **options})
        self.inside += 1
        assert self.gate.wait(30)
        self.inside -= 1
        if self.error:
            raise self.error
        return self.hits


@pytest.fixture
def pages() -> Iterator[Pages]:
    pages = Pages()
    pages.gate.set()
    yield pages
    pages.gate.set()


@pytest.fixture
async def open_search(pages: Pages) -> AsyncIterator[OpenSearch]:
    opened: list[DdgsSearch] = []

    def open_(**options: Any) -> DdgsSearch:
        opened.append(DdgsSearch(lambda: pages, **options))
        return opened[-1]

    yield open_
    for search in opened:
        await search.close()


async def test_hits_are_plain_text_with_an_address(pages: Pages, open_search: OpenSearch) -> None:
    pages.hits = [HIT, {**HIT, "href": "javascript:x()"}, {"title": "no address"}]

    (only,) = await open_search().search("캔 배출", limit=3)

    assert (only.title, only.url, only.text) == ("캔 배출", "https://a.kr/", "헹궈요")
    assert pages.asked[0]["query"] == "캔 배출"
    assert (pages.asked[0]["region"], pages.asked[0]["max_results"]) == ("kr-kr", 3)


async def test_an_english_question_is_asked_in_english(pages: Pages, open_search: OpenSearch) -> None:
    await open_search().search("recycling in Seoul", "en")

    assert pages.asked[0]["region"] == "us-en"


@pytest.mark.parametrize(
    ("raised", "error"),
    [
        (RatelimitException("https://a/?q=secret 202"), QuotaExceeded),
        (TimeoutException("timed out"), Transient),
        (DDGSException("ConnectError"), Transient),
        (DDGSException("No results found."), NoData),
        (RuntimeError("anything"), Transient),
    ],
)
async def test_what_the_package_raises_becomes_a_typed_error_without_its_text(
    pages: Pages, open_search: OpenSearch, raised: Exception, error: type[VendorError]
) -> None:
    pages.error = raised

    with pytest.raises(error) as caught:
        await open_search().search("q")

    assert "secret" not in str(caught.value)


async def test_hits_of_which_none_can_be_cited_are_no_data(pages: Pages, open_search: OpenSearch) -> None:
    pages.hits = [{"title": "t", "href": "", "body": "b"}]

    with pytest.raises(NoData):
        await open_search().search("q")


async def test_a_slow_search_ends_at_its_deadline(pages: Pages, open_search: OpenSearch) -> None:
    pages.gate.clear()
    began = asyncio.get_running_loop().time()

    with pytest.raises(Transient):
        await open_search(deadline_s=0.1).search("q")

    assert asyncio.get_running_loop().time() - began < 1


async def test_when_all_threads_are_stuck_the_answer_is_no_at_once_until_one_comes_back(
    pages: Pages, open_search: OpenSearch
) -> None:
    search = open_search(threads=2, deadline_s=0.1)
    pages.gate.clear()
    await asyncio.gather(search.search("a"), search.search("b"), return_exceptions=True)
    began = asyncio.get_running_loop().time()

    with pytest.raises(Transient, match="stuck"):
        await search.search("c")

    assert asyncio.get_running_loop().time() - began < 0.05
    assert len(pages.asked) == 2
    pages.gate.set()
    await until(lambda: pages.inside == 0 and not search._stuck)
    assert len(await search.search("d")) == 1


async def test_threads_that_are_only_busy_are_waited_for_and_never_more_than_allowed(
    pages: Pages, open_search: OpenSearch
) -> None:
    search = open_search(threads=2, deadline_s=20)
    pages.gate.clear()
    searches = [asyncio.create_task(search.search(str(n))) for n in range(5)]
    await until(lambda: pages.inside == 2)

    pages.gate.set()

    assert [len(results) for results in await asyncio.gather(*searches)] == [1] * 5


async def test_a_search_that_is_cancelled_keeps_its_place_until_its_thread_is_back(
    pages: Pages, open_search: OpenSearch
) -> None:
    search = open_search(threads=1, deadline_s=20)
    pages.gate.clear()
    waiting = asyncio.create_task(search.search("q"))
    await until(lambda: pages.inside == 1)

    waiting.cancel()
    await asyncio.wait({waiting})

    assert waiting.cancelled()
    with pytest.raises(Transient, match="stuck"):
        await search.search("q")


def test_importing_the_adapter_does_not_load_the_package() -> None:
    program = "import sys, chat_worker.adapters.web_search; print([m for m in sys.modules if m == 'ddgs'])"

    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert said.stdout.strip() == "[]"


async def test_the_real_package_reads_a_page_and_its_questions_are_not_logged(
    vendor: VendorServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class LocalPage(BaseSearchEngine[TextResult]):
        name, category, provider, search_method = "duckduckgo", "text", "local", "POST"
        search_url = f"{vendor.base_url}/html/"
        items_xpath = "//div[contains(@class, 'body')]"
        elements_xpath = {"title": ".//h2//text()", "href": "./a/@href", "body": "./a//text()"}  # noqa: RUF012

        def build_payload(self, query: str, region: str, **_: Any) -> dict[str, Any]:  # type: ignore[override]
            return {"q": query, "l": region}

    monkeypatch.setattr("chat_worker.adapters.ddgs_search.BACKENDS", "duckduckgo")
    monkeypatch.setitem(ENGINES["text"], "duckduckgo", LocalPage)
    page = (
        "<html><body><div class='body'><h2>종이팩 &lt;b&gt;안내</h2>"
        "<a href='https://a.kr/1'>씻어서 &lt;script&gt;x()&lt;/script&gt; 말려요</a></div></body></html>"
    )
    vendor.answer("/html/", Reply(page.encode(), kind="text/html"))
    caplog.set_level(logging.INFO)
    search = DdgsSearch(ddgs_pages)

    (only,) = await search.search("종이팩 배출")

    await search.close()
    assert (only.url, only.title) == ("https://a.kr/1", "종이팩 안내")
    assert only.text.startswith("씻어서")
    assert "<" not in only.text
    assert [record for record in caplog.records if "html" in record.getMessage()] == []


async def test_the_real_package_with_a_page_that_says_no_is_a_vendor_error(
    vendor: VendorServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chat_worker.adapters.ddgs_search.BACKENDS", "duckduckgo")
    monkeypatch.setattr(ENGINES["text"]["duckduckgo"], "search_url", "http://127.0.0.1:9/html/")
    search = DdgsSearch(ddgs_pages)

    with pytest.raises(Transient):
        await search.search("q")

    await search.close()


@pytest.fixture
async def both(
    vendor: VendorServer, traces: Traces, key: SecretStr, open_search: OpenSearch
) -> AsyncIterator[TavilyOrDdgs]:
    tavily = TavilySearch(key, traces.tracer, base_url=vendor.base_url, limits=QUICK)
    search = TavilyOrDdgs(tavily, open_search())
    yield search
    await search.close()


async def test_tavily_answers_when_it_can(vendor: VendorServer, pages: Pages, both: TavilyOrDdgs) -> None:
    vendor.answer("/search", json_reply({"results": [{"url": "https://t.kr/"}]}))

    assert [result.url for result in await both.search("q")] == ["https://t.kr/"]
    assert pages.asked == []


@pytest.mark.parametrize("status", [429, 432, 503])
async def test_ddgs_answers_when_tavily_cannot(
    vendor: VendorServer, both: TavilyOrDdgs, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    vendor.answer("/search", json_reply({"detail": {"error": "no"}}, status))

    assert [result.url for result in await both.search("q")] == ["https://a.kr/"]
    assert "ddgs does instead" in caplog.text


async def test_a_key_that_tavily_refuses_is_told_and_not_passed_over(
    vendor: VendorServer, pages: Pages, both: TavilyOrDdgs
) -> None:
    vendor.answer("/search", json_reply({"detail": {"error": "bad key"}}, 401))

    with pytest.raises(AuthError):
        await both.search("q")

    assert pages.asked == []


async def test_without_a_key_there_is_no_tavily(traces: Traces, monkeypatch: pytest.MonkeyPatch) -> None:
    pages = Pages()
    pages.gate.set()
    monkeypatch.setattr("ddgs.DDGS", lambda **_: pages)
    search = open_web_search(SecretStr(""), traces.tracer)

    results = await search.search("q")

    await search.close()
    assert [result.url for result in results] == ["https://a.kr/"]
