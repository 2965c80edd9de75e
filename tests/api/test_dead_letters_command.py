"""`eco2 dead-letters`, as an operator types it."""

import asyncio
import contextlib
import json
import os
import sys
from typing import Any

import pytest
from chat_api import dead_letters

from tests.api.conversation import CANARY
from tests.api.services import RealWorld, new_id, telemetry
from tests.api.serving import Api, api_over
from tests.api.test_erasing_dead_letters import bodies, give_up
from tests.api.worker import answer

ESCAPE = "\x1b[31m"


class Terminal:
    """The command in this process, which takes less than a process each."""

    def __init__(
        self, world: RealWorld, patch: pytest.MonkeyPatch, output: pytest.CaptureFixture[str]
    ) -> None:
        patch.setattr(dead_letters, "set_up", lambda *_, **__: telemetry())
        for name, value in {"REDIS_URL": world.redis_url, "AMQP_URL": world.amqp_url}.items():
            patch.setenv(name, value)
        patch.setenv("DATABASE_URL", "memory:")
        self._output = output

    async def does(self, *arguments: str) -> tuple[int, str]:
        """Exit code and output."""
        self._output.readouterr()
        code = await dead_letters.run(arguments)
        return code, "".join(self._output.readouterr())

    async def tells(self, *arguments: str) -> Any:
        """With `--json` the output is one value and nothing else."""
        code, output = await self.does(*arguments, "--json")
        assert code == 0, output
        return json.loads(output)


async def eco2(world: RealWorld, *arguments: str) -> tuple[int, str]:
    """The same as a process."""
    environment = {**os.environ, "REDIS_URL": world.redis_url, "AMQP_URL": world.amqp_url}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "eco2_chat.cli.main", "dead-letters", *arguments),
        env={**environment, "DATABASE_URL": "memory:"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(90):
        output, _ = await process.communicate()
    return process.returncode or 0, output.decode()


async def none_left(world: RealWorld) -> None:
    await world.made.dead_letters.remove(_Everything())
    await world.waiting_jobs()


async def unreadable(world: RealWorld, api: Api) -> None:
    """A dead letter that is no job, with an id and a body that would write to a terminal."""
    known = len(await bodies(world))
    queue: Any = world.made.queue
    await queue.publish_body(f"{ESCAPE}id", f"{ESCAPE}{{".encode(), {})
    async with contextlib.aclosing(queue.consume(1)) as deliveries, asyncio.timeout(30):
        await (await anext(deliveries)).dead_letter("malformed")
        while len(await bodies(world)) == known:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def test_dead_letters_are_listed_shown_replayed_and_discarded(
    real_world: RealWorld, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    terminal = Terminal(real_world, monkeypatch, capsys)
    async with api_over(real_world) as api:
        await none_left(real_world)
        first, second = [await give_up(real_world, api, session_id) for session_id in (new_id(), new_id())]
        await unreadable(real_world, api)

        code, table = await eco2(real_world, "list")
        assert code == 0
        listed = await terminal.tells("list")
        assert [one["job_id"] for one in listed] == [first, second, f"{ESCAPE}id"]
        assert {key: listed[0][key] for key in ("reason", "attempts", "ended", "readable")} == {
            "reason": "rejected",
            "attempts": 1,
            "ended": "job_failed",
            "readable": True,
        }
        shown = await terminal.tells("show", first)
        assert CANARY not in table + json.dumps([*listed, shown], ensure_ascii=False)
        assert ESCAPE not in table
        assert (await terminal.tells("show", first, "--content"))["message"] == CANARY
        code, text = await terminal.does("show", f"{ESCAPE}id", "--content")
        assert (code, ESCAPE in text) == (0, False)
        assert await terminal.does("show", "f" * 32) == (1, f"dead-letters: {'f' * 32} is none of them\n")

        (told,) = await terminal.tells("replay", first)
        (job,) = await real_world.waiting_jobs()
        assert (job.job_id, job.message) == (told["replayed_as"], CANARY)
        await answer(real_world.log, job.job_id, "네.")
        assert (await api.status(job.job_id)).json()["answer"] == "네."

        code, output = await terminal.does("replay", "--all")
        assert code == 1
        assert "cannot be read" in output
        assert "1 of 2 done" in output
        assert len(await real_world.waiting_jobs()) == 1
        assert (await terminal.does("discard", "--all"))[0] == 0
        assert await bodies(real_world) == []
        code, output = await terminal.does("discard", first)
        assert code == 1
        assert "none of them" in output


async def test_what_cannot_be_done_is_said_without_a_traceback_and_without_a_password(
    real_world: RealWorld,
) -> None:
    real_world.amqp_url = "amqp://guest:Secret7f3a@127.0.0.1:9/"
    code, output = await eco2(real_world, "list")
    assert code == 1
    assert "RabbitMQ does not answer" in output
    assert not any(word in output for word in ("Traceback", "Secret7f3a"))


class _Everything(set[str]):
    def __contains__(self, _: object) -> bool:
        return True
