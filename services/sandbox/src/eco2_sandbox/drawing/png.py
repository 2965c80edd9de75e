"""Writes PNG files: a palette, rows of indexes, and words about the picture."""

import struct
import zlib
from collections.abc import Iterable, Mapping, Sequence

SIGNATURE = b"\x89PNG\r\n\x1a\n"
Colour = tuple[int, int, int]

_PALETTE = 3


def png(
    width: int, height: int, palette: Sequence[Colour], rows: Iterable[bytes], words: Mapping[str, str]
) -> bytes:
    """Return a PNG; `rows` are one byte of palette index per pixel, `words` go into iTXt chunks."""
    header = struct.pack(">IIBBBBB", width, height, 8, _PALETTE, 0, 0, 0)
    # Each row says first that it is not filtered.
    pixels = zlib.compress(b"".join(b"\0" + row for row in rows), 6)
    chunks = [
        (b"IHDR", header),
        (b"PLTE", b"".join(bytes(colour) for colour in palette)),
        *((b"iTXt", _text(name, text)) for name, text in words.items()),
        (b"IDAT", pixels),
        (b"IEND", b""),
    ]
    return SIGNATURE + b"".join(_chunk(name, content) for name, content in chunks)


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def _text(name: str, text: str) -> bytes:
    # Not compressed, no language, no translated name.
    return name.encode("latin-1") + b"\0\0\0\0\0" + text.encode()
