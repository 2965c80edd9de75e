"""Reads a little of a picture: the words in its file, and for plain PNG files its mean colour."""

import struct
import zlib
from collections.abc import Iterator

from eco2_sandbox.drawing.png import SIGNATURE, Colour

_COMMENT, _START_OF_SCAN = 0xFE, 0xDA
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
# Undoing filters takes some 0.5 us a byte, during which every stream waits.
_MOST_BYTES = 60_000
_MOST_WORDS = 2_000


def words_in(data: bytes) -> str:
    """Return the text of PNG chunks or JPEG comments; empty for none."""
    parts = _png_words(data) if data.startswith(SIGNATURE) else _jpeg_words(data)
    return " ".join(parts)[:_MOST_WORDS]


def colour_in(data: bytes) -> Colour | None:
    """Return the mean colour of the upper rows of a PNG with eight bits; None for anything else."""
    chunks = dict(_chunks(data)) if data.startswith(SIGNATURE) else {}
    header = chunks.get(b"IHDR", b"")
    if len(header) != 13:
        return None
    width, height, depth, kind, _, _, interlaced = struct.unpack(">IIBBBBB", header)
    channels = _CHANNELS.get(kind)
    if channels is None or depth != 8 or interlaced or not width or width * channels > _MOST_BYTES:
        return None
    pixels = _pixels(data, width * channels, height, channels)
    if not pixels:
        return None
    if kind == 3:
        return _mean(_looked_up(pixels, chunks.get(b"PLTE", b"")))
    return _mean([_colour(pixels[at : at + channels]) for at in range(0, len(pixels), channels)])


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(SIGNATURE)
    while at + 8 <= len(data):
        length, kind = struct.unpack(">I4s", data[at : at + 8])
        yield kind, data[at + 8 : at + 8 + length]
        at += 12 + length


def _png_words(data: bytes) -> Iterator[str]:
    for kind, content in _chunks(data):
        if kind == b"tEXt":
            yield content.partition(b"\0")[2].decode("latin-1")
        elif kind == b"iTXt" and content.partition(b"\0")[2][:1] == b"\0":
            yield content.split(b"\0", 5)[-1].decode(errors="replace")


def _jpeg_words(data: bytes) -> Iterator[str]:
    at = 2 if data.startswith(b"\xff\xd8") else len(data)
    while at + 4 <= len(data) and data[at] == 0xFF and data[at + 1] != _START_OF_SCAN:
        (length,) = struct.unpack(">H", data[at + 2 : at + 4])
        if data[at + 1] == _COMMENT:
            yield data[at + 4 : at + 2 + length].decode(errors="replace")
        at += 2 + max(2, length)


def _pixels(data: bytes, stride: int, height: int, step: int) -> bytes:
    packed = b"".join(content for kind, content in _chunks(data) if kind == b"IDAT")
    wanted = min(height, _MOST_BYTES // (stride + 1) or 1) * (stride + 1)
    try:
        raw = zlib.decompressobj().decompress(packed, wanted)
    except zlib.error:
        return b""
    rows: list[bytes] = []
    above = bytes(stride)
    for at in range(0, len(raw) - stride, stride + 1):
        above = _unfiltered(raw[at], raw[at + 1 : at + 1 + stride], above, step)
        rows.append(above)
    return b"".join(rows)


def _unfiltered(kind: int, row: bytes, above: bytes, step: int) -> bytes:
    if kind == 0:
        return row
    out = bytearray(row)
    for at in range(len(row)):
        left = out[at - step] if at >= step else 0
        corner = above[at - step] if at >= step else 0
        out[at] = (row[at] + _guess(kind, left, above[at], corner)) & 0xFF
    return bytes(out)


def _guess(kind: int, left: int, up: int, corner: int) -> int:
    match kind:
        case 1:
            return left
        case 2:
            return up
        case 3:
            return (left + up) // 2
        case _:
            nearest = left + up - corner
            return min((left, up, corner), key=lambda one: abs(nearest - one))


def _looked_up(pixels: bytes, palette: bytes) -> list[Colour]:
    return [_colour(palette[index * 3 : index * 3 + 3]) for index in pixels if index * 3 + 3 <= len(palette)]


def _colour(channels: bytes) -> Colour:
    if len(channels) < 3:
        return channels[0], channels[0], channels[0]
    return channels[0], channels[1], channels[2]


def _mean(colours: list[Colour]) -> Colour | None:
    if not colours:
        return None
    red, green, blue = (sum(one[at] for one in colours) // len(colours) for at in range(3))
    return red, green, blue
