import time
from collections.abc import Callable, Iterator

import pytest
from eco2_devservers import RabbitServer, RedisServer

Eventually = Callable[[Callable[[], object]], None]


@pytest.fixture
def eventually() -> Eventually:
    """Wait until a condition holds, or fail after 10 s."""

    def wait(condition: Callable[[], object]) -> None:
        deadline = time.monotonic() + 10
        while not condition():
            assert time.monotonic() < deadline, "the condition did not come true in 10 s"
            time.sleep(0.01)

    return wait


@pytest.fixture
def redis_server() -> Iterator[RedisServer]:
    with RedisServer(appendonly="always") as server:
        yield server


@pytest.fixture(scope="module")
def rabbit() -> Iterator[RabbitServer]:
    with RabbitServer() as server:
        yield server
