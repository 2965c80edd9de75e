"""The web page at `/`."""

import logging
from functools import cache
from html import escape
from pathlib import Path
from urllib.parse import urlsplit

from fastapi import APIRouter, HTTPException, Request, Response
from pydantic import ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from chat_api import page_parts

_log = logging.getLogger(__name__)

router = APIRouter(include_in_schema=False)

_PAGE = Path(__file__).parent / "page"
_NO_TRACES = '<meta name="trace-url" content="">'
_PLAIN_SCRIPT = "reload.js"
_SCRIPTS = "<!-- scripts -->"
_TYPES = {".js": "text/javascript", ".css": "text/css"}
_NAMES = frozenset(path.name for path in _PAGE.iterdir() if path.suffix in _TYPES)
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';"
        " img-src 'self' data: blob:; base-uri 'none'; form-action 'self'; frame-ancestors 'none';"
        " require-trusted-types-for 'script'; trusted-types 'none'"
    ),
    "Permissions-Policy": "camera=(), geolocation=(self), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-cache",
}


class PageSettings(BaseSettings):
    """What an operator can set about the page."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore")

    trace_url_template: str = ""
    """Where a trace is to be seen, as `https://jaeger.example/trace/{trace_id}`; empty for no link."""

    @field_validator("trace_url_template")
    @classmethod
    def _is_template(cls, template: str) -> str:
        if template and (urlsplit(template).scheme not in ("http", "https") or "{trace_id}" not in template):
            raise ValueError("must be an http(s) address with {trace_id} in it")
        return template


@router.get("/")
def index(request: Request) -> Response:
    """The chat."""
    return page_parts.sent(request, page_text().encode(), "text/html", _HEADERS)


@cache
def page_text() -> str:
    """The page with what the operator has set."""
    text = (_PAGE / "index.html").read_text(encoding="utf-8")
    traces = f'<meta name="trace-url" content="{escape(_trace_url_template())}">'
    return text.replace(_NO_TRACES, traces).replace(_SCRIPTS, "\n  ".join(_preloads()))


def _preloads() -> list[str]:
    """All scripts at once: one that imports another would have the browser wait for each in turn."""
    names = sorted(name for name in _NAMES if name.endswith(".js") and name != _PLAIN_SCRIPT)
    return [f'<link rel="modulepreload" href="/page/{name}">' for name in names]


def _trace_url_template() -> str:
    """A link that leads nowhere is no reason to serve no page."""
    try:
        return PageSettings().trace_url_template
    except ValidationError as error:
        _log.warning("no links to traces: TRACE_URL_TEMPLATE %s", error.errors()[0]["msg"])
        return ""


@router.get("/page/{name}")
def part(name: str, request: Request) -> Response:
    """A script or the style of the chat."""
    if name not in _NAMES:
        raise HTTPException(404)
    path = _PAGE / name
    return page_parts.sent(request, path.read_bytes(), _TYPES[path.suffix], _HEADERS)
