import os
from pathlib import Path

import pytest
from eco2_devservers import RedisServer, ServerFailed
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import OutOfMemoryError
from redis.exceptions import TimeoutError as RedisTimeoutError


def test_what_was_written_is_there_after_a_kill_and_a_start(redis_server: RedisServer) -> None:
    with Redis.from_url(redis_server.url) as client:
        client.set("paper", "blue bin")
        redis_server.kill()
        with pytest.raises(RedisConnectionError):
            client.get("paper")
        redis_server.start()
        assert client.get("paper") == b"blue bin"


def test_without_a_log_a_kill_forgets_everything() -> None:
    with RedisServer() as server, Redis.from_url(server.url) as client:
        client.set("paper", "blue bin")
        server.kill()
        server.start()
        assert client.get("paper") is None


def test_two_servers_share_nothing(redis_server: RedisServer) -> None:
    with RedisServer() as other, Redis.from_url(redis_server.url) as one, Redis.from_url(other.url) as two:
        one.set("paper", "blue bin")
        assert two.get("paper") is None


def test_a_replica_is_ready_when_it_has_its_masters_data(redis_server: RedisServer) -> None:
    with Redis.from_url(redis_server.url) as master:
        master.set("paper", "blue bin")
        with RedisServer(replica_of=redis_server) as server, Redis.from_url(server.url) as replica:
            assert replica.get("paper") == b"blue bin"


def test_writes_beyond_maxmemory_are_refused() -> None:
    with RedisServer(maxmemory="1mb") as server, Redis.from_url(server.url) as client:
        assert client.get("paper") is None
        with pytest.raises(OutOfMemoryError):
            client.set("paper", b"x" * 1_000_000)


def test_a_paused_server_keeps_its_connections_and_answers_when_resumed(redis_server: RedisServer) -> None:
    with Redis.from_url(redis_server.url, socket_timeout=0.2, retry=None) as client:
        client.ping()
        redis_server.pause()
        with pytest.raises(RedisTimeoutError):
            client.ping()
        redis_server.resume()
        assert client.ping()


def test_a_closed_server_leaves_neither_process_nor_folder() -> None:
    with RedisServer() as server:
        pid, folder = server.pid, server.folder
        server.pause()
    assert not Path(f"/proc/{pid}").exists()
    assert not folder.exists()


def test_a_server_that_cannot_start_says_why_and_leaves_nothing() -> None:
    server = RedisServer(maxmemory="plenty")
    with pytest.raises(ServerFailed, match="maxmemory"):
        server.start()
    assert not server.is_running
    with pytest.raises(RuntimeError, match="not been started"):
        _ = server.folder


def test_a_program_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", os.devnull)
    with pytest.raises(ServerFailed, match="redis-server"), RedisServer():
        pass
