"""Draws a mosaic for a wish: the same tiles for the same words, with the words in the file."""

import hashlib
from collections.abc import Iterator

from eco2_sandbox.drawing.png import Colour, png

_TILES = 8
_PAPER: Colour = (246, 244, 236)


def mosaic(wish: str, width: int, height: int) -> bytes:
    """Return a PNG of this size that is a sample and says so in its text."""
    digest = hashlib.blake2b(wish.encode(), digest_size=64).digest()
    palette = [_PAPER, *(_colour(digest[at : at + 3]) for at in (0, 3, 6))]
    words = {"Description": wish, "Comment": "A sample picture of the Eco2 sandbox."}
    return png(width, height, palette, _rows(digest[16:], width, height), words)


def _rows(digest: bytes, width: int, height: int) -> Iterator[bytes]:
    edges = [width * n // _TILES for n in range(_TILES + 1)]
    lines = [_line(digest[at * 4 : at * 4 + 4], edges) for at in range(_TILES)]
    for row in range(height):
        yield lines[row * _TILES // height]


def _line(draws: bytes, edges: list[int]) -> bytes:
    # The right half mirrors the left.
    half = [draw % 4 for draw in draws]
    colours = [*half, *reversed(half)]
    return b"".join(bytes([colour]) * (edges[at + 1] - edges[at]) for at, colour in enumerate(colours))


def _colour(draws: bytes) -> Colour:
    red, green, blue = draws
    return red // 2 + 60, green // 2 + 90, blue // 2 + 60
