"""The web search that is there: Tavily with a key, the public search pages without one or in its stead."""

import logging

from opentelemetry.trace import Tracer
from pydantic import SecretStr

from chat_worker.adapters.ddgs_search import DdgsSearch
from chat_worker.adapters.tavily_search import TavilySearch
from chat_worker.domain import Language
from chat_worker.errors import QuotaExceeded, Transient
from chat_worker.ports.web_search import SearchResult

_log = logging.getLogger(__name__)


class TavilyOrDdgs:
    """The WebSearch port. A key that Tavily refuses is not passed over: an operator has to know."""

    def __init__(self, tavily: TavilySearch | None, ddgs: DdgsSearch) -> None:
        self._tavily = tavily
        self._ddgs = ddgs

    async def search(self, query: str, language: Language = "ko", *, limit: int = 5) -> list[SearchResult]:
        if self._tavily is not None:
            try:
                return await self._tavily.search(query, language, limit=limit)
            except (QuotaExceeded, Transient) as error:
                _log.warning("tavily does not answer (%s), ddgs does instead", type(error).__name__)
        return await self._ddgs.search(query, language, limit=limit)

    async def close(self) -> None:
        """Closes both."""
        if self._tavily is not None:
            await self._tavily.close()
        await self._ddgs.close()


def open_web_search(tavily_key: SecretStr, tracer: Tracer) -> TavilyOrDdgs:
    """The web search for this key; an empty key is none."""
    tavily = TavilySearch(tavily_key, tracer) if tavily_key.get_secret_value().strip() else None
    return TavilyOrDdgs(tavily, DdgsSearch())
