"""A failover loses what the replica had not got, and clients find the new primary at the same place."""

import asyncio
import time

import pytest
import redis

from chaos.redis_pair import RedisPair
from chaos.waiting import StageFailed


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


async def test_a_replica_that_is_cut_off_is_not_in_step_with_what_is_written_meanwhile(
    pair: RedisPair,
) -> None:
    await pair.in_step()
    await asyncio.to_thread(pair.copying.block)
    with redis.Redis(port=pair.primary.port) as client:
        client.set("during", 1)
    waiting = asyncio.create_task(pair.in_step())
    # The primary itself notices only after seconds.
    done, _ = await asyncio.wait({waiting}, timeout=0.5)
    assert not done
    await asyncio.to_thread(pair.copying.unblock)
    await waiting
    with redis.Redis(port=pair.replica.port) as client:
        assert client.get("during") == b"1"


async def test_a_machine_on_which_no_lag_comes_about_is_said_to_be_too_slow(
    pair: RedisPair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chaos.redis_pair._LAG_MAX_S", 0)
    monkeypatch.setattr("chaos.redis_pair.LAG_S", 0)
    with pytest.raises(StageFailed, match="too slow"):
        await pair.fail_over()
    assert pair.primary.is_running


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
