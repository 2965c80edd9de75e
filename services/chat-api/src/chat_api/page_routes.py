"""The web page at `/`."""

from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import FileResponse

router = APIRouter(include_in_schema=False)

_PAGE = Path(__file__).parent / "page"
_TYPES = {"index.html": "text/html; charset=utf-8", "app.js": "text/javascript", "style.css": "text/css"}
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:;"
        " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}


def _file(name: str) -> FileResponse:
    return FileResponse(_PAGE / name, media_type=_TYPES[name], headers=_HEADERS)


@router.get("/")
async def index() -> FileResponse:
    """The chat."""
    return _file("index.html")


@router.get("/page/app.js")
async def script() -> FileResponse:
    """The chat's script."""
    return _file("app.js")


@router.get("/page/style.css")
async def style() -> FileResponse:
    """The chat's style."""
    return _file("style.css")
