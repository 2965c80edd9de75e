"""Pictures are kept for a while, and for nobody but those who belong to them."""

import asyncio
from collections.abc import AsyncIterator
from typing import Protocol

import pytest
import redis
from eco2_bus.job import IMAGE_MAX_BYTES
from eco2_bus.log import LogUnavailable
from eco2_bus.pictures import (
    MemoryPictures,
    NotAPicture,
    Picture,
    PictureGone,
    Pictures,
    PictureTooLarge,
    picture_path,
    reference,
    referred_id,
)
from eco2_bus.redis_pictures import RedisPictures
from eco2_devservers import RedisServer

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
KEPT_S = 3_600


class Album(Protocol):
    """One store of pictures, and what only its operator can see or do."""

    pictures: Pictures

    def names(self) -> set[str]: ...

    def limit(self, max_bytes: int) -> None:
        """Lets so many bytes be kept from now on."""
        ...

    def left_s(self) -> list[float]:
        """Seconds until each thing that is kept expires."""
        ...

    def pass_by(self) -> None:
        """Lets the time of everything come to its end."""
        ...


class MemoryAlbum:
    def __init__(self) -> None:
        self.now = 1_000.0
        self.pictures = MemoryPictures(kept_s=KEPT_S, clock=lambda: self.now)

    def names(self) -> set[str]:
        return set(self.pictures._pictures)

    def limit(self, max_bytes: int) -> None:
        self.pictures._max_bytes = max_bytes

    def left_s(self) -> list[float]:
        return [until - self.now for until, _ in self.pictures._pictures.values()]

    def pass_by(self) -> None:
        self.now += KEPT_S


class RedisAlbum:
    def __init__(self, server: RedisServer) -> None:
        self.pictures = RedisPictures(server.url, kept_s=KEPT_S)
        self.admin = redis.Redis(port=server.port)
        self.admin.flushall()

    def names(self) -> set[str]:
        return {key.decode() for key in self.admin.keys("*")}

    def limit(self, max_bytes: int) -> None:
        self.pictures._max_bytes = max_bytes

    def left_s(self) -> list[float]:
        return [self.admin.ttl(name) for name in self.names()]

    def pass_by(self) -> None:
        for name in self.names():
            self.admin.expire(name, 0)


@pytest.fixture(params=["memory", "redis"])
async def album(request: pytest.FixtureRequest) -> AsyncIterator[Album]:
    """Each of the two stores in turn: both keep the same contract."""
    made = MemoryAlbum() if request.param == "memory" else RedisAlbum(request.getfixturevalue("redis_server"))
    yield made
    await made.pictures.close()
    if isinstance(made, RedisAlbum):
        made.admin.close()


def picture(session_id: str = "s-1", data: bytes = PNG) -> Picture:
    return Picture("user-1", session_id, data)


async def test_a_picture_comes_back_byte_for_byte_with_whose_it_is(album: Album) -> None:
    put = picture()
    picture_id = await album.pictures.put(put)

    assert await album.pictures.get(picture_id) == put
    assert put.content_type == "image/png"


async def test_a_picture_of_the_greatest_size_is_taken(album: Album) -> None:
    put = picture(data=PNG + bytes(IMAGE_MAX_BYTES - len(PNG)))

    assert (await album.pictures.get(await album.pictures.put(put))).data == put.data
    with pytest.raises(PictureTooLarge):
        picture(data=put.data + b"\0")


async def test_pictures_put_at_once_are_all_there(album: Album) -> None:
    all_data = [PNG + bytes([number]) for number in range(50)]
    ids = await asyncio.gather(*(album.pictures.put(picture(data=data)) for data in all_data))

    assert len(set(ids)) == 50
    assert [(await album.pictures.get(id_)).data for id_ in ids] == all_data


@pytest.mark.parametrize("picture_id", ["", "0" * 32, "*", "\ud7ff", "a b\r\nc"])
async def test_a_picture_that_never_was_is_gone(album: Album, picture_id: str) -> None:
    with pytest.raises(PictureGone):
        await album.pictures.get(picture_id)
    await album.pictures.remove(picture_id)


