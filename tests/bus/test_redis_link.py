"""The connection to Redis: order, limits, and how it comes back."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
import redis
from eco2_bus.resp import RedisLink, RedisRefused, RedisUnavailable
from eco2_devservers import RedisServer, TcpProxy

from tests.bus.fake_redis import fake_redis, usual
from tests.bus.worlds import eventually, in_time, new_job_id


@pytest.fixture
async def links() -> AsyncIterator[list[RedisLink]]:
    """Whatever is put in here is closed."""
    opened: list[RedisLink] = []
    yield opened
    for link in opened:
        await link.close()


@pytest.fixture
def proxy(redis_server: RedisServer) -> Iterator[TcpProxy]:
    with TcpProxy(redis_server.port) as proxy:
        yield proxy


def _link(links: list[RedisLink], url: str, *, reply_timeout_s: float = 5.0) -> RedisLink:
    link = RedisLink(url, name=f"test-{new_job_id()}", reply_timeout_s=reply_timeout_s)
    links.append(link)
    return link


def _through(proxy: TcpProxy) -> str:
    return f"redis://127.0.0.1:{proxy.port}/0"


async def test_commands_of_one_turn_are_answered_in_order(
    redis_server: RedisServer, links: list[RedisLink]
) -> None:
    link = _link(links, redis_server.url)
    key = new_job_id()
    await link.execute("PING")
    replies = [link.send("INCR", key) if n % 3 else link.send("ECHO", f"{n}") for n in range(600)]
    got = await in_time(asyncio.gather(*replies))
    assert got[::3] == [f"{n}".encode() for n in range(0, 600, 3)]
    assert [reply for n, reply in enumerate(got) if n % 3] == list(range(1, 401))


async def test_an_error_fails_its_own_command_only(redis_server: RedisServer, links: list[RedisLink]) -> None:
    link = _link(links, redis_server.url)
    key = new_job_id()
    await link.execute("SET", key, "text")
    wrong, right = link.send("XLEN", key), link.send("GET", key)
    with pytest.raises(RedisRefused, match="WRONGTYPE"):
        await wrong
    assert await right == b"text"


async def test_a_command_that_cannot_be_sent_takes_no_other_one_s_reply(
    redis_server: RedisServer, links: list[RedisLink]
) -> None:
    link = _link(links, redis_server.url)
    await link.execute("PING")
    with pytest.raises(UnicodeEncodeError):
        link.send("ECHO", "\ud800")
    assert await in_time(link.send("ECHO", "mine")) == b"mine"


async def test_a_reply_that_does_not_come_fails_and_the_link_comes_back(
    proxy: TcpProxy, links: list[RedisLink]
) -> None:
    link = _link(links, _through(proxy), reply_timeout_s=0.2)
    await link.execute("PING")
    epoch = link.epoch
    proxy.block()
    waiting = [link.send("PING") for _ in range(3)]
    for reply in waiting:
        with pytest.raises(RedisUnavailable):
            await in_time(reply)
    proxy.unblock()
    await eventually(lambda: link.is_up)
    assert await link.execute("ECHO", "back") == b"back"
    assert link.epoch > epoch


async def test_a_command_while_redis_is_away_fails_within_its_limit(
    proxy: TcpProxy, links: list[RedisLink]
) -> None:
    link = _link(links, _through(proxy), reply_timeout_s=0.2)
    proxy.block()
    with pytest.raises(RedisUnavailable):
        await in_time(link.execute("PING", wait_s=0.1))
    with pytest.raises(RedisUnavailable):
        await link.send("PING")
    proxy.unblock()
    await eventually(lambda: link.is_up)


async def test_a_cut_fails_what_is_under_way_and_the_link_comes_back_by_itself(
    proxy: TcpProxy, links: list[RedisLink]
) -> None:
    link = _link(links, _through(proxy))
    await link.execute("PING")
    waiting = link.send("BLPOP", new_job_id(), 0)
    await asyncio.sleep(0)
    proxy.cut()
    with pytest.raises(RedisUnavailable):
        await in_time(waiting)
    await eventually(lambda: link.is_up)


@pytest.mark.parametrize("n_bytes", range(13))
async def test_a_link_cut_at_any_byte_of_its_handshake_comes_up_by_itself(
    proxy: TcpProxy, links: list[RedisLink], n_bytes: int
) -> None:
    proxy.limit_replies(n_bytes)
    link = _link(links, _through(proxy))
    link.start()
    await eventually(lambda: link.is_up)
    assert await link.execute("ECHO", "up") == b"up"


async def test_a_redis_that_is_still_loading_is_waited_for(links: list[RedisLink]) -> None:
    loading = iter([b"-LOADING Redis is loading the dataset in memory\r\n"] * 2)

    def answer(command: list[bytes]) -> bytes:
        return next(loading, b"+PONG\r\n") if command[0] == b"PING" else usual(command)

    async with fake_redis(answer) as url:
        link = _link(links, url)
        link.start()
        await eventually(lambda: link.is_up)
        assert next(loading, None) is None
        await link.close()


@pytest.mark.parametrize(
    "junk", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x00\xff\xfe", b"$abc\r\n", b"*-9\r\n"]
)
async def test_something_that_is_no_resp_costs_the_connection_only(
    links: list[RedisLink], junk: bytes
) -> None:
    answers = iter([junk])

    def answer(command: list[bytes]) -> bytes:
        return next(answers, b"+fine\r\n") if command[0] == b"GET" else usual(command)

    async with fake_redis(answer) as url:
        link = _link(links, url)
        with pytest.raises(RedisUnavailable):
            await in_time(link.execute("GET", "key"))
        assert await in_time(link.execute("GET", "key")) == b"fine"
        await link.close()


async def test_password_and_database_come_from_the_url(links: list[RedisLink]) -> None:
    with RedisServer() as server, redis.Redis(port=server.port) as admin:
        admin.acl_setuser("chat", enabled=True, passwords=["+p@ss/word"], categories=["+@all"], keys=["*"])
        admin.config_set("requirepass", "secret")
        for credentials in (":secret", "chat:p%40ss%2Fword"):
            link = _link(links, f"redis://{credentials}@127.0.0.1:{server.port}/3")
            await link.execute("SET", "where", credentials)
            assert await link.execute("GET", "where") == credentials.encode()
            await link.close()
        admin.auth("secret")
        assert admin.info("keyspace").keys() == {"db3"}


async def test_a_wrong_password_is_tried_again_until_it_is_right(links: list[RedisLink]) -> None:
    with RedisServer() as server, redis.Redis(port=server.port) as admin:
        admin.config_set("requirepass", "secret")
        admin.auth("secret")
        link = _link(links, f"redis://:changed@127.0.0.1:{server.port}/0")
        with pytest.raises(RedisUnavailable):
            await link.execute("PING", wait_s=0.2)
        admin.config_set("requirepass", "changed")
        await eventually(lambda: link.is_up)
        await link.close()


async def test_a_write_to_a_replica_drops_the_connection(links: list[RedisLink]) -> None:
    with RedisServer() as master, RedisServer(replica_of=master) as replica:
        link = _link(links, replica.url)
        await link.execute("PING")
        epoch = link.epoch
        with pytest.raises(RedisUnavailable, match="READONLY"):
            await link.execute("SET", "key", 1)
        await eventually(lambda: link.epoch > epoch)
        await link.close()


async def test_a_closed_link_stays_closed(redis_server: RedisServer, links: list[RedisLink]) -> None:
    link = _link(links, redis_server.url)
    await link.execute("PING")
    await link.close()
    with pytest.raises(RedisUnavailable):
        await link.execute("PING")
    with pytest.raises(RedisUnavailable):
        await link.send("PING")
    assert not link.is_up
