"""What strangers wrote, made plain: text without markup, and links that lead to the web."""

import re
import unicodedata
from collections.abc import Iterable
from html import unescape
from html.parser import HTMLParser
from urllib.parse import urlsplit

from chat_worker.ports.web_search import SearchResult

TITLE_MAX_CHARS = 200
TEXT_MAX_CHARS = 1_000
LINK_MAX_CHARS = 2_000
_READ_MAX_CHARS = 20_000
_ROUNDS = 4
_UNREAD = frozenset({"script", "style", "template", "noscript", "iframe", "svg"})
_TAG_START = re.compile(r"<(?=[a-zA-Z/!?])")


def plain_text(raw: object, max_chars: int) -> str:
    """Readable characters only, at most `max_chars`; the content of scripts and styles is gone too."""
    if not isinstance(raw, str):
        return ""
    text = raw[:_READ_MAX_CHARS]
    # Markup may be escaped, or put together by what is taken away: once is not enough.
    for _ in range(_ROUNDS):
        before, text = text, _without_tags(unescape(text))
        if text == before:
            break
    text = _TAG_START.sub("", text)
    text = "".join(" " if character.isspace() else character for character in text if _is_seen(character))
    return _cut(" ".join(text.split()), max_chars)


def web_link(raw: object) -> str | None:
    """The address if it is one that can be cited: http or https, a host, no credentials in it."""
    if not isinstance(raw, str) or not 0 < len(raw) <= LINK_MAX_CHARS:
        return None
    if any(character.isspace() or not character.isprintable() or character in "<>\"'`" for character in raw):
        return None
    try:
        parts = urlsplit(raw)
        is_citable = parts.scheme in {"http", "https"} and bool(parts.hostname) and "@" not in parts.netloc
    except ValueError:
        return None
    return raw if is_citable else None


def search_results(hits: Iterable[tuple[object, object, object, object]], limit: int) -> list[SearchResult]:
    """The first `limit` of (title, link, text, date) that can be cited, each address once."""
    found: dict[str, SearchResult] = {}
    for title, link, text, date in hits:
        url = web_link(link)
        if url is None or url in found or len(found) >= limit:
            continue
        found[url] = SearchResult(
            title=plain_text(title, TITLE_MAX_CHARS) or (urlsplit(url).hostname or url),
            url=url,
            text=plain_text(text, TEXT_MAX_CHARS),
            published=plain_text(date, 40) or None,
        )
    return list(found.values())


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._unread = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._unread += tag in _UNREAD
        self.pieces.append(" ")

    def handle_endtag(self, tag: str) -> None:
        self._unread = max(0, self._unread - (tag in _UNREAD))
        self.pieces.append(" ")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.pieces.append(" ")

    def handle_data(self, data: str) -> None:
        if not self._unread:
            self.pieces.append(data)


def _without_tags(text: str) -> str:
    if "<" not in text:
        return text
    parser = _Text()
    parser.feed(text)
    parser.close()
    return "".join(parser.pieces)


def _is_seen(character: str) -> bool:
    # Cc, Cf, Cs, Co: controls, marks that turn the direction of text, half characters, private ones.
    return character.isspace() or unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Co"}


def _cut(text: str, max_chars: int) -> str:
    return text if len(text) <= max_chars else text[: max_chars - 1].rstrip() + "…"