async def test_a_picture_expires(album: Album) -> None:
    picture_id = await album.pictures.put(picture())
    names = album.names()
    assert all(KEPT_S - 5 <= left <= KEPT_S for left in album.left_s())
    assert album.left_s()

    album.pass_by()
    with pytest.raises(PictureGone):
        await album.pictures.get(picture_id)
    await album.pictures.put(picture())
    assert len(album.names()) == len(names)


async def test_a_picture_that_is_removed_leaves_nothing(album: Album) -> None:
    kept = await album.pictures.put(picture())
    before = album.names()
    removed = await album.pictures.put(picture())
    await album.pictures.remove(removed)
    await album.pictures.remove(removed)

    with pytest.raises(PictureGone):
        await album.pictures.get(removed)
    assert await album.pictures.get(kept) == picture()
    assert album.names() == before


async def test_the_pictures_of_a_session_go_together(album: Album) -> None:
    kept = await album.pictures.put(picture("s-2"))
    before = album.names()
    gone = [await album.pictures.put(picture("s-1", PNG + bytes([number]))) for number in range(5)]
    await album.pictures.erase("s-1")
    await album.pictures.erase("s-1")

    for picture_id in gone:
        with pytest.raises(PictureGone):
            await album.pictures.get(picture_id)
    assert album.names() == before
    assert (await album.pictures.get(kept)).session_id == "s-2"


TAKEN = {
    b"\x89PNG\r\n\x1a\n0000": "image/png",
    b"\xff\xd8\xff\xe0": "image/jpeg",
    b"GIF87a0": "image/gif",
    b"GIF89a0": "image/gif",
    b"RIFF\x10\0\0\0WEBPVP8 ": "image/webp",
}


@pytest.mark.parametrize("data", TAKEN)
def test_the_type_of_a_picture_is_what_its_bytes_say(data: bytes) -> None:
    assert picture(data=data).content_type == TAKEN[data]


NOT_TAKEN = [
    *(b"", b"\x89PNG", b"GIF90a", b"RIFF\x10\0\0\0WAVEfmt ", b"BM00", b"\0\0\x01\0", b"%PDF-1.7"),
    *(
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"<?xml version='1.0'?><svg/>",
        b"<html>",
        b" \x89PNG\r\n\x1a\n",
    ),
]


@pytest.mark.parametrize("data", NOT_TAKEN)
def test_what_begins_like_no_picture_is_none(data: bytes) -> None:
    with pytest.raises(NotAPicture):
        picture(data=data)


def test_a_reference_leads_back_to_its_picture_and_a_url_to_none() -> None:
    assert referred_id(reference("abc")) == "abc"
    assert referred_id("https://example.org/picture:abc") is None
    assert picture_path("abc") == "/api/v1/images/abc"


async def are_kept(album: Album, ids: list[str]) -> list[bool]:
    kept = await asyncio.gather(*map(album.pictures.get, ids), return_exceptions=True)
    assert all(isinstance(one, Picture | PictureGone) for one in kept)
    return [isinstance(one, Picture) for one in kept]


async def test_the_oldest_make_room_for_the_newest(album: Album) -> None:
    album.limit(3 * len(PNG))
    ids = [await album.pictures.put(picture(f"s-{number}")) for number in range(5)]
    assert await are_kept(album, ids) == [False, False, True, True, True]

    ids.append(await album.pictures.put(picture("s-5", PNG * 2)))
    assert await are_kept(album, ids) == [False, False, False, False, True, True]
    ids.append(await album.pictures.put(picture("s-6", PNG * 3)))
    assert await are_kept(album, ids) == [False] * 6 + [True]


