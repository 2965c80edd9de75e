"""Web search by Tavily, with a key."""

from typing import Any

from opentelemetry.trace import Tracer
from pydantic import BaseModel, SecretStr, TypeAdapter, ValidationError

from chat_worker.adapters.vendor_http import HttpLimits, VendorHttp
from chat_worker.adapters.web_text import plain_text, search_results
from chat_worker.domain import Language
from chat_worker.errors import AuthError, BadRequest, NoData, QuotaExceeded, VendorError
from chat_worker.ports.web_search import SearchResult

BASE_URL = "https://api.tavily.com"
LIMITS = HttpLimits(read_s=6, budget_s=8, tries=2)
QUERY_MAX_CHARS = 400
LIMIT_MAX = 20
_KINDS: dict[int, type[VendorError]] = {
    400: BadRequest,
    401: AuthError,
    429: QuotaExceeded,
    432: QuotaExceeded,
    433: QuotaExceeded,
}


class _Hit(BaseModel):
    url: Any
    title: Any = None
    content: Any = None
    published_date: Any = None


class _Reply(BaseModel):
    results: list[_Hit]


class _Detail(BaseModel):
    error: str = ""


class _ErrorBody(BaseModel):
    detail: _Detail


_REPLY = TypeAdapter(_Reply)


class TavilySearch:
    """The WebSearch port."""

    def __init__(
        self, key: SecretStr, tracer: Tracer, *, base_url: str = BASE_URL, limits: HttpLimits = LIMITS
    ) -> None:
        self._key = key.get_secret_value().strip()
        headers = {"Authorization": f"Bearer {self._key}"}
        self._http = VendorHttp(
            "tavily", base_url, tracer, headers=headers, limits=limits, refusal=self._refusal
        )

    async def search(self, query: str, language: Language = "ko", *, limit: int = 5) -> list[SearchResult]:
        if not self._key:
            raise AuthError("tavily: no key is set")
        body = {
            "query": query[:QUERY_MAX_CHARS],
            "search_depth": "basic",
            "topic": "general",
            "max_results": min(limit, LIMIT_MAX),
            "include_answer": False,
            "include_raw_content": False,
            "include_images": False,
        }
        reply = self._http.shaped(_REPLY, await self._http.post_json("/search", body))
        rows = ((hit.title, hit.url, hit.content, hit.published_date) for hit in reply.results)
        results = search_results(rows, limit)
        if not results:
            raise NoData("tavily: no result that can be cited")
        return results

    async def close(self) -> None:
        """Closes all connections."""
        await self._http.close()

    def _refusal(self, status: int, body: bytes) -> VendorError | None:
        kind = _KINDS.get(status)
        return None if kind is None else kind(f"tavily: HTTP {status} {self._said(body)}".rstrip())

    def _said(self, body: bytes) -> str:
        """The vendor's own words, which may repeat the key."""
        try:
            text = _ErrorBody.model_validate_json(body).detail.error
        except ValidationError:
            return ""
        return plain_text(text.replace(self._key, "***"), 200)
