"""What strangers wrote, made plain: text without markup, and links that lead to the web."""

import re
import unicodedata
from collections.abc import Iterable
from html import unescape
from urllib.parse import urlsplit

from chat_worker.ports.web_search import SearchResult

TITLE_MAX_CHARS = 200
TEXT_MAX_CHARS = 1_000
LINK_MAX_CHARS = 2_000
_READ_MAX_CHARS = 10_000
_ROUNDS = 4
# Not html.parser: it takes seconds for some 20 KB of hostile text, and raises for some. Whatever is left
# open ends with the text, so no character is looked at twice.
_MARKUP = re.compile(
    r"<!--.*?(?:-->|\Z)"
    r"|<(script|style|template|iframe|noscript)\b.*?(?:</\1\s*>|\Z)"
    r"|<[a-z/!?][^<>]*>?",
    re.IGNORECASE | re.DOTALL,
)
_TAG_START = re.compile(r"(?<!<)<+(?=[a-zA-Z/!?])")


def plain_text(raw: object, max_chars: int) -> str:
    """Readable characters only, at most `max_chars`; the content of scripts and styles is gone too."""
    if not isinstance(raw, str):
        return ""
    text = raw[:_READ_MAX_CHARS]
    # Markup may be escaped, or put together by what is taken away: once is not enough.
    for _ in range(_ROUNDS):
        before, text = text, _MARKUP.sub(" ", _readable(unescape(text)))
        if text == before:
            break
    return _cut(" ".join(_TAG_START.sub("", text).split()), max_chars)


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


def _readable(text: str) -> str:
    # Cc, Cf, Cs, Co: controls, marks that turn the direction of text, half characters, private ones.
    unseen = {ord(one) for one in set(text) if unicodedata.category(one) in {"Cc", "Cf", "Cs", "Co"}}
    return text.translate({code: " " if chr(code).isspace() else None for code in unseen})


def _cut(text: str, max_chars: int) -> str:
    return text if len(text) <= max_chars else text[: max_chars - 1].rstrip() + "…"
