"""chat-api as its own process, as an operator runs it."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator
from typing import Any, Self

import psutil
from eco2_devservers import free_port, guard
from eco2_devservers.process_tree import Kin, identify

from tests.api.services import RealWorld
from tests.api.serving import Api, client_of

START_S = 30.0


class ApiProcess:
    """`python -m chat_api`; `errors` is what it wrote to standard error, once it has ended."""

    def __init__(self, port: int, environment: dict[str, str]) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.errors = ""
        self._environment = environment
        self._process: asyncio.subprocess.Process
        self._output: asyncio.Task[bytes]
        self._kin: Kin

    @classmethod
    async def start(cls, redis_url: str, amqp_url: str, *, port: int = 0, **settings: Any) -> Self:
        """Starts it without waiting until it serves."""
        changed = {name.upper(): str(value) for name, value in settings.items()}
        kept = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
        made = cls(
            port or free_port(),
            {**kept, "REDIS_URL": redis_url, "AMQP_URL": amqp_url, "DATABASE_URL": "memory:", **changed},
        )
        made._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "chat_api", "--port", str(made.port)),
            env=made._environment,
            stderr=asyncio.subprocess.PIPE,
        )
        # A test run that is killed leaves no process behind.
        made._kin = identify(made._process.pid)
        guard.hold(made._kin)
        assert made._process.stderr is not None
        made._output = asyncio.create_task(made._process.stderr.read())
        return made

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def rss_bytes(self) -> int:
        return psutil.Process(self.pid).memory_info().rss

    def connections_to(self, port: int) -> set[str]:
        """The local addresses of its connections to a server, as that server's CLIENT LIST has them."""
        mine = psutil.Process(self.pid).net_connections("tcp")
        return {f"{one.laddr.ip}:{one.laddr.port}" for one in mine if one.raddr and one.raddr.port == port}

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    async def serves(self) -> None:
        """Returns once it is live."""
        async with client_of(self.url) as client, asyncio.timeout(START_S):
            while self._process.returncode is None:
                with contextlib.suppress(OSError, ConnectionError):
                    _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                    writer.close()
                    await writer.wait_closed()
                    assert (await client.get("/livez")).status_code == 200
                    return
                await asyncio.sleep(0.02)
        raise AssertionError(f"it ended with {await self.exit_code()}: {self.errors}")

    async def exit_code(self, within_s: float = 20) -> int:
        """Waits for its end."""
        async with asyncio.timeout(within_s):
            self.errors = (await self._output).decode()
            code = await self._process.wait()
        guard.release(self._kin)
        return code

    async def close(self) -> None:
        if self._process.returncode is None:
            self.signal(signal.SIGTERM)
            try:
                await self.exit_code()
            except TimeoutError:
                self._process.kill()
        await self.exit_code()


@contextlib.asynccontextmanager
async def api_process(world: RealWorld, **settings: Any) -> AsyncIterator[tuple[Api, ApiProcess]]:
    """A process of the world's that serves, and the verbs to speak to it."""
    process = await ApiProcess.start(world.redis_url, world.amqp_url, **settings)
    try:
        await process.serves()
        async with client_of(process.url) as client:
            yield Api(process.url, client, world.log), process
    finally:
        await process.close()
