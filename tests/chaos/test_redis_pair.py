"""A failover loses what the replica had not got, and clients find the new primary at the same place."""

import asyncio
import time

import pytest
import redis

from chaos.redis_pair import RedisPair


@pytest.fixture
def pair():
    pair = RedisPair()
    pair.start()
    yield pair
    for front in pair.fronts:
        front.close()
    pair.close()


def count_up(primary_port: int) -> int:
    """Count in that server until it dies; returns how far it has said that it got."""
    told = 0
    with redis.Redis(port=primary_port, retry=None) as client:
        while True:
            try:
                told = client.incr("count")
            except redis.ConnectionError:
                return told
            time.sleep(0.005)


async def test_what_is_written_during_the_lag_is_gone_and_the_rest_is_there(pair: RedisPair) -> None:
    front, was = pair.new_front(), pair.primary
    with redis.Redis(port=front.port) as client:
        client.set("before", 1)
        assert client.wait(1, 5_000) == 1
    counting = asyncio.create_task(asyncio.to_thread(count_up, was.port))
    await pair.fail_over()
    told = await counting
    assert pair.replica is was
    with redis.Redis(port=front.port) as client:
        assert client.role()[0] == b"master"
        assert client.get("before") == b"1"
        assert int(client.get("count") or 0) < told
        client.set("after", 1)
    await pair.rejoin()
    await pair.in_step()
    with redis.Redis(port=pair.replica.port) as client:
        assert client.get("after") == b"1"
