"""The open web: untrusted text with an address."""

from dataclasses import dataclass
from typing import Protocol

from chat_worker.domain import Language


@dataclass(frozen=True, slots=True)
class SearchResult:
    """One hit: plain text without markup, and an http(s) address to cite."""

    title: str
    url: str
    text: str
    published: str | None = None


class WebSearch(Protocol):
    """A web search."""

    async def search(self, query: str, language: Language = "ko", *, limit: int = 5) -> list[SearchResult]:
        """The best hits; raises NoData or another VendorError."""
        ...
