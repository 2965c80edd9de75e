"""The whole product in one process, from the command line."""

import asyncio
import contextlib
import json
import signal
import socket
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import pytest
from eco2_devservers import Program, free_port

from tests.e2e.conftest import TABLE
from tests.e2e.driver import ITEMS, Account, Load
from tests.e2e.stack import until, until_answering

CHATS = 20
ROUNDS = 3
PROBE = Path(__file__).with_name("lag_probe.py")
Make = Callable[..., Program]


@pytest.fixture
async def make(tmp_path: Path) -> AsyncIterator[Make]:
    """Makes a program with its own memory; all of them end with the test."""
    made: list[Program] = []

    def make_program(*command: str, **env: str) -> Program:
        own = {"DATABASE_URL": f"sqlite:///{tmp_path}/eco2.sqlite", "OPENAI_API_KEY": ""}
        program = Program(f"program-{len(made)}", tmp_path, *command, **own | env)
        made.append(program)
        program.start()
        return program

    yield make_program
    for program in made:
        program.close()


async def test_twenty_chats_at_once_leave_the_loop_free(make: Make) -> None:
    url = f"http://127.0.0.1:{(port := free_port())}"
    program = make(str(PROBE), str(port))
    await until_answering(f"{url}/readyz")
    async with httpx.AsyncClient(base_url=url, timeout=20) as api:
        run = Load("all in one, 3 times 20 chats at once", api, api)
        for _ in range(ROUNDS):
            await asyncio.gather(
                *(run.ask(f"{ITEMS[at % len(ITEMS)]}은 어떻게 버려?") for at in range(CHATS))
            )
            await run.ended()
        await run.settle_up(lambda _: None)
    program.signal(signal.SIGTERM)
    assert await left_within(program, 8) == 0
    figures = json.loads(program.said().strip().splitlines()[-1])
    TABLE.append(run.row())
    print(f"\nevent-loop lag in ms with {CHATS} chats at once: {figures}")
    assert run.account == Account(accepted=ROUNDS * CHATS, completed=ROUNDS * CHATS)
    assert figures["p99"] < 250


async def test_ctrl_c_with_open_streams_stops_it_within_five_seconds(make: Make) -> None:
    url = f"http://127.0.0.1:{(port := free_port())}"
    program = make("-m", "all_in_one", "--port", str(port))
    await until_answering(f"{url}/readyz")
    seen: list[list[str]] = [[] for _ in range(10)]
    async with httpx.AsyncClient(base_url=url, timeout=20) as api:
        watching = [asyncio.create_task(_watch(api, lines)) for lines in seen]
        await until(lambda: _all_saw_a_token(seen))
        began = time.monotonic()
        program.signal(signal.SIGINT)
        assert await left_within(program, 8) == 0
        assert time.monotonic() - began < 5
        await asyncio.wait(watching)
    for lines in seen:
        assert "event: done" in lines or lines[-2].startswith("retry: ")
    assert "Stopping." in program.said()
    assert "Traceback" not in program.said()


async def _watch(api: httpx.AsyncClient, lines: list[str]) -> None:
    asked = {"json": {"message": "페트병은 어떻게 버려?"}, "headers": {"Accept": "text/event-stream"}}
    with contextlib.suppress(httpx.HTTPError):
        async with api.stream("POST", "/api/v1/chat", **asked) as response:
            async for line in response.aiter_lines():
                lines.append(line)


async def _all_saw_a_token(seen: list[list[str]]) -> bool:
    return all("event: token" in lines for lines in seen)


async def left_within(program: Program, within_s: float) -> int | None:
    """The exit code of a program that ends by itself."""
    await until(lambda: _has_left(program), within_s)
    return program.exit_code


async def _has_left(program: Program) -> bool:
    return not program.is_running


async def test_a_port_that_is_taken_is_said_to_be_taken(make: Make) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        program = make("-m", "all_in_one", "--port", str(port))
        assert await left_within(program, 30) == 1
    assert f"Cannot listen on 127.0.0.1:{port}" in program.said()
    assert "Choose another port" in program.said()
    assert "Traceback" not in program.said()


async def test_a_port_that_cannot_be_is_said_to_be_none(make: Make) -> None:
    program = make("-m", "all_in_one", "--port", "70000")
    assert await left_within(program, 30) == 1
    assert "ports end at 65535" in program.said()
    assert "Traceback" not in program.said()


async def test_another_fault_at_start_up_is_not_taken_for_a_port_that_is_taken(
    make: Make, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    program = make("-m", "all_in_one", "--port", "0", DATABASE_URL=f"sqlite:///{tmp_path}/file/x.sqlite")
    assert await left_within(program, 30) == 1
    assert "Cannot listen" not in program.said()
    assert "file" in program.said()


async def test_the_demo_answers_and_tells_stages_and_trace(make: Make) -> None:
    program = make("-m", "all_in_one.demo")
    assert await left_within(program, 60) == 0
    said = program.said()
    for words in (
        "Q: 다 쓴 페트병은",
        "source ",
        "stage    intent",
        "stage    answer",
        "trace ",
        "sample data",
    ):
        assert words in said
    (trace,) = [line.split()[1] for line in said.splitlines() if line.startswith("trace ")]
    assert len(trace) == 32
    assert "Traceback" not in said
