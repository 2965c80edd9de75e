"""A picture that comes with a question: seen, answered, and carried as a reference only."""

import base64
import random
import struct
import zlib

from tests.e2e import carriers
from tests.e2e.driver import Account, Load
from tests.e2e.stack import Stack, until
from tests.e2e.vendors import Vendors

SIDE = 24
SHOWN = "우유팩"
"""The stand-in for the model that sees goes by the words in the file."""


def data_url(picture: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(picture).decode()}"


def photo(seed: int) -> bytes:
    """A PNG of noise, unlike any other, whose title says what it shows."""
    return png(random.Random(seed).randbytes(SIDE * SIDE * 3), b"Title\0\0\0\0\0" + SHOWN.encode())


def png(pixels: bytes, text: bytes) -> bytes:
    """A square picture with eight bits a colour, and a text chunk."""
    rows = [b"\0" + pixels[at : at + SIDE * 3] for at in range(0, len(pixels), SIDE * 3)]
    header = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 2, 0, 0, 0)
    data = zlib.compress(b"".join(rows))
    chunks = ((b"IHDR", header), (b"iTXt", text), (b"IDAT", data), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, content) for kind, content in chunks)


def _chunk(kind: bytes, content: bytes) -> bytes:
    body = kind + content
    return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))


async def test_a_photo_is_seen_answered_and_carried_nowhere_but_as_a_reference(
    stack: Stack, vendors: Vendors, run: Load
) -> None:
    await stack.staff(0)
    await stack.staff(1)
    # Slow enough for the turn to be saved while it runs: its checkpoint is looked at as well.
    await vendors.behave("kma", latency_ms=2_500)
    picture = photo(seed=1)
    async with carriers.tapped(stack) as messages:
        job = await run.ask("이거 어떻게 버려? 노원구 날씨 어때?", image_url=data_url(picture))
        await until(lambda: _is_saved(stack, job.session_id))
        await carriers.assert_only_kept(stack, picture, [])
        assert not any(viewer.has_ended for viewer in job.viewers)
        await run.ended()
    await run.settle_up(lambda _: None)
    assert run.account == Account(accepted=1, completed=1)
    done = job.viewers[0].ended
    assert done["intents"] == ["waste", "weather"]
    assert any("우유팩" in source["title"] or "종이팩" in source["title"] for source in done["sources"])
    assert "℃" in done["answer"]
    stages = [(stage["node"], stage["status"]) for stage in job.viewers[0].all("stage")]
    assert stages[:4] == [(node, how) for node in ("vision", "intent") for how in ("started", "completed")]
    await run.listed(job)
    assert [b"picture:" in message for message in messages] == [True]
    await carriers.assert_only_kept(stack, picture, messages)


async def _is_saved(stack: Stack, session_id: str) -> bool:
    return await carriers.saved_findings(stack, session_id) > 0


async def test_the_picture_of_a_turn_is_shown_again_by_its_address(
    stack: Stack, vendors: Vendors, run: Load
) -> None:
    await stack.staff(1)
    picture = photo(seed=2)
    job = await run.ask("이거 어떻게 버려?", image_url=data_url(picture))
    await run.ended()
    turn = await run.listed(job)
    reply = await run.api.get(turn["image_url"])
    assert (reply.status_code, reply.headers["content-type"]) == (200, "image/png")
    assert reply.content == picture


async def test_a_picture_that_shows_nothing_to_throw_away_is_said_to(
    stack: Stack, vendors: Vendors, run: Load
) -> None:
    await stack.staff(1)
    black = png(bytes(SIDE * SIDE * 3), b"Comment\0\0\0\0\0")
    job = await run.ask("How do I throw this away?", image_url=data_url(black))
    await run.ended()
    for viewer in job.viewers:
        assert viewer.end == "done"
        assert "The picture could not be understood." in viewer.ended["answer"]
