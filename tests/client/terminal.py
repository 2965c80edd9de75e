"""The `eco2` command in a process of its own, as somebody types it."""

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from typing import Self

IN_TIME_S = 40


class Command:
    """A running command whose standard error is read line by line."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    @classmethod
    async def start(cls, *arguments: str, typed: str | None = None, out: int | None = None) -> Self:
        """Starts it; `typed` is all of its standard input, `out` a terminal in place of a pipe."""
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "eco2_chat.cli.main", *arguments),
            stdin=asyncio.subprocess.DEVNULL if typed is None else pipe,
            stdout=pipe if out is None else out,
            stderr=pipe,
            env=_environment(),
        )
        if typed is not None:
            assert process.stdin is not None
            process.stdin.write(typed.encode())
            process.stdin.close()
        return cls(process)

    async def says(self, part: str) -> str:
        """The next line on standard error with this in it."""
        assert self.process.stderr is not None
        async with asyncio.timeout(IN_TIME_S):
            while part not in (line := (await self.process.stderr.readline()).decode()):
                assert line, f"it ended without saying {part!r}"
        return line

    def interrupt(self) -> None:
        """Ctrl-C."""
        self.process.send_signal(signal.SIGINT)

    async def end(self) -> tuple[int | None, str, str]:
        """Exit code, what is left of standard output, and of standard error."""
        async with asyncio.timeout(IN_TIME_S):
            output, errors = await self.process.communicate()
        return self.process.returncode, (output or b"").decode(), errors.decode()


def _environment() -> Mapping[str, str]:
    return {**os.environ, "PYTHONIOENCODING": "utf-8", "ECO2_URL": "http://127.0.0.1:9"}
