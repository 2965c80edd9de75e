import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager

import httpx
import pytest
from eco2_devservers import PostgresServer, RabbitServer, RedisServer

from tests.e2e import driver
from tests.e2e.driver import ITEMS, Load
from tests.e2e.stack import Stack
from tests.e2e.vendors import Vendors

TABLE: list[str] = []
# Slow enough to be killed in mid-answer, short enough to be over soon: 120 tokens in 3 s.
PACE = {"token_ms": 25, "answer_tokens": 120, "for_requests": "stream"}

MakeLoad = Callable[..., AbstractAsyncContextManager[Load]]


@pytest.fixture(scope="session")
def rabbit() -> Iterator[RabbitServer]:
    with RabbitServer() as server:
        yield server


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory, rabbit: RabbitServer) -> Iterator[Stack]:
    with RedisServer(appendonly="always") as redis_server, PostgresServer() as postgres:
        stack = Stack(tmp_path_factory.mktemp("stack"), rabbit, redis_server, postgres)
        try:
            asyncio.run(stack.start())
            yield stack
        finally:
            stack.close()


@pytest.fixture
async def sandbox(running: Stack) -> AsyncIterator[httpx.AsyncClient]:
    """The sandbox's control door; every test finds it at the same pace."""
    # A kept connection may be closed by the server in the instant it is used again.
    limits = httpx.Limits(max_keepalive_connections=0)
    async with httpx.AsyncClient(base_url=running.sandbox_url, timeout=10, limits=limits) as client:
        (await client.put("/sandbox/behaviour", json=PACE)).raise_for_status()
        yield client


@pytest.fixture
async def vendors(sandbox: httpx.AsyncClient) -> AsyncIterator[Vendors]:
    """The model and all vendors, well when the test begins and when it ends."""
    vendors = Vendors(sandbox)
    await vendors.be_well()
    yield vendors
    await vendors.be_well()


@pytest.fixture
def stack(running: Stack, sandbox: httpx.AsyncClient) -> Iterator[Stack]:
    """The running product; says what its processes said when the test fails."""
    yield running
    for program in (*running.workers, running.api, running.character):
        print(f"--- {program.name}\n{program.said()[-4_000:]}")


@pytest.fixture(scope="session")
def answers() -> dict[str, str]:
    """The right answer to every question, filled by the first run."""
    return {}


@pytest.fixture
async def api(stack: Stack) -> AsyncIterator[httpx.AsyncClient]:
    """Talks to the API, however often it is away in between."""
    timeout, limits = httpx.Timeout(20, connect=3), httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(base_url=stack.api_url, timeout=timeout, limits=limits) as client:
        yield client


@pytest.fixture
def run(api: httpx.AsyncClient, sandbox: httpx.AsyncClient) -> Load:
    """A run that puts its questions one by one."""
    return Load("by hand", api, sandbox)


@pytest.fixture
async def make_load(
    stack: Stack, api: httpx.AsyncClient, sandbox: httpx.AsyncClient, answers: dict[str, str]
) -> MakeLoad:
    """Starts runs of many questions, each held to the answers that a calm run gave."""
    if not answers:
        await stack.staff(1)
        calm = Load("calm", api, sandbox)
        await asyncio.gather(*(calm.ask(f"{item}은 어떻게 버려?", viewers=1) for item in ITEMS))
        await calm.ended()
        answers |= {job.question: job.viewers[0].ended["answer"] for job in calm.jobs}
        assert len(set(answers.values())) == len(ITEMS)

    def make(label: str, questions: int, seed: int, spread_s: float = 0) -> AbstractAsyncContextManager[Load]:
        return driver.load(Load(label, api, sandbox, seed), questions, answers, TABLE, spread_s)

    return make


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if TABLE:
        terminalreporter.write_sep("=", "jobs")
        for line in (driver.header(), *TABLE):
            terminalreporter.write_line(line)
