"""Web search without a key: the `ddgs` package asks public search pages."""

import asyncio
import importlib
import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

from chat_worker.adapters.web_text import search_results
from chat_worker.domain import Language
from chat_worker.errors import NoData, QuotaExceeded, Transient, VendorError
from chat_worker.ports.web_search import SearchResult

THREADS = 4
DEADLINE_S = 10.0
PAGE_TIMEOUT_S = 5
QUERY_MAX_CHARS = 300
LIMIT_MAX = 10
# The package's own choice asks Wikipedia first, in a language it takes from the region: "kr" is none.
BACKENDS = "duckduckgo,brave,yahoo,mojeek"
REGIONS: Mapping[Language, str] = {"ko": "kr-kr", "en": "us-en"}

Hits = Sequence[Mapping[str, Any]]


class SearchPages(Protocol):
    """The part of `ddgs.DDGS` that is used; it blocks."""

    def text(
        self, query: str, *, region: str, safesearch: str, max_results: int, backend: str
    ) -> list[dict[str, Any]]: ...


def ddgs_pages() -> SearchPages:
    """A client of the package, which takes its time to import."""
    package: Any = importlib.import_module("ddgs")
    # At INFO they log addresses, and with them what was asked.
    for name in ("ddgs", "primp"):
        logging.getLogger(name).setLevel(logging.WARNING)
    pages: SearchPages = package.DDGS(timeout=PAGE_TIMEOUT_S)
    return pages


class DdgsSearch:
    """The WebSearch port, in a few threads of its own with a hard deadline.

    A thread cannot be stopped: one that overstays keeps its place until it comes back by itself.
    """

    def __init__(
        self,
        open_pages: Callable[[], SearchPages] = ddgs_pages,
        *,
        threads: int = THREADS,
        deadline_s: float = DEADLINE_S,
    ) -> None:
        self._open_pages = open_pages
        self._deadline_s = deadline_s
        self._threads = threads
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="ddgs-search")
        self._free = asyncio.Semaphore(threads)
        self._running: set[asyncio.Future[Hits]] = set()
        self._stuck: set[asyncio.Future[Hits]] = set()

    async def search(self, query: str, language: Language = "ko", *, limit: int = 5) -> list[SearchResult]:
        if len(self._stuck) >= self._threads:
            raise Transient("every search thread is stuck")
        hits = await self._hits(query[:QUERY_MAX_CHARS], REGIONS[language], min(limit, LIMIT_MAX))
        rows = ((hit.get("title"), hit.get("href"), hit.get("body"), None) for hit in hits)
        results = search_results(rows, limit)
        if not results:
            raise NoData("no result that can be cited")
        return results

    async def close(self) -> None:
        """Lets go of the threads; one that is stuck ends by itself."""
        for running in list(self._running):
            running.cancel()
        self._executor.shutdown(wait=False, cancel_futures=True)

    async def _hits(self, query: str, region: str, limit: int) -> Hits:
        loop = asyncio.get_running_loop()
        ends_at = loop.time() + self._deadline_s
        try:
            async with asyncio.timeout_at(ends_at):
                await self._free.acquire()
        except TimeoutError:
            raise Transient("no search thread became free in time") from None
        running = loop.run_in_executor(self._executor, self._ask, query, region, limit)
        self._running.add(running)
        running.add_done_callback(self._came_back)
        try:
            await asyncio.wait({running}, timeout=ends_at - loop.time())
        finally:
            if not running.done():
                self._stuck.add(running)
        if not running.done():
            raise Transient("the web search took too long")
        return running.result()

    def _ask(self, query: str, region: str, limit: int) -> Hits:
        try:
            return self._open_pages().text(
                query, region=region, safesearch="moderate", max_results=limit, backend=BACKENDS
            )
        except Exception as error:
            # The package wraps whatever happens in its own types, but is not alone in raising.
            raise _typed(error) from None

    def _came_back(self, running: asyncio.Future[Hits]) -> None:
        self._running.discard(running)
        self._stuck.discard(running)
        self._free.release()
        if not running.cancelled():
            running.exception()  # Looked at, or one that nobody waits for is reported as lost.


def _typed(error: Exception) -> VendorError:
    """By name, because the package is not imported before it is used; texts may hold addresses."""
    names = {kind.__name__ for kind in type(error).__mro__}
    if "RatelimitException" in names:
        return QuotaExceeded("a search page asks to slow down")
    if type(error).__name__ == "DDGSException" and str(error) == "No results found.":
        return NoData("no search page has a result")
    return Transient(type(error).__name__)
