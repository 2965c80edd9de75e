"""Known attacks on what the API reads: each gets its answer, and nothing else happens."""

import asyncio
import base64
import gzip
import json
import struct
import zlib
from urllib.parse import urlsplit

import pytest
from eco2_bus.events import EntryId

from tests.api.credentials import ALICE, BOB, guarded, known_as
from tests.api.services import MemoryWorld
from tests.api.serving import QUESTION, Api
from tests.api.viewer import Viewer, ids, names
from tests.api.worker import answer

pytestmark = pytest.mark.asyncio(loop_scope="module")

SECRET = "Secret7f3a"
JSON = {"Content-Type": "application/json"}
BODY = json.dumps({"message": QUESTION}).encode()


async def raw(api: Api, request: bytes) -> bytes:
    """All that the server says to these very bytes before it closes the connection."""
    address = urlsplit(api.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    try:
        writer.write(request)
        await writer.drain()
        async with asyncio.timeout(20):
            return await reader.read()
    finally:
        writer.close()
        await writer.wait_closed()


def post(*headers: str, body: bytes = BODY) -> bytes:
    head = ["POST /api/v1/chat HTTP/1.1", "Host: a", "Content-Type: application/json", *headers, "", ""]
    return "\r\n".join(head).encode("latin-1") + body


async def jobs_of(world: MemoryWorld) -> int:
    return len(vars(world.log)["_logs"])


SMUGGLED = b"GET /api/v1/chat/x HTTP/1.1\r\nHost: a\r\n\r\n"


@pytest.mark.parametrize(
    "request_",
    [
        post(f"Content-Length: {len(BODY)}", f"Content-Length: {len(BODY) + 1}"),
        post(f"Content-Length: {len(BODY)}", f"Content-Length: {len(BODY)}"),
        post(f"Content-Length: {len(BODY)}, {len(BODY)}"),
        post("Content-Length: 4", "Transfer-Encoding: chunked", body=b"0\r\n\r\n" + SMUGGLED),
        post("Transfer-Encoding: chunked", "Content-Length: 4", body=b"0\r\n\r\n" + SMUGGLED),
        post("Transfer-Encoding: chunked, identity", body=b"0\r\n\r\n" + SMUGGLED),
        post("Transfer-Encoding: xchunked", body=b"0\r\n\r\n" + SMUGGLED),
        post("Transfer-Encoding : chunked", body=b"0\r\n\r\n" + SMUGGLED),
        post("Content-Length: -1"),
        post("Content-Length: +44"),
        post("Content-Length: 0x2c"),
        post("Transfer-Encoding: chunked", body=b"-1\r\n" + SMUGGLED),
        post("Transfer-Encoding: chunked", body=b"fffffffffffffffff\r\n" + SMUGGLED),
        post("X: a\nTransfer-Encoding: chunked", f"Content-Length: {len(BODY)}", body=BODY + SMUGGLED),
    ],
    ids=lambda request: repr(request[66:120]),
)
async def test_a_request_of_two_lengths_is_refused_and_nothing_after_it_is_read(
    world: MemoryWorld, api: Api, request_: bytes
) -> None:
    before = await jobs_of(world)
    said = await raw(api, request_)
    assert said.startswith(b"HTTP/1.1 400 ")
    assert said.count(b"HTTP/1.1 ") == 1
    assert await jobs_of(world) == before


@pytest.mark.parametrize(
    "forged",
    [f"{2**62}-1", f"1-{2**62}", "999-999"],
)
async def test_a_cursor_of_the_future_gets_the_whole_log_and_says_so(
    world: MemoryWorld, api: Api, forged: str
) -> None:
    job_id = await api.new_job()
    await answer(world.log, job_id, "네.")
    async with await api.events(job_id, forged) as viewer:
        blocks = [block for block in await viewer.rest() if block.event]
    assert names(blocks)[0] == "gap"
    assert names(blocks)[-1] == "done"


@pytest.mark.parametrize(
    "forged",
    [f"{2**64}-1", f"1-{2**64 - 1}", "9" * 5_000 + "-1", "-1", "0-0", "1-1; x", "$", "+", "(1-1", "１-１"],
)
async def test_a_cursor_that_is_none_is_refused(api: Api, forged: str) -> None:
    job_id = await api.new_job()
    async with await api.events(job_id, forged) as viewer:
        assert viewer.status == 400
        told = await viewer.body()
    assert forged.encode() not in told


async def test_the_cursor_of_another_job_shows_nothing_of_that_job(world: MemoryWorld, api: Api) -> None:
    mine, others = await api.new_job(), await api.new_job()
    worker = await answer(world.log, others, *["x"] * 20, SECRET)
    await answer(world.log, mine, "네.")
    cursor = str(EntryId(1, worker.writer.last_id.seq - 2))
    async with await api.events(mine, cursor) as viewer:
        blocks = [block for block in await viewer.rest() if block.event]
    assert names(blocks)[0] == "gap"
    assert ids(blocks)[1] == "0-1"
    assert SECRET not in str(blocks)


INJECTED = "a\r\nSet-Cookie: owned=1\r\nX-Injected: 1"


@pytest.mark.parametrize(
    "name", ["Idempotency-Key", "Last-Event-ID", "traceparent", "Origin", "X-Request-ID"]
)
async def test_a_line_break_in_a_header_begins_no_header_of_the_answer(api: Api, name: str) -> None:
    for value in ("a\rX-Injected: 1", "a\nX-Injected: 1", "a\x00b"):
        said = await raw(api, post(f"{name}: {value}", f"Content-Length: {len(BODY)}", "Connection: close"))
        head = said.partition(b"\r\n\r\n")[0].lower()
        assert b"x-injected" not in head
        assert b"set-cookie" not in head


@pytest.mark.parametrize("part", ["%0d%0aSet-Cookie:%20owned=1", "%0aX-Injected:1", "a%00b", "%e2%80%a8"])
async def test_a_line_break_in_a_path_or_a_query_begins_no_header(api: Api, part: str) -> None:
    for path in (
        f"/api/v1/chat/{part}",
        f"/api/v1/chat/{'0' * 32}/events?last_event_id={part}",
        f"/api/v1/sessions/{part}/turns",
        f"/api/v1/images/{part}",
        f"/page/{part}",
        f"/{part}",
    ):
        response = await api.client.get(path)
        assert response.status_code in (400, 404)
        assert not {"set-cookie", "x-injected"} & set(response.headers)


async def test_a_session_id_with_a_line_break_is_a_bad_field(api: Api) -> None:
    response = await api.post({"message": QUESTION, "session_id": INJECTED})
    assert response.status_code == 422
    assert "owned" not in response.text


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd", "gzip, gzip"])
async def test_a_packed_body_is_never_unpacked(world: MemoryWorld, api: Api, coding: str) -> None:
    before = await jobs_of(world)
    bomb = gzip.compress(b'{"message":"' + b"a" * 50_000_000 + b'"}', 9)
    assert len(bomb) < 100_000
    response = await api.client.post(
        "/api/v1/chat", content=bomb, headers={**JSON, "Content-Encoding": coding}
    )
    assert response.status_code == 400
    assert await jobs_of(world) == before


def png_of(width: int, height: int) -> bytes:
    """A picture that is small until somebody unpacks it."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    packed = zlib.compress(b"\0" * 4_000_000, 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


async def test_a_picture_of_huge_dimensions_is_bytes_to_us(world: MemoryWorld, api: Api) -> None:
    bomb = png_of(65_535, 65_535)
    response = await api.post(
        {"message": QUESTION, "image_url": "data:image/png;base64," + base64.b64encode(bomb).decode()}
    )
    assert response.status_code == 202
    (kept,) = vars(world.made.pictures)["_pictures"].values()
    assert bomb in [part.data for part in kept if hasattr(part, "data")]


TRAVERSAL = [
    "../settings.py",
    "..%2fsettings.py",
    "%2e%2e/settings.py",
    "%2e%2e%2fsettings.py",
    "..%5csettings.py",
    "....//settings.py",
    "%252e%252e%252fsettings.py",
    "%2fetc%2fpasswd",
    "/etc/passwd",
    "app.js%00.py",
    "app.js/../../settings.py",
    "",
    ".",
]


@pytest.mark.parametrize("path", TRAVERSAL)
@pytest.mark.parametrize("folder", ["/page/", "/api/v1/images/", "/"])
async def test_no_path_leads_out_of_its_folder(api: Api, folder: str, path: str) -> None:
    # Sent as it is: a client would tidy it.
    async with await Viewer.connect(api.url) as viewer:
        await viewer.send(folder + path)
        await viewer.read_head()
        if folder + path in ("/", "/."):
            return
        assert viewer.status in (400, 404, 405)
        told = await viewer.body()
    assert b"class " not in told
    assert b"root:" not in told


async def test_an_idempotency_key_of_somebody_else_is_another_key() -> None:
    async with guarded(MemoryWorld()) as api, known_as(api, ALICE) as alice, known_as(api, BOB) as bob:
        first = (await alice.post(idempotency_key="one")).json()
        again = (await alice.post(idempotency_key="one")).json()
        others = (await bob.post(idempotency_key="one")).json()
        assert again["job_id"] == first["job_id"]
        assert others["job_id"] != first["job_id"]
        assert (await bob.status(first["job_id"])).status_code == 404
        # Nor can it be used to learn whether somebody else has asked the same: only her own key counts.
        assert (await bob.post({"message": "다른 질문"}, idempotency_key="one")).status_code == 422
