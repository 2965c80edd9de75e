"""Pictures as a camera would give them, and how they are chosen on the page."""

import io
import struct
import zlib

from playwright.async_api import FilePayload

from tests.browser.chat_page import ChatPage


def png(width: int, height: int, *, is_noise: bool = False) -> FilePayload:
    """A picture as a camera would give it, in one colour or, as hard to make small as can be, in none."""
    seed = 7
    rows = io.BytesIO()
    for _ in range(height):
        rows.write(b"\0")
        if is_noise:
            # A row of a plain generator: what matters is that no two pixels go together.
            row = bytearray()
            while len(row) < width * 3:
                seed = (seed * 6364136223846793005 + 1442695040888963407) % 2**64
                row += seed.to_bytes(8, "little")
            rows.write(row[: width * 3])
        else:
            rows.write(b"\x17\x6b\x45" * width)

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    body = chunk(b"IDAT", zlib.compress(rows.getvalue(), 1))
    data = b"\x89PNG\r\n\x1a\n" + head + body + chunk(b"IEND", b"")
    return {"name": "photo.png", "mimeType": "image/png", "buffer": data}


async def choose(chat: ChatPage, file: FilePayload) -> None:
    async with chat.page.expect_file_chooser() as choosing:
        await chat.page.get_by_role("button", name="사진 넣기").click()
    await (await choosing.value).set_files(file)