async def test_what_was_removed_erased_or_has_expired_takes_no_room(album: Album) -> None:
    album.limit(3 * len(PNG))
    kept = await album.pictures.put(picture("s-1"))
    await album.pictures.remove(await album.pictures.put(picture("s-2")))
    for session_id in ("s-3", "s-3"):
        await album.pictures.put(picture(session_id))
    await album.pictures.erase("s-3")
    ids = [kept, await album.pictures.put(picture("s-4")), await album.pictures.put(picture("s-5"))]
    assert await are_kept(album, ids) == [True, True, True]

    album.pass_by()
    ids = [await album.pictures.put(picture()) for _ in range(3)]
    assert await are_kept(album, ids) == [True, True, True]


async def test_a_session_whose_picture_made_room_is_erased_as_any_other(album: Album) -> None:
    album.limit(2 * len(PNG))
    ids = [await album.pictures.put(picture("s-1", PNG[:-1] + bytes([number]))) for number in range(5)]
    await album.pictures.erase("s-1")

    assert await are_kept(album, ids) == [False] * 5
    assert album.names() == set()


async def test_processes_that_put_at_once_keep_no_more_than_one_may(redis_server: RedisServer) -> None:
    album = RedisAlbum(redis_server)
    stores = [RedisPictures(redis_server.url, max_bytes=4 * len(PNG)) for _ in range(4)]
    pictures = [picture(f"s-{number % 7}", PNG + bytes(number)) for number in range(100)]
    ids = await asyncio.gather(*(stores[number % 4].put(one) for number, one in enumerate(pictures)))
    await asyncio.gather(*(stores[number % 3].remove(one) for number, one in enumerate(ids[:50])))

    kept = [len(album.admin.hget(key, "data") or b"") for key in album.admin.keys("chat:picture:*")]
    assert 0 < sum(kept) <= 4 * len(PNG)
    assert int(album.admin.get("chat:pictures:bytes") or 0) == sum(kept)
    assert album.admin.zcard("chat:pictures") == len(kept)
    assert sum(album.admin.zcard(key) for key in album.admin.keys("chat:session:*:pictures")) == len(kept)
    for store in (*stores, album.pictures):
        await store.close()
    album.admin.close()


async def test_what_redis_let_expire_takes_no_room_of_what_is_kept_longer(redis_server: RedisServer) -> None:
    album = RedisAlbum(redis_server)
    album.limit(3 * len(PNG))
    brief = RedisPictures(redis_server.url, kept_s=1)
    gone = [await brief.put(picture("s-1")) for _ in range(2)]
    ids = [await album.pictures.put(picture("s-2"))]
    async with asyncio.timeout(30):
        while any(await are_kept(album, gone)):
            pass
    ids += [await album.pictures.put(picture("s-3")) for _ in range(2)]

    assert await are_kept(album, ids) == [True, True, True]
    for store in (brief, album.pictures):
        await store.close()
    album.admin.close()


async def test_a_redis_without_room_refuses_a_picture_and_keeps_nothing_of_it() -> None:
    with RedisServer(maxmemory="8mb") as server, redis.Redis(port=server.port) as admin:
        pictures = RedisPictures(server.url)

        async def fill() -> None:
            for _ in range(20):
                await pictures.put(picture(data=PNG + bytes(1_000_000)))

        with pytest.raises(LogUnavailable):
            await fill()
        kept = [key for key in admin.keys("chat:picture:*") if isinstance(key, bytes)]
        assert 0 < len(kept) < 20
        assert admin.zcard("chat:pictures") == len(kept)
        assert admin.zcard("chat:session:s-1:pictures") == len(kept)
        assert all(admin.ttl(key) > 0 for key in admin.keys("*"))
        await pictures.erase("s-1")
        await pictures.put(picture())
        await pictures.close()


async def test_pictures_without_end_leave_redis_its_room_for_questions() -> None:
    with RedisServer(maxmemory="24mb") as server, redis.Redis(port=server.port) as admin:
        pictures = RedisPictures(server.url, max_bytes=8_000_000)
        for _ in range(40):
            await pictures.put(picture(data=PNG + bytes(1_000_000)))

        assert len(admin.keys("chat:picture:*")) == 7
        assert admin.set("chat:question", bytes(1_000_000))
        await pictures.close()
